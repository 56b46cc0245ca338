use arrow::array::{Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use chrono::DateTime;
use object_store::memory::InMemory;
use uuid::Uuid;

use super::*;
use crate::store::delta::{Encoder, WrittenFile};
use crate::store::events::{self, Order, schema};
use crate::store::tables;

/// A column of each kind that the layouts treat in another way.
fn columns() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("number", DataType::Int64, true),
        Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
        Field::new("text", DataType::Utf8, true),
    ]))
}

fn rows() -> RecordBatch {
    RecordBatch::try_new(
        columns(),
        vec![
            Arc::new(Int64Array::from(vec![Some(3), None, Some(-5)])),
            Arc::new(TimestampMicrosecondArray::from(vec![1_700_000_000_000_001, 0, -1]).with_timezone("UTC")),
            Arc::new(StringArray::from(vec![None, None, Some("x")])),
        ],
    )
    .unwrap()
}

async fn written(store: &Arc<dyn ObjectStore>, layout: &FileLayout, rows: &RecordBatch) -> WrittenFile {
    let mut encoder = Encoder::new(layout).unwrap();
    encoder.push(rows).unwrap();
    let encoded = encoder.finish().unwrap();
    let path = paths::table_file(Uuid::now_v7(), encoded.hash());
    let file = encoded.to_file(path, None, DateTime::UNIX_EPOCH);
    encoded.write(store.as_ref(), &layout.location(&file.file().path)).await.unwrap();
    file
}

async fn faults(store: &Arc<dyn ObjectStore>, layout: &FileLayout, file: DataFile) -> Vec<String> {
    verify(store, layout, &Arc::new(file)).await.unwrap().faults
}

#[tokio::test]
async fn what_the_log_says_and_the_file_does_not_is_named() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let layout = tables::file_layout(Uuid::nil(), &columns()).unwrap();
    let written = written(&store, &layout, &rows()).await;
    let file = written.file().as_ref();
    assert_eq!(faults(&store, &layout, file.clone()).await, [""; 0]);
    let rows = DataFile { rows: 4, ..file.clone() };
    assert_eq!(faults(&store, &layout, rows).await, ["has 3 rows, the log says 4"]);
    let bytes = DataFile { bytes: 7, ..file.clone() };
    assert_eq!(faults(&store, &layout, bytes).await, [format!("has {} bytes, the log says 7", file.bytes)]);
    let nulls = DataFile { null_counts: vec![Some(1), Some(0), Some(1)], ..file.clone() };
    assert_eq!(faults(&store, &layout, nulls).await, ["has 2 NULLs in text, the log says 1"]);
    // -5 and 3 are the smallest and the largest.
    for (bounds, is_within) in [((-5, 3), true), ((-6, 4), true), ((-4, 3), false), ((-5, 2), false)] {
        let file = DataFile { bounds: vec![Some(bounds), None, None], ..file.clone() };
        let expected: &[&str] =
            if is_within { &[] } else { &["has values of number outside of the bounds in the log"] };
        assert_eq!(faults(&store, &layout, file).await, expected, "{bounds:?}");
    }
    let silent = DataFile { null_counts: vec![None; 3], bounds: vec![None; 3], ..file.clone() };
    assert_eq!(faults(&store, &layout, silent).await, [""; 0], "a log may leave out statistics");
    let gone = DataFile { path: "part-none.parquet".to_owned(), ..file.clone() };
    assert_eq!(faults(&store, &layout, gone).await, ["is missing"]);
}

#[tokio::test]
async fn each_byte_that_changes_is_seen_by_the_hash() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let layout = tables::file_layout(Uuid::nil(), &columns()).unwrap();
    let file = written(&store, &layout, &rows()).await;
    let whole = objects::read(&store, &layout.location(&file.file().path)).await.unwrap().unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.to_vec();
        changed[at] ^= 1;
        // The store takes no second object under one name.
        let other: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        objects::create(other.as_ref(), &layout.location(&file.file().path), changed).await.unwrap();
        let found = faults(&other, &layout, file.file().as_ref().clone()).await;
        assert!(found[0].contains("its hash differs"), "byte {at}: {found:?}");
    }
}

/// Only `ts`, `received_at` and `node` are bounded in the log of the events (DESIGN 4).
#[tokio::test]
async fn events_are_judged_by_their_own_layout() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let layout = events::file_layout(Order::AsLoaded);
    let instants = || Arc::new(TimestampMicrosecondArray::from(vec![5_000, 9_000]).with_timezone("UTC"));
    let stored = schema::stored();
    let columns = stored.fields().iter().map(|field| -> arrow::array::ArrayRef {
        match field.name().as_str() {
            "ts" | "received_at" => instants(),
            "node" => Arc::new(Int64Array::from(vec![Some(7), None])),
            "message_id" | "type" => Arc::new(StringArray::from(vec!["a", "b"])),
            // Whatever may not be NULL.
            _ if !field.is_nullable() => {
                arrow::compute::cast(&Int64Array::from(vec![1, 1]), field.data_type()).unwrap()
            }
            _ => arrow::array::new_null_array(field.data_type(), 2),
        }
    });
    let rows = RecordBatch::try_new(Arc::clone(&stored), columns.collect()).unwrap();
    let file = written(&store, &layout, &rows).await;
    let verified = verify(&store, &layout, file.file()).await.unwrap();
    assert_eq!(verified.faults, [""; 0]);
    assert_eq!(verified.bounds_of("node"), Some((7, 7)));
    assert_eq!(verified.bounds_of("ts"), Some((5_000, 9_000)));
    assert_eq!(verified.bounds_of("message_id"), None);
    assert_eq!(events::fault_of_nodes(&verified, 8), None);
    assert!(events::fault_of_nodes(&verified, 7).is_some_and(|fault| fault.contains("node 7")));
}
