use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array,
    ListArray, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Int32Type, Schema};
use chrono::DateTime;
use object_store::memory::InMemory;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::ids::WorkspaceName;
use crate::store::delta::{FileStatistics, Naming, storable};
use crate::store::{Root, paths};

/// Rows with a column of each type that may have bounds, and of some that have none.
fn rows(values: &[Option<i64>]) -> RecordBatch {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("tiny", Arc::new(values.iter().map(|value| value.map(|value| value as i8)).collect::<Int8Array>())),
        ("small", Arc::new(values.iter().map(|value| value.map(|value| value as i16)).collect::<Int16Array>())),
        ("plain", Arc::new(values.iter().map(|value| value.map(|value| value as i32)).collect::<Int32Array>())),
        ("big", Arc::new(values.iter().copied().collect::<Int64Array>())),
        (
            "day",
            Arc::new(values.iter().map(|value| value.map(|value| (value % 40_000) as i32)).collect::<Date32Array>()),
        ),
        ("instant", Arc::new(values.iter().copied().collect::<TimestampMicrosecondArray>().with_timezone("UTC"))),
        (
            "money",
            Arc::new(
                values
                    .iter()
                    .map(|value| value.map(i128::from))
                    .collect::<Decimal128Array>()
                    .with_precision_and_scale(38, 4)
                    .unwrap(),
            ),
        ),
        ("double", Arc::new(values.iter().map(|value| value.map(|value| value as f64)).collect::<Float64Array>())),
        ("flag", Arc::new(values.iter().map(|value| value.map(|value| value > 0)).collect::<BooleanArray>())),
        ("text", Arc::new(values.iter().map(|value| value.map(|value| value.to_string())).collect::<StringArray>())),
        (
            "list",
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(
                values.iter().map(|value| value.map(|value| vec![Some(value as i32)])),
            )),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

fn table(root: &Root, layout: Layout) -> DeltaTable {
    let workspace = WorkspaceName::default();
    let folder = Uuid::nil();
    let url = root.url_of(&root.paths(&workspace).table(folder)).unwrap();
    let definition = TableDefinition { layout, configuration: Vec::new() };
    DeltaTable::new(root, url, root.workspace_store(&workspace), paths::table_in_workspace(folder), definition)
}

fn written(path: &str, partition: Option<&str>, batch: &RecordBatch) -> WrittenFile {
    let mut statistics = FileStatistics::new(batch.schema(), |column| column != "big");
    statistics.add(batch);
    WrittenFile::new(path.to_owned(), partition.map(str::to_owned), 7, &statistics, DateTime::UNIX_EPOCH)
}

/// What another process finds in the log.
async fn read_anew(root: &Root, layout: &Layout) -> LiveFiles {
    table(root, layout.clone()).newest().await.unwrap().unwrap().0
}

/// Files edited in memory are those that the log tells, bounds and counts included.
async fn assert_edited_as_read(values: &[Vec<Option<i64>>], partition: Option<&'static str>) {
    let root = Root::in_store(Arc::new(InMemory::new())).unwrap();
    let columns = storable(rows(&[]).schema().as_ref(), Naming::Rows).unwrap();
    let layout = Layout { label: "the table".to_owned(), columns, partition };
    let table = table(&root, layout.clone());
    table.create(&[]).await.unwrap();
    let (mut held, _) = table.newest().await.unwrap().unwrap();
    for (number, values) in values.iter().enumerate() {
        let month = partition.map(|_| format!("2024-{:02}", 12 - number % 12));
        let path = month
            .as_ref()
            .map_or_else(|| format!("{number}.parquet"), |month| format!("month={month}/{number}.parquet"));
        let added = [written(&path, month.as_deref(), &rows(values))];
        let removed: Vec<_> = if number % 3 == 2 { held.files[..1].to_vec() } else { Vec::new() };
        let kind = if removed.is_empty() { ChangeKind::Append } else { ChangeKind::Rewrite { target_bytes: 1 } };
        let change = Change { removed: &removed, added: &added, kind };
        table.commit(held.version + 1, change, HashMap::new()).await.unwrap();
        held = held.changed(&change);
        assert!(removed.iter().all(|file| !held.contains(file)) && held.contains(added[0].file()));
        assert_eq!(held, read_anew(&root, &layout).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn files_edited_in_memory_are_those_of_the_log() {
    let far = [Some(i64::MIN), Some(i64::MAX)];
    let values = vec![
        vec![Some(1), None, Some(-1)],
        vec![None, None],
        vec![],
        vec![Some(1_718_000_000_123_456), Some(-1)],
        far.to_vec(),
        vec![Some(1_718_000_000_123_000)],
        vec![Some(999), Some(1_001)],
        // The last moment of the year before 0, found by chance.
        vec![Some(-62_167_219_200_000_001)],
        // The first of the year 10000.
        vec![Some(253_402_300_800_000_000)],
    ];
    assert_edited_as_read(&values, None).await;
    assert_edited_as_read(&values, Some("month")).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn random_files_edited_in_memory_are_those_of_the_log(
        values in prop::collection::vec(prop::collection::vec(prop::option::of(any::<i64>()), 0..4), 1..5),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(assert_edited_as_read(&values, None));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn columns_of_a_table_that_is_there_come_from_its_log() {
    let root = Root::in_store(Arc::new(InMemory::new())).unwrap();
    let columns = storable(rows(&[]).schema().as_ref(), Naming::Rows).unwrap();
    let layout = Layout { label: "the table".to_owned(), columns: Arc::clone(&columns), partition: None };
    table(&root, layout.clone()).create(&[written("0.parquet", None, &rows(&[Some(5)]))]).await.unwrap();
    let unknown = Layout { columns: Arc::new(Schema::empty()), ..layout.clone() };
    let (files, found) = table(&root, unknown).newest().await.unwrap().unwrap();
    assert_eq!((&files, found), (&read_anew(&root, &layout).await, columns));
    assert_eq!(files.files[0].bounds_of(0), Some((5, 5)));
    assert_eq!(files.files[0].nulls_in(0), Some(0));
}
