//! User tables: vacuum, clean-up of their logs, joining of small files, and what a check says of all that.

use convoke::jobs::{Check, Finding, Unneeded, Vacuum};
use convoke::query::SessionOptions;
use futures::TryStreamExt;

use super::*;
use crate::harness::{open, texts, world};

const ROWS: &str = "SELECT * FROM t ORDER BY 1";

/// Folders of user tables, in the order in which they were made.
fn tables(world: &World) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(world).join("tables")).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|path| !path.ends_with("_catalog")).collect();
    found.sort();
    found
}

fn parts(table: &Path) -> Vec<PathBuf> {
    files(table).into_iter().filter(|path| path.to_str().unwrap().contains("/part-")).collect()
}

fn log(table: &Path) -> Vec<String> {
    let found = files(&table.join("_delta_log"));
    found.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

fn age_all(table: &Path, days: u64) {
    files(table).iter().for_each(|path| age(path, days));
}

async fn vacuum(world: &World) -> Vec<Unneeded> {
    Vacuum::new(workspace(world).await, 7).unwrap().run().await.unwrap()
}

/// Paths below the workspace, as vacuum names them.
fn named(world: &World, paths: &[PathBuf]) -> Vec<String> {
    let base = folder(world);
    paths.iter().map(|path| path.strip_prefix(&base).unwrap().to_str().unwrap().to_owned()).collect()
}

fn paths_of(found: &[Unneeded]) -> Vec<String> {
    found.iter().map(|object| object.path.to_string()).collect()
}

async fn check(world: &World) -> Vec<Finding> {
    let mut found = Vec::new();
    Check::new(root(world), None).run(|finding| found.push(finding.clone())).await.unwrap();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_replaced_by_delete_go_after_the_retention_and_not_before() {
    let world = world().await;
    world.query("CREATE TABLE t AS SELECT value AS v FROM generate_series(1, 100)").await.unwrap();
    let table = tables(&world).remove(0);
    let old = parts(&table);
    world.query("DELETE FROM t WHERE v > 3").await.unwrap();
    old.iter().for_each(|path| age(path, 10));
    assert_eq!(vacuum(&world).await, Vec::new(), "the DELETE is young: the version before it can be read");
    age_all(&table, 8);
    let listed = Vacuum::new(workspace(&world).await, 7).unwrap().list().await.unwrap();
    assert_eq!(paths_of(&listed), named(&world, &old));
    assert!(old[0].exists(), "a list removes nothing");
    assert_eq!(vacuum(&world).await, listed);
    assert_eq!(world.rows(ROWS).await, ["1", "2", "3"]);
    assert_eq!(vacuum(&world).await, Vec::new());
    assert_eq!(check(&world).await, Vec::new());
    let again = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    assert_eq!(again.rows(ROWS).await, ["1", "2", "3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_began_before_a_drop_reads_on_after_a_vacuum() {
    let world = world().await;
    world.query("CREATE TABLE t AS SELECT value AS v FROM generate_series(1, 5)").await.unwrap();
    let session = SessionOptions::default();
    let prepared = world.engine.prepare(&world.caller, &session, ROWS, None).await.unwrap();
    let table = tables(&world).remove(0);
    // Written long ago, dropped now.
    age_all(&table, 30);
    world.query("DROP TABLE t").await.unwrap();
    assert_eq!(vacuum(&world).await, Vec::new());
    let execution = world.engine.execute(&world.caller, &session, &prepared, Vec::new()).await.unwrap();
    let rows: Vec<_> = execution.stream.try_collect().await.unwrap();
    assert_eq!(texts(&rows), ["1", "2", "3", "4", "5"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn folders_of_tables_dropped_long_ago_go_as_a_whole() {
    let world = world().await;
    world.query("CREATE TABLE t AS SELECT 1 AS v").await.unwrap();
    world.query("CREATE TABLE u AS SELECT 2 AS v").await.unwrap();
    world.query("CREATE OR REPLACE TABLE u AS SELECT 3 AS v").await.unwrap();
    world.query("DROP TABLE t").await.unwrap();
    let [dropped, replaced, live] = <[PathBuf; 3]>::try_from(tables(&world)).unwrap();
    let notes: Vec<Finding> = check(&world).await;
    assert_eq!(notes.len(), 2);
    assert!(notes.iter().all(|found| found.note && found.what.contains("dropped")), "{notes:?}");
    // One is half removed, as a process that was killed meanwhile leaves it.
    fs::remove_file(dropped.join("_delta_log/00000000000000000000.json")).unwrap();
    assert!(check(&world).await.iter().all(|found| found.note));
    [&dropped, &replaced, &live].iter().for_each(|table| age_all(table, 8));
    age(&replaced.join("_dropped"), 6);
    let expected = named(&world, &files(&dropped));
    assert_eq!(paths_of(&vacuum(&world).await), expected, "the other was dropped within the retention");
    assert!(!dropped.exists(), "no empty folder stays");
    age_all(&replaced, 8);
    assert_eq!(vacuum(&world).await.len(), 3, "rows, log and the note of the drop");
    assert_eq!(tables(&world), [live]);
    assert_eq!(world.rows("SELECT * FROM u").await, ["3"]);
    assert_eq!(check(&world).await, Vec::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_no_commit_names_go_and_other_objects_stay() {
    let world = world().await;
    world.query("CREATE TABLE t AS SELECT 1 AS v").await.unwrap();
    let table = tables(&world).remove(0);
    let orphan = table.join("part-01890a5d-ac96-774b-bcce-b302099a8057.parquet");
    let (stranger, nameless) = (table.join("notes.txt"), folder(&world).join("tables/mine/part.parquet"));
    fs::create_dir_all(nameless.parent().unwrap()).unwrap();
    // Files whose CREATE TABLE was killed before the table had a name.
    let unnamed = folder(&world).join("tables/01890a5d-ac96-774b-bcce-b302099a8057/part-1.parquet");
    fs::create_dir_all(unnamed.parent().unwrap()).unwrap();
    [&orphan, &stranger, &nameless, &unnamed].iter().for_each(|path| fs::write(path, "x").unwrap());
    assert_eq!(
        check(&world).await,
        Vec::new(),
        "they may be of a statement under way: this process holds the workspace"
    );
    [&orphan, &unnamed].iter().for_each(|path| age(path, 1));
    let found = check(&world).await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|finding| finding.note && finding.help.contains("convoke vacuum")));
    assert_eq!(vacuum(&world).await, Vec::new());
    files(&folder(&world).join("tables")).iter().for_each(|path| age(path, 9));
    let mut expected = named(&world, &[orphan, unnamed]);
    expected.sort();
    assert_eq!(paths_of(&vacuum(&world).await), expected);
    assert!(stranger.exists() && nameless.exists());
    assert_eq!(world.rows(ROWS).await, ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_are_checkpointed_and_cleaned_up() {
    let world = world().await;
    insert_each(&world, &Vec::from_iter(0..70)).await;
    let table = tables(&world).remove(0);
    for version in [32, 64] {
        assert!(log(&table).contains(&format!("{version:020}.checkpoint.parquet")), "{:?}", log(&table));
    }
    let before = log(&table);
    vacuum(&world).await;
    assert_eq!(log(&table), before, "versions within the retention keep their entries");
    age_all(&table, 10);
    assert_eq!(vacuum(&world).await, Vec::new(), "every file is live");
    let entries: Vec<String> = log(&table).into_iter().filter(|name| name.ends_with(".json")).collect();
    assert_eq!(entries, [format!("{:020}.json", 70)]);
    // Another process reads it, this one goes on, and a check reads the files all the same.
    let again = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    assert_eq!(again.row("SELECT count(*), sum(v) FROM t").await, "70 2415");
    world.query("INSERT INTO t VALUES (70)").await.unwrap();
    assert_eq!(world.row("SELECT count(*), sum(v) FROM t").await, "71 2485");
    assert_eq!(check(&world).await, Vec::new());
    fs::remove_file(&parts(&table)[0]).unwrap();
    let [fault] = <[Finding; 1]>::try_from(check(&world).await).unwrap();
    assert_eq!((fault.what.as_str(), fault.note), ("is missing", false));
}

async fn join(world: &World, need: Need) -> CompactionSummary {
    let settings = Settings::defaults().unwrap();
    Compactor::new(workspace(world).await, &settings.upkeep).run(need).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_files_are_joined_in_their_order() {
    let world = world().await;
    insert_each(&world, &Vec::from_iter(0..20)).await;
    world.query("DELETE FROM t WHERE v = 7").await.unwrap();
    let table = tables(&world).remove(0);
    let before = world.rows(ROWS).await;
    let session = SessionOptions::default();
    let prepared = world.engine.prepare(&world.caller, &session, ROWS, None).await.unwrap();
    let joined = join(&world, Need::Worthwhile).await;
    assert_eq!((joined.tables, joined.rows, joined.files_before, joined.files_after), (1, 19, 19, 1));
    assert_eq!(world.rows(ROWS).await, before);
    assert_eq!(join(&world, Need::All).await.tables, 0);
    // The older version can still be read.
    let execution = world.engine.execute(&world.caller, &session, &prepared, Vec::new()).await.unwrap();
    let rows: Vec<_> = execution.stream.try_collect().await.unwrap();
    assert_eq!(texts(&rows), before);
    age_all(&table, 8);
    assert_eq!(vacuum(&world).await.len(), 20, "19 that were joined, one that the DELETE replaced");
    assert_eq!(parts(&table).len(), 1);
    assert_eq!(world.rows(ROWS).await, before);
    world.query("INSERT INTO t VALUES (100)").await.unwrap();
    assert_eq!(join(&world, Need::Worthwhile).await.tables, 0, "two are few");
    assert_eq!(join(&world, Need::All).await.files_before, 2);
    assert_eq!(world.row("SELECT count(*), max(v) FROM t").await, "20 100");
    assert_eq!(check(&world).await.iter().filter(|found| !found.note).count(), 0);
}

/// The same that is said of a file of events.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_cut_short_changed_or_gone_is_named() {
    let world = world().await;
    insert_each(&world, &[1, 2]).await;
    world.query("DELETE FROM t WHERE v = 2").await.unwrap();
    // One live, one that an older version has.
    for path in parts(&tables(&world).remove(0)) {
        let name = path.strip_prefix(world.folder.path()).unwrap().to_str().unwrap();
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 0x55;
        for bytes in [&whole[..whole.len() - 20], &flipped[..]] {
            fs::write(&path, bytes).unwrap();
            let found = check(&world).await;
            assert!(!found.is_empty() && found.iter().all(|fault| fault.path == name && !fault.note), "{found:?}");
            assert!(found.iter().any(|fault| fault.what.contains("its hash differs")), "{found:?}");
        }
        fs::write(&path, &whole).unwrap();
    }
    assert_eq!(check(&world).await, Vec::new());
    let live = workspace(&world).await.snapshot().tables.tables["t"].live.files[0].path.clone();
    fs::remove_file(tables(&world).remove(0).join(live)).unwrap();
    let [fault] = <[Finding; 1]>::try_from(check(&world).await).unwrap();
    assert_eq!((fault.what.as_str(), fault.note), ("is missing", false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_names_the_damaged_file() {
    let world = world().await;
    world.query("CREATE TABLE t AS SELECT value * 7919 % 10007 AS v FROM generate_series(1, 20000)").await.unwrap();
    let path = parts(&tables(&world).remove(0)).remove(0);
    let [name] = <[String; 1]>::try_from(named(&world, std::slice::from_ref(&path))).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let pages = 4..bytes.len() / 3;
    bytes[pages].fill(0xAA);
    fs::write(&path, bytes).unwrap();
    // As a new process: nothing is remembered.
    let again = open(Arc::clone(&world.folder), Settings::defaults().unwrap(), "UTC").await;
    let error = again.query("SELECT sum(v) FROM t").await.unwrap_err();
    assert_eq!(error.kind(), convoke::error::Kind::Corrupt, "{error}");
    let message = error.to_string();
    assert!(message.contains(&name) && message.contains("convoke check"), "{message}");
}
