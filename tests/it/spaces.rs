//! Workspaces: settings, reference tables, drop, and promise 6: none leaks into another.

use std::sync::Arc;

use convoke::auth::{Role, Tokens};
use convoke::error::{Error, Kind};
use convoke::ids::WorkspaceName;
use convoke::ingest::input::{InputBuilder, InputRow};
use convoke::query::SessionOptions;
use convoke::settings::Settings;
use convoke::store::Root;
use convoke::workspace::reference::{DayNames, FxRates, RATE_ONE};
use convoke::workspace::{Manifest, RuleChange, WorkspaceSettings, WorkspaceState, Workspaces};

use crate::harness::{World, at, open, texts, world};

fn name(text: &str) -> WorkspaceName {
    WorkspaceName::new(text).unwrap()
}

fn sale<'a>(user: &'a str, ts: &str, revenue: i128, currency: &'a str) -> InputRow<'a> {
    InputRow {
        ts: at(ts),
        kind: Some("track"),
        event: Some("Order Completed"),
        user_id: Some(user),
        revenue: Some(revenue),
        currency: Some(currency),
        ..Default::default()
    }
}

/// Changes settings as `convoke workspace set` does.
async fn set(world: &World, pairs: &[(&str, &str)]) -> Result<(), Error> {
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let workspace = world.workspaces.get(&world.caller.workspace).await?;
    let settings = workspace.snapshot().rules.settings.with(&pairs, &Settings::defaults()?)?;
    change(world, RuleChange { settings: Some(settings), ..Default::default() }).await
}

async fn change(world: &World, change: RuleChange) -> Result<(), Error> {
    let workspace = world.workspaces.get(&world.caller.workspace).await?;
    let mut writer = workspace.writer().await?;
    writer.change_rules(change).await.map(drop)
}

/// The same folder, as another process would open it.
fn elsewhere(world: &World) -> Workspaces {
    Workspaces::new(Root::open(world.folder.path().to_str().unwrap()).unwrap())
}

fn tokens(world: &World) -> Tokens {
    Tokens::new(world.workspaces.root())
}

fn rates(base: &str, rows: &[(&str, &str, i128)]) -> FxRates {
    let mut rates = FxRates { base: base.into(), ..Default::default() };
    for (day, currency, rate) in rows {
        let day = arrow::datatypes::Date32Type::from_naive_date(day.parse().unwrap());
        rates.rates.entry((*currency).to_owned()).or_default().insert(day, *rate);
    }
    rates
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_hold_for_the_next_plan_and_after_a_restart() {
    let world = world().await;
    let sold = InputRow { event: Some("Sold"), ..sale("u2", "2024-01-06T00:00:00Z", 50_000, "USD") };
    world.load("a", &[sale("u1", "2024-01-05T00:00:00Z", 100_000, "USD"), sold]).await;
    let sql = "SELECT count(*), sum(net), sum(net_base) FROM orders";
    let session = SessionOptions::default();
    let planned = world.engine.prepare(&world.caller, &session, sql, None).await.unwrap();
    let leased = world.engine.lease(&planned, std::time::Duration::from_secs(60));
    assert_eq!(world.row(sql).await, "1 10.0000 10.0000");
    set(&world, &[("purchase_events", "Sold"), ("base_currency", "CNY")]).await.unwrap();
    // The statement is the same, the plan must not be.
    assert_eq!(world.row(sql).await, "1 5.0000 NULL");
    // What was planned before reads the rules that it was planned with.
    let old = world.engine.prepare(&world.caller, &session, sql, Some(leased)).await.unwrap();
    let stream = world.engine.execute(&world.caller, &session, &old, Vec::new()).await.unwrap().stream;
    assert_eq!(texts(&futures::TryStreamExt::try_collect::<Vec<_>>(stream).await.unwrap()), ["1 10.0000 10.0000"]);

    let again = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    for world in [&world, &again] {
        assert_eq!(world.row(sql).await, "1 5.0000 NULL");
        let settings = "SELECT key, value, origin FROM system.settings WHERE key LIKE 'orders.%' ORDER BY key";
        assert_eq!(
            world.rows(settings).await,
            [
                "orders.base_currency CNY workspace",
                "orders.fx_max_age_days 7 default",
                "orders.order_key order_id default",
                "orders.purchase_events [\"Sold\"] workspace",
                "orders.refund_events [\"Order Refunded\", \"order_refunded\", \"Order Cancelled\", \"order_cancelled\"] \
                 default"
            ]
        );
    }
    drop(again);
    // Taken back: the server's setting holds.
    set(&world, &[("purchase_events", "")]).await.unwrap();
    assert_eq!(world.row("SELECT count(*), sum(net) FROM orders").await, "1 10.0000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_of_its_making_hold_until_the_first_revision() {
    let world = world().await;
    let settings = WorkspaceSettings { base_currency: Some("EUR".into()), ..Default::default() };
    let manifest = Manifest { settings, ..Manifest::new(chrono_tz::Asia::Shanghai) };
    world.workspaces.create(&name("cn"), &manifest).await.unwrap();
    let cn = world.beside("cn").await;
    let sql =
        "SELECT value FROM system.settings WHERE key IN ('orders.base_currency', 'workspace.time_zone') ORDER BY key";
    assert_eq!(cn.rows(sql).await, ["EUR", "Asia/Shanghai"]);
    set(&cn, &[("refund_events", "[]")]).await.unwrap();
    assert_eq!(cn.rows(sql).await, ["EUR", "Asia/Shanghai"]);
    let error = world.workspaces.create(&name("cn"), &manifest).await.err().unwrap();
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_is_converted_by_the_rate_of_the_local_day_and_no_other() {
    let world = crate::harness::world_with(Settings::defaults().unwrap(), "Asia/Shanghai").await;
    // 17:00 in UTC is the next day in Shanghai.
    let late = sale("u1", "2024-01-05T17:00:00Z", 100_000, "EUR");
    let early = sale("u2", "2024-01-05T10:00:00Z", 100_000, "EUR");
    world.load("a", &[late, early, sale("u3", "2024-01-05T10:00:00Z", 70_000, "USD")]).await;
    let sql = "SELECT day, currency, net, net_base FROM orders ORDER BY day, currency";
    let without = ["2024-01-05 EUR 10.0000 NULL", "2024-01-05 USD 7.0000 7.0000", "2024-01-06 EUR 10.0000 NULL"];
    assert_eq!(world.rows(sql).await, without);
    let imported = rates("USD", &[("2024-01-06", "EUR", RATE_ONE / 10 * 11), ("2024-01-07", "EUR", RATE_ONE)]);
    change(&world, RuleChange { fx_rates: Some(imported), ..Default::default() }).await.unwrap();
    let with = ["2024-01-05 EUR 10.0000 NULL", "2024-01-05 USD 7.0000 7.0000", "2024-01-06 EUR 10.0000 11.0000"];
    assert_eq!(world.rows(sql).await, with);
    let table = ["2024-01-06 EUR 1.100000000000", "2024-01-07 EUR 1.000000000000"];
    assert_eq!(world.rows("SELECT * FROM fx_rates ORDER BY day").await, table);
    let again = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    assert_eq!(again.rows(sql).await, with);
    drop(again);
    // Rates into dollars say nothing of yuan.
    set(&world, &[("base_currency", "CNY")]).await.unwrap();
    assert_eq!(world.row("SELECT count(*) FROM orders WHERE net_base IS NOT NULL").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_have_the_names_that_were_imported() {
    let world = world().await;
    let mut names = DayNames::default();
    let day = arrow::datatypes::Date32Type::from_naive_date("2024-02-10".parse().unwrap());
    names.names.insert(day, vec!["春节".into(), "New Year".into()]);
    change(&world, RuleChange { day_names: Some(names), ..Default::default() }).await.unwrap();
    let sql = "SELECT day, names FROM dates WHERE day BETWEEN '2024-02-09' AND '2024-02-11' ORDER BY day";
    assert_eq!(world.rows(sql).await, ["2024-02-09 []", "2024-02-10 [春节, New Year]", "2024-02-11 []"]);
    let named = "SELECT count(*) FROM dates WHERE array_has(names, '春节')";
    assert_eq!(world.row(named).await, "1");
    // Other settings leave the names alone.
    set(&world, &[("base_currency", "EUR")]).await.unwrap();
    assert_eq!(world.row(named).await, "1");
}

/// What another process wrote by rules of its own is read by those, though this one was opened before they were set.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_that_another_process_added_are_known_to_the_next_writer() {
    let world = world().await;
    let other = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    set(&other, &[("identifier_types", "card_no:person:before user_id")]).await.unwrap();
    let visit = |cookie| InputRow {
        ts: at("2024-01-05T00:00:00Z"),
        event: Some("visit"),
        anonymous_id: Some(cookie),
        identifiers: &[("card_no", "7")],
        ..Default::default()
    };
    other.load("in files", &[visit("c1")]).await;
    let mut in_log = InputBuilder::default();
    in_log.push(&visit("c2"));
    other.load_in_log("in the log", vec![in_log.finish()]).await.unwrap();
    drop(other);

    let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
    assert_eq!(workspace.snapshot().rules.revision, 0, "as it was opened");
    drop(workspace.writer().await.unwrap());
    assert_eq!(workspace.snapshot().rules.revision, 1);
    world.load("mine", &[visit("c3")]).await;
    let identities = "SELECT id_type, id_value, person FROM identities ORDER BY 1, 2";
    let expected = ["anonymous_id c1 0", "anonymous_id c2 0", "anonymous_id c3 0", "card_no 7 0"];
    assert_eq!(world.rows(identities).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn own_identifier_types_stitch_like_the_others() {
    let world = world().await;
    let card = [("card_no", "7")];
    let row = |user: Option<&'static str>, cookie| InputRow {
        ts: at("2024-01-05T00:00:00Z"),
        event: Some("visit"),
        user_id: user,
        anonymous_id: Some(cookie),
        identifiers: &card,
        ..Default::default()
    };
    assert_eq!(world.load("before", &[row(None, "c1")]).await.rejected, 1, "the type is not known yet");
    set(&world, &[("identifier_types", "tv_id:device, card_no:person:before user_id")]).await.unwrap();
    world.load("after", &[row(None, "c1"), row(Some("u1"), "c2")]).await;
    let identities = "SELECT id_type, id_value, person FROM identities ORDER BY 1, 2";
    let expected = ["anonymous_id c1 0", "anonymous_id c2 0", "card_no 7 0", "user_id u1 0"];
    assert_eq!(world.rows(identities).await, expected);
    assert_eq!(world.row("SELECT known, identifier_count FROM persons").await, "true 4", "a card names a person");
    assert_eq!(world.row("SELECT count(*) FROM person_timeline('card_no', '7')").await, "2");
    // card_no is the main identifier of both events: one node stands in both.
    assert!(world.refusal("SELECT * FROM person_timeline('card', '7')").await.contains("did you mean card_no"));

    let error = set(&world, &[("identifier_types", "tv_id:device")]).await.unwrap_err();
    assert!(error.kind() == Kind::Conflict && error.to_string().contains("card_no"), "{error}");
    // In another order, and without the one that nobody has.
    set(&world, &[("identifier_types", "card_no:person, app_id:device")]).await.unwrap();
    assert_eq!(world.rows(identities).await, expected);
    world.load("more", &[row(Some("u2"), "c3")]).await;
    let again = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    for world in [&world, &again] {
        assert_eq!(world.row("SELECT count(*), count(DISTINCT person) FROM identities").await, "6 1");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocked_values_and_personal_columns_are_the_workspaces() {
    let world = world().await;
    set(&world, &[("blocked_values", "nobody"), ("pii_columns", "properties.phone")]).await.unwrap();
    let row = InputRow {
        properties: Some(r#"{"phone":"555","color":"red"}"#),
        ..sale("nobody", "2024-01-05T00:00:00Z", 10_000, "USD")
    };
    world.load("a", &[row, sale("guest", "2024-01-05T00:00:00Z", 10_000, "USD")]).await;
    assert_eq!(world.row("SELECT count(*) FROM identities").await, "0", "the list that is built in holds beside it");
    let examples = "SELECT property, examples FROM event_catalog WHERE property IS NOT NULL ORDER BY property";
    assert_eq!(world.rows(examples).await, ["color [red]", "phone NULL"]);
    set(&world, &[("pii_columns", "properties")]).await.unwrap();
    assert_eq!(world.rows(examples).await, ["color NULL", "phone NULL"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_one_workspace_is_seen_in_another() {
    let a = world().await;
    let b = a.beside("b_2-x").await;
    // Both get the same person numbers and, in part, the same identifiers.
    let bad = InputRow { reject_reason: Some("secret_reason"), raw: Some("secret_raw"), ..Default::default() };
    let mine =
        InputRow { properties: Some(r#"{"secret_key":1}"#), ..sale("secret_a", "2024-01-05T00:00:00Z", 1, "USD") };
    a.load("secret_hash", &[mine, sale("shared", "2024-01-05T00:00:00Z", 1, "USD"), bad]).await;
    b.load("other", &[sale("shared", "2023-01-05T00:00:00Z", 2, "USD")]).await;
    set(&a, &[("purchase_events", "secret_event")]).await.unwrap();
    let mut names = DayNames::default();
    names.names.insert(19_763, vec!["secret_day".into()]);
    let fx_rates = Some(rates("USD", &[("2024-01-06", "SECRET", RATE_ONE)]));
    change(&a, RuleChange { day_names: Some(names), fx_rates, ..Default::default() }).await.unwrap();
    a.rows("SELECT 'secret_statement'").await;

    // The same content is loaded in both: what was loaded is no business of another workspace either.
    assert!(!b.load("secret_hash", &[sale("shared", "2023-01-05T00:00:00Z", 2, "USD")]).await.skipped);
    assert_eq!(b.row("SELECT count(*), min(extract(year FROM ts)), max(revenue) FROM events").await, "2 2023 0.0002");
    assert_eq!(a.row("SELECT count(*), min(extract(year FROM ts)), max(revenue) FROM events").await, "2 2024 0.0001");
    // Every table of b, looked through for anything of a.
    let tables = b.rows("SELECT concat(table_schema, '.', table_name) FROM information_schema.tables").await;
    assert!(tables.len() > 15, "{tables:?}");
    for table in tables {
        for row in b.rows(&format!("SELECT * FROM {table}")).await {
            let statement = table == "system.queries";
            assert!(statement || !row.to_lowercase().contains("secret"), "{table}: {row}");
            assert!(!row.contains("secret_"), "{table}: {row}");
        }
    }
    assert_eq!(b.row("SELECT count(*) FROM system.dead_letters").await, "0");
    assert_eq!(b.row("SELECT count(*) FROM person_timeline('user_id', 'secret_a')").await, "0");
    let catalogs = b.rows("SELECT DISTINCT catalog_name FROM information_schema.schemata").await;
    assert_eq!(catalogs, ["b_2-x"]);
    let entries = b.engine.tables(&b.caller).await.unwrap();
    assert!(entries.iter().all(|entry| entry.catalog == "b_2-x"));
    assert!(b.engine.queries(&b.caller).iter().all(|query| !query.statement.contains("secret_statement")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_workspace_and_one_that_never_was_get_the_same_words() {
    let a = world().await;
    let b = a.beside("other").await;
    for table in ["main.events", "system.queries", "information_schema.tables", "main.nothing"] {
        let foreign = b.query(&format!("SELECT * FROM convoke.{table}")).await.unwrap_err();
        let missing = b.query(&format!("SELECT * FROM convoky.{table}")).await.unwrap_err();
        assert_eq!(foreign.kind(), Kind::NotFound, "{foreign}");
        assert_eq!(foreign.to_string().replace("convoke' here", "convoky' here"), missing.to_string());
    }
    // A similar name of another workspace's is not offered.
    let message = b.refusal("SELECT * FROM convok.main.events").await;
    assert!(!message.contains("'convoke'"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_workspace_is_gone_with_its_tokens_and_can_be_made_anew() {
    let world = world().await;
    let shop = world.beside("shop").await;
    let tokens = tokens(&world);
    let gone = tokens.create(name("shop"), Role::Admin, "a", None).await.unwrap();
    let stays = tokens.create(name("convoke"), Role::Admin, "a", None).await.unwrap();
    shop.load("a", &[sale("u1", "2024-01-05T00:00:00Z", 1, "USD")]).await;
    set(&shop, &[("base_currency", "EUR")]).await.unwrap();

    // This process writes to it, as a server does.
    let other = elsewhere(&world);
    let error = other.remove(&name("shop")).await.unwrap_err();
    assert!(error.kind() == Kind::Conflict && error.to_string().contains("stop it"), "{error}");
    let workspace = other.get(&name("shop")).await.unwrap();
    assert_eq!(workspace.writer().await.err().unwrap().kind(), Kind::Conflict);

    let folder = Arc::clone(&world.folder);
    drop((world, shop, workspace));
    let removed = other.remove(&name("shop")).await.unwrap();
    assert_eq!(removed.tokens, 1);
    assert!(removed.objects > 3, "{removed:?}");
    assert!(!folder.path().join("shop").exists(), "no empty folder either");
    assert_eq!(tokens.authenticate(&gone).await.unwrap_err().kind(), Kind::Unauthenticated);
    tokens.authenticate(&stays).await.unwrap();
    for outcome in [other.get(&name("shop")).await.map(drop), other.remove(&name("shop")).await.map(drop)] {
        assert_eq!(outcome.unwrap_err().to_string(), other.get(&name("shop")).await.err().unwrap().to_string());
    }
    let again = open(folder, Settings::defaults().unwrap(), "UTC").await;
    let anew = again.beside("shop").await;
    assert_eq!(anew.row("SELECT count(*) FROM events").await, "0");
    assert_eq!(anew.row("SELECT value FROM system.settings WHERE key = 'orders.base_currency'").await, "USD");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drop_that_broke_off_is_finished_by_a_second_one() {
    let world = world().await;
    let shop = world.beside("shop").await;
    shop.load("a", &[sale("u1", "2024-01-05T00:00:00Z", 1, "USD")]).await;
    let token = tokens(&world).create(name("shop"), Role::Admin, "a", None).await.unwrap();
    let folder = Arc::clone(&world.folder);
    drop((world, shop));
    // The manifest goes first, and the power went right after it.
    std::fs::remove_file(folder.path().join("shop/workspace.json")).unwrap();
    let world = open(folder, Settings::defaults().unwrap(), "UTC").await;
    assert_eq!(world.workspaces.get(&name("shop")).await.err().unwrap().kind(), Kind::NotFound);
    let entries = world.workspaces.list().await.unwrap();
    assert!(entries.iter().any(|entry| matches!(entry.state, WorkspaceState::PartlyDropped)), "{entries:?}");
    // Old events must not come back in a new workspace of the name.
    let error = world.workspaces.create(&name("shop"), &Manifest::new(chrono_tz::Tz::UTC)).await.err().unwrap();
    assert!(error.kind() == Kind::Conflict && error.to_string().contains("workspace drop shop"), "{error}");
    assert_eq!(world.workspaces.remove(&name("shop")).await.unwrap().tokens, 1);
    assert!(tokens(&world).authenticate(&token).await.is_err());
    assert_eq!(world.workspaces.list().await.unwrap().len(), 1);
    world.beside("shop").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_writes_each_workspace_that_it_opens_and_finds_new_ones() {
    let world = world().await;
    world.workspaces.serve("http://127.0.0.1:8815").await;
    // Made by another process after the start.
    let other = elsewhere(&world);
    other.create(&name("late"), &Manifest::new(chrono_tz::Tz::UTC)).await.unwrap();
    let late = world.beside("late").await;
    assert_eq!(late.row("SELECT count(*) FROM events").await, "0");
    let error = other.get(&name("late")).await.unwrap().writer().await.err().unwrap();
    assert_eq!(error.kind(), Kind::Conflict);
    // A command writes to one that the server has not opened: the server says to try again, and then opens it.
    other.create(&name("busy"), &Manifest::new(chrono_tz::Tz::UTC)).await.unwrap();
    let workspace = other.get(&name("busy")).await.unwrap();
    drop(workspace.writer().await.unwrap());
    assert_eq!(world.workspaces.get(&name("busy")).await.err().unwrap().kind(), Kind::Busy);
    drop((workspace, other));
    world.workspaces.get(&name("busy")).await.unwrap();
}

/// Two commands make the first load: the one that was slower has read its times in the zone of before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_in_a_zone_that_another_process_has_changed() {
    let world = world().await;
    let (first, second) = (elsewhere(&world), elsewhere(&world));
    let open = Manifest { zone_is_open: true, ..Manifest::new(chrono_tz::Tz::UTC) };
    let slower = first.create(&name("fresh"), &open).await.unwrap();
    second.settle_zone(&name("fresh"), chrono_tz::Tz::Europe__Berlin).await.unwrap();
    drop(second);
    let error = slower.writer().await.err().unwrap();
    assert!(error.kind() == Kind::Conflict && error.message().contains("time zone of workspace 'fresh' was chosen"));
    let zone = elsewhere(&world).get(&name("fresh")).await.unwrap().manifest().time_zone;
    assert_eq!(zone, chrono_tz::Tz::Europe__Berlin);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_format_is_refused_with_what_to_do() {
    let world = world().await;
    let path = world.folder.path().join("convoke/workspace.json");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"format\": 5"), "{text}");
    std::fs::write(&path, text.replacen("\"format\": 5", "\"format\": 4", 1)).unwrap();
    let others = elsewhere(&world);
    let error = others.get(&world.caller.workspace).await.err().unwrap();
    assert_eq!(error.kind(), Kind::Corrupt, "{error}");
    assert!(error.to_string().contains("format 4") && error.to_string().contains("anew"), "{error}");
    let [entry] = others.list().await.unwrap().try_into().unwrap();
    assert!(matches!(&entry.state, WorkspaceState::Unusable(why) if why.contains("format 4")), "{entry:?}");
}

/// A `--data` that is one level too high has data folders and documents below it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn folders_of_others_are_neither_shown_nor_removed_nor_filled() {
    let world = world().await;
    let above = world.folder.path().join("above");
    let inside = above.join("shop");
    std::fs::create_dir_all(above.join("letters/old")).unwrap();
    std::fs::write(above.join("letters/old/a.txt"), "Dear Ann").unwrap();
    let shop = Workspaces::new(Root::open(inside.to_str().unwrap()).unwrap());
    shop.create(&name("convoke"), &Manifest::new(chrono_tz::Tz::UTC)).await.unwrap();
    let wrong = Workspaces::new(Root::open(above.to_str().unwrap()).unwrap());
    assert!(wrong.list().await.unwrap().is_empty());
    for (folder, object) in [("letters", "old/a.txt"), ("shop", "convoke/workspace.json")] {
        let refused = wrong.remove(&name(folder)).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::InvalidInput, "a conflict is told as that of two writers");
        assert!(refused.message().contains(&format!("is no workspace: it has '{object}'")), "{refused}");
        let refused = wrong.create(&name(folder), &Manifest::new(chrono_tz::Tz::UTC)).await.err().unwrap();
        assert!(refused.message().contains("name it with --data"), "{refused}");
    }
    assert_eq!(std::fs::read_to_string(above.join("letters/old/a.txt")).unwrap(), "Dear Ann");
    assert_eq!(shop.list().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_format_is_refused_with_both_versions() {
    let world = world().await;
    world.beside("newer").await;
    let path = world.folder.path().join("newer/workspace.json");
    std::fs::write(&path, r#"{"format": 99, "time_zone": {"new": "shape"}}"#).unwrap();
    let again = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    let error = again.workspaces.get(&name("newer")).await.err().unwrap();
    assert!(error.to_string().contains("format 99") && error.to_string().contains("up to format 5"), "{error}");
    let entries = again.workspaces.list().await.unwrap();
    assert!(
        entries.iter().any(|entry| matches!(&entry.state, WorkspaceState::Unusable(why) if why.contains("format 99"))),
        "{entries:?}"
    );
    assert_eq!(again.row("SELECT 1").await, "1", "the other workspace is well");
}
