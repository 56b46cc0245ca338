//! What comes in, whatever it came by: one spelling of each value, times that can be true, content loaded once.

use std::io::Write;
use std::sync::Arc;

use chrono::{Duration, Utc};
use convoke::auth::{Caller, Role};
use convoke::error::{Kind, Result};
use convoke::ids::WorkspaceName;
use convoke::ingest::input::{InputBuilder, InputRow};
use convoke::ingest::read::{FileReader, Mapping, ReadOptions};
use convoke::ingest::{LoadRequest, LoadSummary};
use convoke::settings::Settings;
use convoke::workspace::Manifest;
use futures::StreamExt;

use crate::harness::{World, at, open, world};

fn purchase<'a>(user: &'a str) -> InputRow<'a> {
    InputRow {
        ts: at("2024-01-05T00:00:00Z"),
        kind: Some("track"),
        event: Some("Order Completed"),
        user_id: Some(user),
        ..Default::default()
    }
}

/// One purchase of `user` under a content hash, by a token that is bound to a source or not.
async fn send(world: &World, source: Option<&str>, hash: &str, again: bool) -> LoadSummary {
    let caller = world.caller.clone().with_source(source);
    let request =
        LoadRequest { source: "a client".into(), content_hash: hash.into(), file_hash: None, again, checked: false };
    let mut builder = InputBuilder::default();
    builder.push(&purchase("u1"));
    world.loader.load(&caller, request, futures::stream::iter([builder.finish()]).boxed()).await.unwrap()
}

/// A file as `convoke ingest` loads it.
async fn ingest(world: &World, text: &str, options: &ReadOptions, again: bool) -> LoadSummary {
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let reader = FileReader::open(file.path(), options.clone()).unwrap();
    let hashes = reader.hashes().unwrap();
    let (content_hash, file_hash) = (hashes.content, Some(hashes.file));
    let request = LoadRequest { source: text[..4].into(), content_hash, file_hash, again, checked: true };
    world.loader.load(&world.caller, request, futures::stream::iter(reader.batches()).boxed()).await.unwrap()
}

async fn reopened(world: &World) -> World {
    open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await
}

/// (token's source, content hash): each pair is other content, though joined by `@` and `#` some are the same text.
const CONTENTS: [(Option<&str>, &str); 8] = [
    (None, "a"),
    (None, "a#1"),
    (None, "a#1#1"),
    (None, "a@web"),
    (Some("web"), "a"),
    (Some("web#1"), "a"),
    (Some("web"), "a#1"),
    (Some(""), "a"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_with_a_number_sign_is_neither_loaded_twice_nor_skipped() {
    let world = world().await;
    for (source, hash) in CONTENTS {
        assert!(!send(&world, source, hash, false).await.skipped, "{source:?} {hash} is new");
        assert!(send(&world, source, hash, false).await.skipped, "{source:?} {hash} is there");
    }
    let counts = "SELECT count(*), count(DISTINCT message_id) FROM events";
    assert_eq!(world.row(counts).await, "8 8");
    // What a repetition is called is no content either.
    assert!(!send(&world, None, "a", true).await.skipped);
    assert!(!send(&world, None, "a", true).await.skipped);
    assert!(!send(&world, None, "a#2", false).await.skipped, "the second repetition of 'a' is not 'a#2'");
    assert_eq!(world.row(counts).await, "11 11");
    // The records in the log say the same to a new process, also when they are read from one gathered object.
    let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
    let again = reopened(&world).await;
    workspace.events().checkpoint(workspace.snapshot().events.version).await.unwrap();
    drop(workspace);
    let gathered = reopened(&world).await;
    drop(world);
    for world in [again, gathered] {
        for (source, hash) in CONTENTS {
            assert!(send(&world, source, hash, false).await.skipped, "{source:?} {hash} after a restart");
        }
        assert!(send(&world, None, "a#2", false).await.skipped);
        assert_eq!(world.row(counts).await, "11 11");
    }
}

/// One file, read in one way after the other: its rows are there once unless they are asked for again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_file_is_not_loaded_twice_by_other_options() {
    let world = world().await;
    let sold = ReadOptions { event: Some("Order Completed".into()), ..ReadOptions::default() };
    let mapped = ReadOptions { mapping: Mapping::parse("revenue=amount").unwrap(), ..sold.clone() };
    let zone = ReadOptions { time_zone: chrono_tz::Asia::Shanghai, ..sold.clone() };
    let named = ReadOptions { event: Some("Purchase".into()), ..sold.clone() };
    let text = "ts,user_id,amount\n2024-03-01 08:00:00,u1,5\n";
    assert!(!ingest(&world, text, &sold, false).await.skipped);
    let same = ingest(&world, text, &sold, false).await;
    assert!(same.skipped && same.read_otherwise.is_none(), "with the same options it is skipped: {same:?}");
    let mut world = world;
    for _ in ["at once", "after a restart, by one gathered object"] {
        for options in [&mapped, &zone, &named] {
            let refused = ingest(&world, text, options, false).await;
            assert!(refused.skipped && refused.kept == 0, "{refused:?}");
            assert_eq!(refused.read_otherwise.as_deref(), Some("ts,u"), "the name that it was loaded by");
        }
        let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
        workspace.events().checkpoint(workspace.snapshot().events.version).await.unwrap();
        drop(workspace);
        world = reopened(&world).await;
    }
    assert_eq!(world.row("SELECT count(*), sum(revenue) FROM events").await, "1 NULL");
    // Other bytes are another file, and the caller may want the rows beside those that are there.
    assert!(!ingest(&world, "ts,user_id,amount\n2024-03-02 08:00:00,u1,7\n", &mapped, false).await.skipped);
    assert!(!ingest(&world, text, &mapped, true).await.skipped);
    assert_eq!(world.row("SELECT count(*), count(DISTINCT message_id) FROM events").await, "3 3");
    let both = [ingest(&world, text, &sold, false).await, ingest(&world, text, &mapped, false).await];
    assert!(both.iter().all(|load| load.skipped && load.read_otherwise.is_none()), "both are there: {both:?}");
    assert!(ingest(&world, text, &zone, false).await.read_otherwise.is_some(), "this one is not");
}

/// The same bytes by another token, whichever was first: refused, though with the same options, unless it is said that
/// two sources truly send the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_file_is_not_loaded_twice_by_other_tokens() {
    let sold = ReadOptions { event: Some("Order Completed".into()), ..ReadOptions::default() };
    let tokyo = ReadOptions { time_zone: chrono_tz::Asia::Tokyo, ..sold.clone() };
    let text = "ts,user_id,order_id,revenue\n2024-03-01 08:00:00,u1,a,50\n";
    let sources = [None, Some("web"), Some("pos"), Some("")];
    for first in sources {
        for second in sources.into_iter().filter(|second| *second != first) {
            let by = |world: World, source: Option<&str>| World {
                caller: Caller::local_admin(WorkspaceName::default()).with_source(source),
                ..world
            };
            let world = by(world().await, first);
            assert!(!ingest(&world, text, &sold, false).await.skipped);
            let world = by(world, second);
            for options in [&sold, &tokyo] {
                let refused = ingest(&world, text, options, false).await;
                assert!(
                    refused.skipped && refused.of_other_source && refused.kept == 0,
                    "{first:?} {second:?}: {refused:?}"
                );
                assert_eq!(refused.read_otherwise.as_deref(), Some("ts,u"));
            }
            assert_eq!(world.row("SELECT count(*), sum(net) FROM orders").await, "1 50.0000");
            // Equal content of two sources: it is there for both then, and is recognised as the own of each.
            assert!(!ingest(&world, text, &sold, true).await.skipped);
            assert!(ingest(&world, text, &sold, false).await.read_otherwise.is_none());
            let other = ingest(&world, text, &tokyo, false).await;
            assert!(other.read_otherwise.is_some() && !other.of_other_source, "{other:?}");
            assert_eq!(world.row("SELECT count(*), count(DISTINCT message_id) FROM events").await, "2 2");
            let world = by(world, first);
            assert!(ingest(&world, text, &sold, false).await.read_otherwise.is_none(), "it is there for this one");
        }
    }
}

/// A token that sends events and reads nothing is not told how another source names its files.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_files_of_another_source_are_not_told_to_an_ingest_token() {
    let text = "ts,user_id\n2024-03-01,u1\n";
    let options = ReadOptions { event: Some("Order Completed".into()), ..ReadOptions::default() };
    let world = world().await;
    assert!(!ingest(&world, text, &options, false).await.skipped);
    let token = Caller::new(WorkspaceName::default(), "web", Role::Ingest).with_source(Some("web"));
    let refused = ingest(&World { caller: token, ..world }, text, &options, false).await;
    assert_eq!(refused.read_otherwise.as_deref(), Some("a file of another source"));
}

/// Clients and folders of before this was told apart: what they name is recognised as it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_without_a_hash_of_their_file_are_recognised_by_their_content() {
    let request: LoadRequest = serde_json::from_str(r#"{"source":"a","content_hash":"h","again":false}"#).unwrap();
    assert_eq!(request.file_hash, None);
    let record = r#"{"number":1,"source":"a","content_hash":"h","token_source":null,"repetition":0,"kept":1,"rejected":0,
                     "identity":null,"dead_letters":null}"#;
    let record: convoke::store::events::LoadRecord = serde_json::from_str(record).unwrap();
    assert_eq!(record.file_hash, None);
    let world = world().await;
    let sold = ReadOptions { event: Some("Order Completed".into()), ..ReadOptions::default() };
    let text = "ts,user_id\n2024-03-01,u1\n";
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let hashes = FileReader::open(file.path(), sold.clone()).unwrap().hashes().unwrap();
    assert!(!send(&world, None, &hashes.content, false).await.skipped);
    assert!(!send(&world, None, "another", false).await.skipped, "two without a hash are not one file");
    assert!(ingest(&world, text, &sold, false).await.skipped);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_of_which_nothing_was_kept_was_not_loaded() {
    let world = world().await;
    let nameless = InputRow { identifiers: &[("loyalty", "1")], ..purchase("u1") };
    let first = world.load("same", &[nameless]).await;
    assert_eq!((first.kept, first.rejected, first.skipped), (0, 1, false));
    assert_eq!(first.reasons.len(), 1);
    assert!(first.reasons[0].starts_with("row 1: column 'identifiers': 'loyalty' is not"), "{:?}", first.reasons);
    // The type is made meanwhile: the same file can go in now, once.
    let settings = world.workspaces.get(&world.caller.workspace).await.unwrap();
    let pairs = [("identifier_types".to_owned(), "loyalty:person".to_owned())];
    let with_type = settings.snapshot().rules.settings.with(&pairs, &Settings::defaults().unwrap()).unwrap();
    let mut writer = settings.writer().await.unwrap();
    let change = convoke::workspace::RuleChange { settings: Some(with_type), ..Default::default() };
    writer.change_rules(change).await.unwrap();
    drop(writer);
    let nameless = [InputRow { identifiers: &[("loyalty", "1")], ..purchase("u1") }];
    let second = world.load("same", &nameless).await;
    assert_eq!((second.kept, second.skipped), (1, false));
    assert!(world.load("same", &nameless).await.skipped);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_beyond_the_cap_is_rejected_with_its_row() {
    let world = world().await;
    let after = |hours: i64| Some((Utc::now() + Duration::hours(hours)).timestamp_micros());
    let rows = [
        InputRow { ts: after(47), ..purchase("tomorrow") },
        InputRow { ts: after(49), currency: Some("eur"), ..purchase("u2") },
        InputRow { ts: at("2076-05-31T00:00:00Z"), ..purchase("u3") },
    ];
    let summary = world.load("times", &rows).await;
    assert_eq!((summary.kept, summary.rejected), (1, 2));
    assert_eq!(world.rows("SELECT user_id FROM events").await, ["tomorrow"]);
    let letters = world.rows("SELECT row, reason, raw ->> 'user_id' FROM system.dead_letters ORDER BY row").await;
    assert!(letters[0].starts_with("2 column 'ts': ") && letters[0].ends_with(" u2"), "{letters:?}");
    assert!(letters[0].contains("more than 48 hours beyond now"), "{letters:?}");
    assert!(letters[0].contains("; --ts-format says how times are written"), "{letters:?}");
    assert!(letters[1].starts_with("3 column 'ts': 2076-05-31T00:00:00+00:00 lies"), "{letters:?}");

    let mut settings = Settings::defaults().unwrap();
    settings.ingest.max_future_hours = 100;
    drop(world);
    let generous = crate::harness::world_with(settings, "UTC").await;
    assert_eq!(generous.load("times", &rows).await.kept, 2);
}

/// What is rejected behind the readers stands in the dead letters as the file has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_was_rejected_can_be_corrected_and_loaded() {
    let world = world().await;
    let header = "ts,event,order_id,currency,user_id,note";
    let bad =
        ["2076-01-05,Order Completed,1,USD,u1,\"he said \"\"hi\"\"\"", "2024-01-05,Order Completed,2,dollars,u1,b"];
    let text = format!("{header}\n{}\n2024-01-05,Order Completed,3,USD,u1,c\n{}\n", bad[0], bad[1]);
    let summary = ingest(&world, &text, &ReadOptions::default(), false).await;
    assert_eq!((summary.kept, summary.rejected), (1, 2));
    let letters = world.rows("SELECT raw FROM system.dead_letters ORDER BY row").await;
    assert_eq!(letters, bad);
    let corrected = letters.join("\n").replace("2076", "2024").replace("dollars", "EUR");
    let summary = ingest(&world, &format!("{header}\n{corrected}\n"), &ReadOptions::default(), false).await;
    assert_eq!((summary.kept, summary.rejected), (2, 0));
    let sql = "SELECT order_id, currency, properties ->> 'note' FROM events ORDER BY order_id";
    assert_eq!(world.rows(sql).await, ["1 USD he said \"hi\"", "2 EUR b", "3 USD c"]);
}

/// Case A10: a currency counts in any case, and what is none is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn currencies_are_folded_and_what_is_none_is_rejected() {
    let world = world().await;
    let order = |number: &'static str, currency: &'static str| InputRow {
        order_id: Some(number),
        revenue: Some(100_000),
        currency: Some(currency),
        ..purchase("u1")
    };
    let rows = [
        order("1", "usd"),
        order("2", " Usd\u{a0}"),
        order("3", "NaN"),
        order("4", "(null)"),
        order("5", "dollars"),
        order("6", "€"),
        order("7", "US"),
        // No letter and no digit: of an identifier it would be nothing, here it is a currency that is not said.
        order("8", "$"),
        order("9", "($)"),
        order("10", "?"),
        order("11", "840"),
    ];
    let summary = world.load("money", &rows).await;
    assert_eq!((summary.kept, summary.rejected), (4, 7));
    let refused = "SELECT row FROM system.dead_letters WHERE reason LIKE 'column ''currency'': %' ORDER BY row";
    assert_eq!(world.rows(refused).await, ["5", "6", "7", "8", "9", "10", "11"]);
    assert_eq!(
        summary.reasons[0],
        "row 5: column 'currency': 'dollars' is not a currency: write its code of three letters, such as USD"
    );
    assert_eq!(
        world.rows("SELECT order_id, currency FROM events ORDER BY 1").await,
        ["1 USD", "2 USD", "3 NULL", "4 NULL"]
    );
    assert_eq!(world.row("SELECT sum(net_base) FROM orders").await, "40.0000", "the base currency is USD");
}

/// Cases A12 and C18: each value is said of two persons with addresses of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_that_mean_nobody_join_no_strangers() {
    let world = world().await;
    let nobodies = [
        "(not set)",
        "nan",
        "\\N",
        "#N/A",
        "-",
        "(null)",
        "<null>",
        "[object Object]",
        "{}",
        "false",
        "none@none.com",
        "\"\"",
        "NULL",
        "0",
        "0.0",
        "\u{a0}null\u{3000}",
        "N/A",
        "1.38E+10",
    ];
    let mails: Vec<[(String, String); 1]> =
        (0..nobodies.len() * 2).map(|number| [("email".to_owned(), format!("p{number}@example.cn"))]).collect();
    let mails: Vec<[(&str, &str); 1]> = mails.iter().map(|[(kind, mail)]| [(kind.as_str(), mail.as_str())]).collect();
    let rows: Vec<InputRow<'_>> = mails
        .iter()
        .enumerate()
        .map(|(at, mail)| InputRow { identifiers: mail, ..purchase(nobodies[at / 2]) })
        .collect();
    assert_eq!(world.load("nobodies", &rows).await.kept, 36);
    assert_eq!(world.row("SELECT count(*), count(DISTINCT person) FROM events").await, "36 36");
    assert_eq!(world.row("SELECT count(*) FROM identities WHERE id_type <> 'email'").await, "0");
    assert_eq!(
        world
            .row(
                "SELECT count(*) FROM system.settings WHERE key = 'identity.blocked_values' AND value LIKE '%not set%'"
            )
            .await,
        "1"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_customer_in_several_spellings_is_one_person() {
    let world = world().await;
    let spellings = ["123", "123.0", " 123 ", "123.00\u{feff}", "\u{3000}123", "\u{202a}123\u{202c}"];
    let rows = spellings.map(purchase);
    world.load("spellings", &rows).await;
    assert_eq!(world.rows("SELECT DISTINCT user_id FROM events").await, ["123"]);
    assert_eq!(world.row("SELECT count(*) FROM persons").await, "1");
    let blanks = [InputRow { event: Some("Order Completed\u{a0}"), revenue: Some(10_000), ..purchase("u9") }];
    world.load("blanks", &blanks).await;
    assert_eq!(world.row("SELECT sum(net) FROM orders").await, "1.0000", "an event's name counts without blanks");
}

async fn load_one(world: &World, synthetic: bool) -> Result<LoadSummary> {
    let request =
        LoadRequest { source: "one".into(), content_hash: "one".into(), file_hash: None, again: false, checked: false };
    let mut builder = InputBuilder::default();
    builder.push(&purchase("u1"));
    let batches = futures::stream::iter([builder.finish()]).boxed();
    match synthetic {
        true => world.loader.load_synthetic(&world.caller, request, batches).await,
        false => world.loader.load(&world.caller, request, batches).await,
    }
}

/// Case D7.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn synthetic_and_real_events_stay_apart() {
    let world = world().await;
    let refused = load_one(&world, true).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::InvalidInput);
    assert!(refused.message().contains("was not made by the demo"), "{refused}");
    let name = WorkspaceName::new("shop_demo").unwrap();
    let manifest = Manifest { demo: true, ..Manifest::new(chrono_tz::Tz::UTC) };
    world.workspaces.create(&name, &manifest).await.unwrap();
    let again = reopened(&world).await;
    let demo = World { caller: Caller::local_admin(name), ..again };
    let refused = load_one(&demo, false).await.unwrap_err();
    assert!(refused.message().contains("its events are synthetic"), "{refused}");
    assert_eq!(load_one(&demo, true).await.unwrap().kept, 1);
    assert_eq!(load_one(&world, false).await.unwrap().kept, 1);
}
