//! Rules of identity stitching by statement, and what they make of the events that come.

use convoke::auth::{Caller, Role};
use convoke::error::Kind;
use convoke::ids::WorkspaceName;
use convoke::ingest::input::InputRow;
use convoke::settings::Settings;

use crate::harness::{World, at, open, world, world_with};
use crate::program::{self, Process};

const RULES: &str = "id_types:
  - {name: user_id}
  - {name: card_no, class: person}
  - {name: email, normalize: email, filters: [{type: exclude, value: \"noreply@shop.cn\"}]}
  - {name: phone, normalize: {phone: CN}}
block_values: {exact: [\"it''s nobody\"], regex: [\"test-[0-9]+\"], min_length: 2}
";

async fn replace(world: &World, rules: &str) -> String {
    world.row(&format!("CREATE OR REPLACE IDENTITY RULES FROM '{rules}'")).await
}

fn visit<'a>(identifiers: &'a [(&'a str, &'a str)]) -> InputRow<'a> {
    InputRow { ts: at("2024-03-01T00:00:00Z"), event: Some("Visit"), identifiers, ..Default::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_numbered_by_the_rules_in_force() {
    let world = world().await;
    assert_eq!(replace(&world, RULES).await, "1");
    assert_eq!(replace(&world, RULES).await, "0", "they are in force already");
    let events = [
        visit(&[("email", "Ann@SHOP.cn"), ("phone", "138 0013 8000")]),
        visit(&[("email", "Ann@shop.cn"), ("card_no", "c1")]),
        visit(&[("phone", "+8613800138000"), ("card_no", "test-1")]),
        visit(&[("email", "noreply@shop.cn"), ("card_no", "c2")]),
        visit(&[("email", "noreply@shop.cn"), ("card_no", "c3")]),
        visit(&[("email", "no address")]),
        visit(&[("user_id", "It's Nobody")]),
        visit(&[("user_id", "x")]),
    ];
    world.load("a", &events).await;
    let identities = "SELECT id_type, id_value, person FROM identities ORDER BY person, id_type, id_value";
    let expected = ["card_no c1 0", "email Ann@shop.cn 0", "phone +8613800138000 0", "card_no c2 1", "card_no c3 2"];
    assert_eq!(world.rows(identities).await, expected);
    assert_eq!(world.row("SELECT count(*), count(person) FROM events").await, "8 5");
    // Whoever asks for a person may spell its identifier as the events do.
    for value in ["+8613800138000", "138-0013-8000"] {
        let timeline = format!("SELECT count(*) FROM person_timeline('phone', '{value}')");
        assert_eq!(world.row(&timeline).await, "3", "{value}");
    }
    // A restart reads the same rules.
    let shown = world.row("SHOW IDENTITY RULES").await;
    let again = open(world.folder.clone(), Settings::defaults().unwrap(), "UTC").await;
    assert_eq!(again.row("SHOW IDENTITY RULES").await, shown);
    assert_eq!(again.rows(identities).await, expected);
}

/// A person is born at the main identifier of an event, that of the type which stands first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_type_of_an_event_is_its_main_one() {
    let world = world().await;
    let both: [(&str, &str); 2] = [("email", "ann@shop.cn"), ("phone", "7")];
    for (rules, main) in [("id_types: [{name: phone}, {name: email}]", 1), ("", 0)] {
        let other = world.beside(&format!("main_{main}")).await;
        assert_eq!(replace(&other, rules).await, "1");
        other.load("a", &[visit(&both)]).await;
        let snapshot = other.workspaces.get(&other.caller.workspace).await.unwrap().snapshot();
        let (kind, value) = both[main];
        let node = snapshot.identity.node(snapshot.rules.types().id(kind).unwrap(), value);
        assert_eq!(snapshot.identity.nodes_of(0).next(), node, "{rules}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_that_cannot_hold_are_refused_and_change_nothing() {
    let world = world().await;
    replace(&world, "id_types: [{name: card_no, class: person}]").await;
    world.load("a", &[visit(&[("card_no", "c1"), ("email", "Ann@SHOP.cn")])]).await;
    let before = world.row("SHOW IDENTITY RULES").await;
    for (rules, kind, parts) in [
        (
            "id_types:\n- {name: emial}\n- {name: email, unqiue: true}",
            Kind::InvalidInput,
            vec!["line 2", "line 3", "unique"],
        ),
        ("id_types: [{name: email, unique: true}]", Kind::InvalidInput, vec!["not supported yet", "unique of email"]),
        ("conflict: {keep: latest}", Kind::InvalidInput, vec!["not supported yet", "latest"]),
        ("version: 1", Kind::Conflict, vec!["'card_no' has identifiers"]),
        (
            "id_types: [{name: card_no, class: person}, {name: email, normalize: email}]",
            Kind::Conflict,
            vec!["'email' has identifiers", "not supported yet"],
        ),
    ] {
        let error = world.query(&format!("CREATE OR REPLACE IDENTITY RULES FROM '{rules}'")).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{rules}: {error}");
        parts.iter().for_each(|part| assert!(error.to_string().contains(part), "{part}: {error}"));
    }
    assert_eq!(world.row("SHOW IDENTITY RULES").await, before);
    // A type without identifiers may have any spelling, and events go on as before.
    let rules = "id_types: [{name: card_no, class: person}, {name: phone, normalize: {phone: CN}}]";
    assert_eq!(replace(&world, rules).await, "1");
    world.load("b", &[visit(&[("card_no", "c1"), ("phone", "13800138000")])]).await;
    let persons = "SELECT count(DISTINCT person), count(*) FROM identities";
    assert_eq!(world.row(persons).await, "1 3");
}

/// What settings said is what the first rules say, and from then on the rules say it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_take_the_place_of_settings() {
    let flags = [("identity.blocked_values", "kiosk".to_owned())];
    let settings = Settings::load(None, std::iter::empty(), &flags).unwrap();
    let world = world_with(settings.clone(), "UTC").await;
    let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
    let pairs = [("identifier_types", "card_no:person:before email"), ("blocked_values", "Kasse")];
    let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let with = workspace.snapshot().rules.settings.with(&pairs, &settings).unwrap();
    let change = convoke::workspace::RuleChange { settings: Some(with), ..Default::default() };
    workspace.writer().await.unwrap().change_rules(change).await.unwrap();
    let shown = world.row("SHOW IDENTITY RULES").await;
    assert!(shown.contains("{name: card_no, class: person}") && shown.contains("exact: [\"Kasse\"]"), "{shown}");
    assert_eq!(replace(&world, &shown.replace('\'', "''")).await, "1");
    assert_eq!(world.row("SHOW IDENTITY RULES").await, shown);
    let nobodies = [visit(&[("card_no", "kasse")]), visit(&[("card_no", "KIOSK")]), visit(&[("card_no", "c1")])];
    world.load("a", &nobodies).await;
    assert_eq!(world.rows("SELECT id_value FROM identities").await, ["c1"]);
    let refused = workspace.snapshot().rules.settings.with(&pairs, &settings).unwrap_err().to_string();
    assert!(refused.contains("identifier_types") && refused.contains("convoke identity rules"), "{refused}");
    let listed = world.row("SELECT value FROM system.settings WHERE key = 'identity.blocked_values'").await;
    assert!(listed.contains("kiosk") && listed.contains("Kasse"), "{listed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_are_for_administrators() {
    let world = world().await;
    for role in [Role::Analyst, Role::Service, Role::Ingest] {
        let other = World { caller: Caller::new(WorkspaceName::default(), "ana", role), ..world_of(&world) };
        for sql in ["SHOW IDENTITY RULES", "CREATE OR REPLACE IDENTITY RULES FROM 'version: 1'"] {
            assert_eq!(other.query(sql).await.unwrap_err().kind(), Kind::Forbidden, "{role:?}: {sql}");
        }
    }
}

/// The same parts.
fn world_of(world: &World) -> World {
    World {
        folder: world.folder.clone(),
        workspaces: world.workspaces.clone(),
        engine: world.engine.clone(),
        loader: world.loader.clone(),
        caller: world.caller.clone(),
    }
}

/// The command over a folder and over a server that runs; what is stored is shown by both.
#[test]
fn the_command_shows_and_stores_rules() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    program::said(&data, &["workspace", "create", "convoke"]);
    let file = folder.path().join("identity.yml");
    let name = file.to_str().unwrap().to_owned();
    let shown = program::said(&data, &["identity", "rules"]);
    assert!(shown.contains("- {name: user_id, class: person}"), "{shown}");
    std::fs::write(&file, "# it's ours\nid_types: [{name: email, normalize: email}]\n").unwrap();
    let stored = program::said(&data, &["identity", "rules", &name]);
    assert!(stored.contains("in force for all events from now on"), "{stored}");
    assert!(program::said(&data, &["identity", "rules", &name]).contains("nothing is changed"));
    let shown = program::said(&data, &["identity", "rules"]);
    assert!(shown.contains("{name: email, class: person, normalize: email}"), "{shown}");

    let token = program::token(&data, None);
    let server = Process::start(&data);
    let remote = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_convoke"));
        command.args(["identity", "rules"]).args(arguments);
        let output = command.args(["--connect", server.address(), "--token", &token]).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.success(), said)
    };
    assert_eq!(remote(&[]), (true, shown.clone()));
    std::fs::write(&file, "version: 1\nid_types: [{name: email, normalise: email}]\n").unwrap();
    let (is_well, said) = remote(&[&name]);
    assert!(!is_well && said.contains("identity.yml") && said.contains("line 2: 'normalise'"), "{said}");
    assert_eq!(remote(&[]), (true, shown));
    std::fs::write(&file, "id_types: [{name: email, normalize: lower}]\n").unwrap();
    let (is_well, said) = remote(&[&name]);
    assert!(is_well && said.contains("in force"), "{said}");
    assert!(remote(&[]).1.contains("normalize: lower"));
}
