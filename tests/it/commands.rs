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

const GOOD: &str = "ts,event,user_id,order_id,revenue\n2024-03-02 00:15:00,Order Completed,u1,a,50\n";
const ZONE: &str = "SELECT value FROM system.settings WHERE key = 'workspace.time_zone'";

fn answer(folder: &Path, data: &str, sql: &str) -> String {
    let output = run(folder, &["sql", sql, "--data", data, "--format", "csv"]);
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().skip(1).collect::<Vec<_>>().join("\n")
}

fn ingest_well(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, &[&["ingest"][..], arguments].concat());
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

/// 00:15 in Berlin on 2 March is 23:15 in UTC on 1 March.
#[test]
fn an_attempt_of_which_nothing_is_kept_leaves_the_zone_open() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("de.csv", &GOOD.replace(',', ";"));
    write("rejected.csv", "ts,event,user_id\nnever,Order Completed,u1\n");
    write("good.csv", GOOD);
    let berlin = ["--time-zone", "Europe/Berlin"];
    for (data, failing) in [("z1", "de.csv"), ("z2", "rejected.csv")] {
        complaint(folder.path(), &["ingest", failing, "--data", data]);
        complaint(folder.path(), &["ingest", failing, "--data", data, "--time-zone", "Asia/Tokyo"]);
        let told =
            ingest_well(folder.path(), &[&["de.csv", "--data", data, "--delimiter", ";"][..], &berlin[..]].concat());
        assert!(!told.contains("days are counted"), "{told}");
        assert_eq!(answer(folder.path(), data, ZONE), "Europe/Berlin");
        assert_eq!(answer(folder.path(), data, "SELECT day FROM orders"), "2024-03-02");
    }
    // The zone of an attempt that failed decides nothing either, nor does a command that needed a workspace.
    complaint(folder.path(), &[&["ingest", "rejected.csv", "--data", "z3"][..], &berlin[..]].concat());
    ingest_well(folder.path(), &["good.csv", "--data", "z3"]);
    assert_eq!(answer(folder.path(), "z3", ZONE), "UTC");
    assert!(run(folder.path(), &["token", "create", "--data", "z4", "--role", "analyst"]).status.success());
    ingest_well(folder.path(), &[&["good.csv", "--data", "z4"][..], &berlin[..]].concat());
    assert_eq!(answer(folder.path(), "z4", "SELECT day FROM orders"), "2024-03-02");
}

#[test]
fn a_zone_that_is_not_the_workspace_s_is_told_and_changes_no_day() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good.csv"), GOOD).unwrap();
    std::fs::write(folder.path().join("more.csv"), GOOD.replace(",a,", ",b,")).unwrap();
    // One was chosen when it was made, the other by the first rows.
    assert!(run(folder.path(), &["workspace", "create", "convoke", "--data", "made"]).status.success());
    ingest_well(folder.path(), &["good.csv", "--data", "loaded"]);
    for data in ["made", "loaded"] {
        let told = ingest_well(folder.path(), &["more.csv", "--data", data, "--time-zone", "Europe/Berlin"]);
        for part in [
            "--time-zone Europe/Berlin is how times without a zone are read",
            "days are counted in the workspace's zone, UTC",
            "convoke workspace create NAME --time-zone Europe/Berlin",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert_eq!(answer(folder.path(), data, ZONE), "UTC");
        assert_eq!(answer(folder.path(), data, "SELECT day FROM orders WHERE order_id = 'b'"), "2024-03-01");
    }
}

/// 4 rows, 1 of them rejected, corrected as its reason says, and loaded whole: 3 rows are there twice.
#[test]
fn a_corrected_file_that_is_loaded_whole_is_told_before_all_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.csv");
    let header = "ts,event,user_id,order_id,revenue\n";
    let good =
        ["a,10", "b,20", "c,30"].map(|order| format!("2024-03-02 10:00:00,Order Completed,u1,{order}\n")).concat();
    std::fs::write(&file, format!("{header}{good}2024-03-02 10:00:00,Order Completed,u1,d,fourty\n")).unwrap();
    let told = ingest_well(folder.path(), &["orders.csv", "--data", "d"]);
    assert!(told.contains("3 kept, 1 rejected"), "{told}");
    assert!(told.contains("load the corrected rows alone, in a file of their own"), "{told}");
    std::fs::write(&file, format!("{header}{good}2024-03-02 10:00:00,Order Completed,u1,d,40\n")).unwrap();
    let told = ingest_well(folder.path(), &["orders.csv", "--data", "d"]);
    let first = "\n  note: 3 of 4 purchase and refund rows of this load are there already, word for word";
    assert!(told.contains("4 kept, 0 rejected") && told.contains(first), "{told}");
    assert_eq!(answer(folder.path(), "d", "SELECT sum(net) FROM orders"), "160.0000", "60 + 100");
}

/// 1.250 is 1250 beside 49,90: kept as 1.25 it would be wrong in silence, so that the file is refused as a whole.
#[test]
fn a_file_with_both_decimal_marks_loads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.csv");
    let with = |first: &str, second: &str| {
        let row = |number: &str, amount: &str| format!("2024-03-02;Order Completed;u1;{number};{amount}\n");
        format!("ts;event;user_id;order_id;revenue\n{}{}", row("a", first), row("b", second))
    };
    std::fs::write(&file, with("1.250", "49,90")).unwrap();
    let told = complaint(folder.path(), &["ingest", "orders.csv", "--data", "d", "--delimiter", ";"]);
    for part in ["orders.csv: column 'revenue' has '49,90'", "'1.250'", "nothing of the file is loaded"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    std::fs::write(&file, with("1250", "49.90")).unwrap();
    ingest_well(folder.path(), &["orders.csv", "--data", "d", "--delimiter", ";"]);
    assert_eq!(answer(folder.path(), "d", "SELECT sum(net) FROM orders"), "1299.9000");
}

/// The help names what is blocked, by the list that blocks it.
#[test]
fn the_help_of_settings_lists_all_blocked_values() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["create", "set"] {
        let help = run(folder.path(), &["workspace", command, "--help"]);
        // As one line: how it is wrapped does not matter.
        let help = String::from_utf8(help.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        for value in convoke::identity::BlockedValues::built_in() {
            assert!(help.contains(&format!(" {value},")), "{value}: {help}");
        }
    }
}

/// Text follows the width of the terminal, and a command can be copied from any.
#[test]
fn help_fills_its_lines_and_breaks_no_command() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["ingest", "checkpoint", "compact", "vacuum"] {
        let at = |width: usize| {
            let output = convoke(folder.path(), &[command, "--help"]).env("COLUMNS", width.to_string()).output();
            String::from_utf8(output.unwrap().stdout).unwrap()
        };
        let examples = |help: &str| {
            let lines = help.lines().filter(|line| line.starts_with("  convoke "));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(examples(&at(80)), examples(&at(100)), "{command}");
        let help = at(80);
        let text = help.split("\nExample").nth(1).unwrap().split("\n\n").skip(1);
        for lines in text.map(|paragraph| paragraph.lines().collect::<Vec<_>>()) {
            for pair in lines.windows(2) {
                let next = pair[1].split(' ').next().unwrap();
                let filled = pair[0].chars().count() + 1 + next.chars().count();
                assert!(filled > 80 && pair[0].chars().count() <= 80, "{command}: {pair:?}");
            }
        }
    }
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

/// A sender that repeats its export under another name has lost nothing.
#[test]
fn a_file_whose_rows_are_all_stored_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("a.csv", "ts,event,message_id\n2024-01-01,x,m1\n2024-01-02,x,m2\n");
    write("b.csv", "ts,event,message_id\n2024-01-02,x,m2\n2024-01-01,x,m1\n");
    write("c.csv", "ts,event,message_id\n2024-01-02,x,m2\nnever,x,m3\n");
    write("d.csv", "when\n2024-01-02\n");
    assert!(!ingest_well(folder.path(), &["a.csv"]).contains("stored before"));
    let told = ingest_well(folder.path(), &["b.csv"]);
    assert!(told.contains("0 kept, 2 duplicate") && told.contains("all rows were stored before"), "{told}");
    let told = ingest_well(folder.path(), &["c.csv"]);
    assert!(told.contains("1 duplicate, 1 rejected") && !told.contains("stored before"), "{told}");
    let told = complaint(folder.path(), &["ingest", "a.csv", "d.csv", "nosuch.csv"]);
    assert!(told.contains("2 files: nothing was loaded: 1 loaded before, 1 refused or unreadable\n"), "{told}");
    assert_eq!(answer(folder.path(), "convoke-data", "SELECT count(*) FROM events"), "2");
    write("e.csv", "ts,event\n2024-01-01,y\n");
    ingest_well(folder.path(), &["e.csv"]);
    let again = ingest_well(folder.path(), &["a.csv", "e.csv"]);
    assert!(again.ends_with("2 files: nothing was loaded: all of them loaded before\n"), "{again}");
}

/// One that was loaded before is there, whatever the others are.
#[test]
fn of_files_that_bring_no_row_each_kind_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("good.csv", GOOD);
    ["empty.csv", "empty_too.csv"].iter().for_each(|name| write(name, "ts,event,user_id\n"));
    ingest_well(folder.path(), &["good.csv"]);
    let told = ingest_well(folder.path(), &["good.csv", "empty.csv"]);
    assert!(told.contains("good.csv: skipped") && told.contains("empty.csv: NO ROWS"), "{told}");
    assert!(told.ends_with("2 files: nothing was loaded: 1 loaded before, 1 without rows\n"), "{told}");
    let told = ingest_well(folder.path(), &["empty.csv", "empty_too.csv"]);
    assert!(told.ends_with("2 files: nothing was loaded: all of them without rows\n"), "{told}");
    write("new.csv", "ts,event,user_id\n2024-03-03,seen,u2\n");
    let told = ingest_well(folder.path(), &["good.csv", "empty.csv", "new.csv"]);
    assert!(told.contains("\n3 files: 1 rows read, 1 kept"), "{told}");
}

/// Their bytes are there, but not as these options read them.
#[test]
fn refused_files_do_not_count_as_loaded_before() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("good.csv", GOOD);
    write("more.csv", &GOOD.replace(",u1,a,", ",u2,b,"));
    ingest_well(folder.path(), &["good.csv", "more.csv"]);
    let told = complaint(folder.path(), &["ingest", "good.csv", "more.csv", "--source", "shop"]);
    assert!(told.contains("2 files: nothing was loaded: all of them refused or unreadable\n"), "{told}");
    write("third.csv", &GOOD.replace(",u1,a,", ",u3,c,"));
    ingest_well(folder.path(), &["third.csv", "--source", "shop"]);
    let told = complaint(folder.path(), &["ingest", "good.csv", "third.csv", "--source", "shop"]);
    assert!(told.contains("2 files: nothing was loaded: 1 loaded before, 1 refused or unreadable\n"), "{told}");
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
        assert!(told.contains("writes to workspace") && told.contains("upkeep.minutes"), "{told}");
        assert!(!told.contains("--connect"), "{told}");
    }
    // What only looks needs no turn.
    let listed = run(world.folder.path(), &["vacuum", "--dry-run", "--data", data]);
    assert!(listed.status.success() && said(&listed).contains("would be removed"), "{}", said(&listed));
    // The same beginning whatever is refused.
    for command in [
        &["workspace", "set", "convoke", "base_currency=EUR"][..],
        &["workspace", "drop", "convoke", "--yes"],
        &["checkpoint"],
    ] {
        let told = complaint(world.folder.path(), &[command, &["--data", data]].concat());
        assert!(told.contains("error: another process writes to workspace 'convoke' under "), "{told}");
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
fn a_token_says_what_it_made_and_whose_name_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let create = ["token", "create", "--data", "typo", "--role", "ingest", "--name", "web"];
    let told = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let first = run(folder.path(), &create);
    assert!(told(&first).contains("there was no data folder 'typo': it is made"), "{}", said(&first));
    assert_eq!(String::from_utf8_lossy(&first.stdout).lines().count(), 1, "the token alone");
    let second = run(folder.path(), &create);
    assert!(second.status.success() && !told(&second).contains("no data folder"), "{}", said(&second));
    assert!(told(&second).contains("another token named 'web'"), "{}", said(&second));
    let output = run(folder.path(), &[&create[..6], &["--expires", "0"]].concat());
    assert!(!output.status.success() && told(&output).contains("--expires"), "{}", said(&output));
}

#[test]
fn a_variable_that_is_nearly_a_setting_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = convoke(folder.path(), &["sql", "SELECT 1"]);
    let output = command.env("CONVOKE_QUERY_MEMORYY", "1MiB").env("CONVOKE_BIN", "x").output().unwrap();
    let told = said(&output);
    assert!(told.contains("CONVOKE_QUERY_MEMORYY is no setting"), "{told}");
    assert!(told.contains("did you mean CONVOKE_QUERY_MEMORY") && !told.contains("CONVOKE_BIN"), "{told}");
}

/// What --again would do is said where it is named, and what is told in its place does what was meant.
#[test]
fn a_refused_file_is_told_that_its_rows_would_count_twice() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good.csv"), GOOD).unwrap();
    ingest_well(folder.path(), &["good.csv", "--data", "d"]);
    let named = ["good.csv", "--source", "shop"];
    let told = complaint(folder.path(), &[&["ingest", "--data", "d"][..], &named[..]].concat());
    for part in ["--again would load its rows beside", "count twice", "another --data folder", "workspace drop"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let told = ingest_well(folder.path(), &["good.csv", "--data", "d"]);
    assert!(told.contains("skipped") && told.contains("rows without a message id count twice then"), "{told}");
    assert!(run(folder.path(), &["workspace", "drop", "convoke", "--data", "d", "--yes"]).status.success());
    ingest_well(folder.path(), &[&["--data", "d"][..], &named[..]].concat());
    assert_eq!(answer(folder.path(), "d", "SELECT count(*), sum(net) FROM orders"), "1,50.0000");
}

#[test]
fn a_key_of_orders_that_events_lack_is_told_when_it_is_set() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good.csv"), GOOD).unwrap();
    std::fs::write(folder.path().join("more.csv"), GOOD.replace(",u1,", ",u2,")).unwrap();
    let set = |setting: &str| {
        let output = run(folder.path(), &["workspace", "set", "convoke", "--data", "d", setting]);
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    ingest_well(folder.path(), &["good.csv", "--data", "d"]);
    let told = set("order_key=source");
    assert!(told.contains("none of the 1 purchase events that are loaded has a source"), "{told}");
    assert!(told.contains("by --source, by a column source"), "{told}");
    ingest_well(folder.path(), &["more.csv", "--data", "d", "--source", "web"]);
    assert_eq!(answer(folder.path(), "d", "SELECT count(*) FROM orders"), "2", "the number within its source");
    let told = set("orders.order_key=source");
    assert!(told.contains("1 of the 2 purchase events that are loaded have no source"), "{told}");
    let told = set("order_key=brand");
    assert!(told.contains("none of the 2 purchase events that are loaded has a brand"), "{told}");
    assert!(told.contains("by a column brand (--map brand=COLUMN)"), "{told}");
    // Nothing to tell of another setting, of the usual key, and of events that are no purchases.
    for setting in ["base_currency=EUR", "order_key=order_id", "order_key="] {
        assert!(!set(setting).contains("purchase events"), "{setting}");
    }
    set("purchase_events=Sold");
    assert!(!set("order_key=brand").contains("purchase events"));
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
