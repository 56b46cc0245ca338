//! Compaction of user tables: small files become few, rows keep their order, and what statements do meanwhile stays.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use convoke::jobs::{Compactor, Need};
use convoke::settings::Settings;
use object_store::memory::InMemory;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tokio::sync::oneshot::Sender;
use tokio::task::JoinHandle;

use super::*;
use crate::harness::{over, world};
use crate::observed_store::ObservedStore;

/// Column `v` of the rows of table `t`, file by file in the order of the table.
async fn stored_order(world: &World) -> Vec<i64> {
    let table = Arc::clone(&workspace(world).await.snapshot().tables.tables["t"]);
    let folder = folder(world).join("tables").join(table.folder.to_string());
    let mut values = Vec::new();
    for file in table.live.files.iter() {
        let file = File::open(folder.join(&file.path)).unwrap();
        for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
            values.extend_from_slice(batch.unwrap()["v"].as_primitive::<Int64Type>().values());
        }
    }
    values
}

async fn live_files(world: &World) -> Vec<u64> {
    workspace(world).await.snapshot().tables.tables["t"].live.files.iter().map(|file| file.rows).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rows_of_many_inserts_come_into_one_file_in_their_order() {
    let world = world().await;
    // 7 and 100 have no common divisor: each number below 100 once.
    let mut expected: Vec<i64> = (0..100).map(|number| number * 7 % 100).collect();
    insert_each(&world, &expected).await;
    assert_eq!((stored_order(&world).await, live_files(&world).await.len()), (expected.clone(), 100));
    let done = compact(&world).await;
    assert_eq!((done.months, done.tables, done.rows), (0, 1, 100));
    assert_eq!((done.files_before, done.files_after), (100, 1));
    assert!(done.bytes_after < done.bytes_before, "{done:?}");
    assert_eq!(stored_order(&world).await, expected);
    // Of one file the engine gives the rows as they stand in it.
    let texts: Vec<String> = expected.iter().map(i64::to_string).collect();
    assert_eq!(world.rows("SELECT v FROM t").await, texts);
    assert_eq!(compact(&world).await.tables, 0, "one file is left alone");
    for more in [300, 200] {
        world.query(&format!("INSERT INTO t VALUES ({more})")).await.unwrap();
        expected.push(more);
    }
    assert_eq!(compact(&world).await.files_before, 3);
    assert_eq!(stored_order(&world).await, expected);
    assert_eq!(reopened(&world).await.snapshot().tables.tables["t"].live.files.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_beyond_a_full_file_follow_in_the_next_one() {
    let world = world().await;
    world.query("CREATE TABLE t (v BIGINT, w BIGINT)").await.unwrap();
    let mut expected: Vec<i64> = Vec::new();
    for block in (0..40_i64).rev() {
        let (first, last) = (block * 1_000, block * 1_000 + 999);
        let rows = format!("SELECT value, value * 7919 % 1000003 FROM generate_series({first}, {last}) ORDER BY value");
        world.query(&format!("INSERT INTO t {rows}")).await.unwrap();
        expected.extend(first..=last);
    }
    assert_eq!(stored_order(&world).await, expected);
    let sums = "SELECT count(*), sum(v), sum(w) FROM t";
    let before = world.row(sums).await;
    let size = [("upkeep.file_size", "120000".to_owned())];
    let done = compact_with(&world, &size).await;
    assert_eq!((done.files_before, done.rows), (40, 40_000));
    assert!((2..20).contains(&done.files_after), "{done:?}");
    assert_eq!(stored_order(&world).await, expected);
    assert_eq!(world.row(sums).await, before);
    assert_eq!(compact_with(&world, &size).await.tables, 0, "files of one compaction are left alone");
    world.query("INSERT INTO t VALUES (-1, 0)").await.unwrap();
    expected.push(-1);
    let (held, done) = (live_files(&world).await.len(), compact_with(&world, &size).await);
    assert!(live_files(&world).await.len() <= held, "{done:?}");
    assert_eq!(stored_order(&world).await, expected);
}

/// A compaction of the table that is about to write its first file, and what lets it go on.
async fn half_way(world: &World, store: &ObservedStore) -> (JoinHandle<CompactionSummary>, Sender<()>) {
    // The file's number within its compaction.
    let (reached, go_on) = store.hold("-00000-");
    let workspace = workspace(world).await;
    let compacting = tokio::spawn(async move {
        let settings = Settings::defaults().unwrap();
        Compactor::new(workspace, &settings.upkeep).run(Need::All).await.unwrap()
    });
    reached.await.unwrap();
    (compacting, go_on)
}

async fn twenty_files() -> (Arc<ObservedStore>, World) {
    let store = Arc::new(ObservedStore::new(InMemory::new()));
    let world = over(&store).await;
    insert_each(&world, &Vec::from_iter(0..20)).await;
    (store, world)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_insert_in_the_middle_stands_behind_the_rows_before_it() {
    let (store, world) = twenty_files().await;
    let (compacting, go_on) = half_way(&world, &store).await;
    world.query("INSERT INTO t VALUES (100)").await.unwrap();
    go_on.send(()).unwrap();
    let done = compacting.await.unwrap();
    assert_eq!((done.tables, done.rows, done.files_before, done.files_after), (1, 20, 20, 1));
    assert_eq!(live_files(&world).await, [20, 1], "the rows before it, then its own");
    for world in [&world, &over(&store).await] {
        assert_eq!(world.row("SELECT count(*), sum(v), max(v) FROM t").await, "21 290 100");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delete_in_the_middle_is_not_undone() {
    let (store, world) = twenty_files().await;
    let (compacting, go_on) = half_way(&world, &store).await;
    world.query("DELETE FROM t WHERE v = 7").await.unwrap();
    world.query("INSERT INTO t VALUES (100)").await.unwrap();
    go_on.send(()).unwrap();
    let done = compacting.await.unwrap();
    assert_eq!((done.tables, done.rows, done.files_before, done.files_after), (1, 20, 20, 1), "it began once more");
    let mut expected: Vec<String> = (0..20).filter(|value| *value != 7).map(|value: i32| value.to_string()).collect();
    expected.push("100".to_owned());
    for world in [&world, &over(&store).await] {
        assert_eq!(world.rows("SELECT v FROM t").await, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_made_anew_in_the_middle_has_its_own_rows() {
    let (store, world) = twenty_files().await;
    let (compacting, go_on) = half_way(&world, &store).await;
    world.query("CREATE OR REPLACE TABLE t AS SELECT 5 AS v").await.unwrap();
    go_on.send(()).unwrap();
    let done = compacting.await.unwrap();
    assert_eq!(CompactionSummary { seconds: 0.0, ..done }, CompactionSummary::default());
    assert_eq!(world.rows("SELECT v FROM t").await, ["5"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_planned_before_reads_the_old_files() {
    use convoke::query::SessionOptions;
    use futures::TryStreamExt;
    let (store, world) = twenty_files().await;
    let session = SessionOptions::default();
    let sql = "SELECT count(*), sum(v) FROM t";
    let prepared = world.engine.prepare(&world.caller, &session, sql, None).await.unwrap();
    let (compacting, go_on) = half_way(&world, &store).await;
    go_on.send(()).unwrap();
    assert_eq!(compacting.await.unwrap().tables, 1);
    let execution = world.engine.execute(&world.caller, &session, &prepared, Vec::new()).await.unwrap();
    let rows: Vec<_> = execution.stream.try_collect().await.unwrap();
    assert_eq!(crate::harness::texts(&rows), ["20 190"]);
}

/// Instants, decimals and nested values as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_of_every_type_stay() {
    let world = world().await;
    let row = |n: i64| {
        format!(
            "SELECT CAST({n} AS SMALLINT) AS s, CAST({n}.5 AS DOUBLE) AS d, CAST({n} AS REAL) AS r, {n} > 1 AS b,
             CAST('{n}.25' AS DECIMAL(20, 4)) AS m, DATE '2024-02-2{n}' AS day, TIMESTAMPTZ '2024-02-2{n} 01:02:03.000004+00' AS at,
             CASE WHEN {n} = 2 THEN NULL ELSE 'text {n}' END AS t, [{n}, NULL, 3] AS list,
             named_struct('a', {n}, 'b', ['x', 'y{n}']) AS nested"
        )
    };
    world.query(&format!("CREATE TABLE t AS {}", row(1))).await.unwrap();
    for n in 2..5 {
        world.query(&format!("INSERT INTO t {}", row(n))).await.unwrap();
    }
    let all = "SELECT * FROM t ORDER BY s";
    let before = world.rows(all).await;
    assert_eq!(before.len(), 4);
    assert_eq!(compact(&world).await.files_before, 4);
    assert_eq!(world.rows(all).await, before);
    assert_eq!(world.rows("SELECT s FROM t WHERE day >= '2024-02-23' AND s < 4").await, ["3"], "statistics are right");
}
