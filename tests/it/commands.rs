//! The program as it is typed: what it says where something is not as it was meant, and what to do then.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::harness::world;

fn convoke(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_convoke"));
    command.args(arguments).current_dir(folder).env_remove("CONVOKE_TOKEN");
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    convoke(folder, arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What a command says that must fail.
fn complaint(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(!output.status.success(), "{arguments:?}: {}", said(&output));
    said(&output)
}

/// An export of a day without orders is no fault; that of the next day comes under the same name.
#[test]
fn a_file_without_rows_says_so_and_hides_no_later_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.csv");
    let header = "ts,event,user_id\n";
    for _ in 0..2 {
        std::fs::write(&file, header).unwrap();
        let output = run(folder.path(), &["ingest", "orders.csv"]);
        assert!(output.status.success(), "{}", said(&output));
        assert!(said(&output).contains("orders.csv: NO ROWS: nothing was loaded"), "{}", said(&output));
    }
    std::fs::write(&file, format!("{header}2024-01-01,Order Completed,u1\n")).unwrap();
    assert!(said(&run(folder.path(), &["ingest", "orders.csv"])).contains("1 rows read, 1 kept"));
    std::fs::write(&file, "").unwrap();
    assert!(complaint(folder.path(), &["ingest", "orders.csv"]).contains("is empty"));
}

#[test]
fn a_file_that_cannot_be_read_is_named_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.csv"), "ts,event\n2024-01-01,\"open\n").unwrap();
    std::fs::write(folder.path().join("b.csv"), "ts;event\n2024-01-01;x\n").unwrap();
    for (file, part) in [("a.csv", "a.csv: row 1: a quote"), ("b.csv", "add --delimiter ';'")] {
        let told = complaint(folder.path(), &["ingest", file]);
        assert!(told.contains(part) && told.matches(file).count() == 1, "{told}");
    }
    let output = run(folder.path(), &["ingest", "b.csv", "--delimiter", ";"]);
    assert!(output.status.success(), "what is advised does: {}", said(&output));
}

#[test]
fn options_that_were_meant_otherwise_are_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.csv"), "ts,event,card\n01/02/2024,x,7\n").unwrap();
    let told = complaint(folder.path(), &["ingest", "a.csv", "--map", "id.foo=card"]);
    assert!(told.contains("--map id.foo: 'foo' is not an identifier type; the types are user_id, member_no"), "{told}");
    let told = complaint(folder.path(), &["ingest", "a.csv"]);
    let both = "add --ts-format '%d/%m/%Y' where the day comes first, --ts-format '%m/%d/%Y' where the month does";
    assert!(told.contains(both), "{told}");
    let output = run(folder.path(), &["ingest", "a.csv", "--ts-format", "%m/%d/%Y"]);
    assert!(output.status.success(), "{}", said(&output));
    let told = complaint(folder.path(), &["sql", "SELECT 1", "--connect", "127.0.0.1:1", "--token", "x"]);
    assert!(told.contains("write http://127.0.0.1:1, or https://127.0.0.1:1"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upkeep_beside_a_server_says_what_works() {
    let world = world().await;
    let workspace = world.workspaces.get(&world.caller.workspace).await.unwrap();
    let _held = workspace.writer().await.unwrap();
    let data = world.folder.path().to_str().unwrap();
    for command in ["compact", "vacuum"] {
        let told = complaint(world.folder.path(), &[command, "--data", data]);
        assert!(told.contains("upkeep.minutes") && !told.contains("--connect"), "{told}");
    }
}

#[test]
fn a_server_that_makes_its_folder_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let first_line = || {
        let mut command = convoke(folder.path(), &["serve", "--data", "nosuch", "--listen", "127.0.0.1:0"]);
        let mut server = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stderr.take().unwrap()).read_line(&mut line).unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
        line
    };
    assert!(first_line().contains("there was no data folder 'nosuch': it is made"));
    assert!(first_line().contains("no token was made yet"), "the second time it is there");
}

#[test]
fn settings_are_shown_one_a_line() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path(), &["workspace", "create", "shop", "--data", "d"]).status.success());
    let output = run(folder.path(), &["workspace", "set", "shop", "--data", "d", "base_currency=EUR"]);
    assert!(said(&output).contains("\n  orders.base_currency = EUR\n"), "{}", said(&output));
    assert!(said(&output).lines().all(|line| line.len() < 120), "{}", said(&output));
}

#[test]
fn a_demo_that_ends_leaves_no_token_and_no_address() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["demo", "--persons", "100", "--exit", "--listen", "127.0.0.1:0"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(!said(&output).contains("jdbc:") && !said(&output).contains("cvk_"), "{}", said(&output));
    assert!(said(&output).contains("without --exit it goes on"), "{}", said(&output));
    let tokens = run(folder.path(), &["token", "list", "--data", "convoke-demo", "--format", "csv"]);
    assert!(tokens.status.success() && !said(&tokens).contains("demo"), "{}", said(&tokens));

    // So small a shop has nobody with all that the example of the last question is chosen for.
    let told = said(&output);
    let (_, timeline) = told.split_once("FROM person_timeline('user_id', 'u0").unwrap();
    let lines = timeline.lines().filter(|line| line.starts_with('│')).count();
    assert_eq!(lines, 1 + 12, "the names of the columns and LIMIT 12: {told}");
}

#[test]
fn several_statements_in_the_argument_are_told_where_to_go() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.csv"), "ts,event,user_id\n2024-01-01,x,u1\n").unwrap();
    assert!(run(folder.path(), &["ingest", "a.csv"]).status.success());
    let told = complaint(folder.path(), &["sql", "SELECT 1 AS one; SELECT 2 AS two"]);
    assert!(told.contains("holds 2 statements") && told.contains("convoke sql -f FILE"), "{told}");
    std::fs::write(folder.path().join("two.sql"), "SELECT 1 AS one; SELECT 2 AS two").unwrap();
    let output = run(folder.path(), &["sql", "-f", "two.sql"]);
    assert!(output.status.success() && said(&output).contains("two"), "what is advised does: {}", said(&output));
    let output = run(folder.path(), &["sql", "SELECT 1 AS one; -- and a comment"]);
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn one_rate_and_one_day_are_said_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.csv"), "ts,event,user_id\n2024-01-01,x,u1\n").unwrap();
    std::fs::write(folder.path().join("rates.csv"), "day,currency,rate\n2024-01-01,EUR,1.1\n").unwrap();
    std::fs::write(folder.path().join("days.csv"), "day,name\n2024-01-01,New Year\n").unwrap();
    assert!(run(folder.path(), &["ingest", "a.csv"]).status.success());
    let told = said(&run(folder.path(), &["import", "fx_rates", "rates.csv"]));
    assert!(told.contains(": 1 rate in ") && told.contains("imported, 1 in all"), "{told}");
    let told = said(&run(folder.path(), &["import", "dates", "days.csv"]));
    assert!(told.contains("names of 1 day imported, 1 day has names"), "{told}");
}
