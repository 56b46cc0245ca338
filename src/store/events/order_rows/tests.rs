use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray, new_null_array};
use object_store::memory::InMemory;

use super::*;
use crate::clock::Clock;
use crate::store::events::{FileWriter, schema};

/// (order number, node, event) of a row; the day of the month is its place.
type Event<'a> = (Option<&'a str>, Option<i64>, &'a str);

const SALE: &str = "Order Completed";
const DAY: i64 = 86_400_000_000;
const LIMIT: ReadLimit = ReadLimit { files: 10, rows: 1_000, found: 1_000 };

fn batch(events: &[Event<'_>]) -> RecordBatch {
    let texts = |of: &dyn Fn(usize) -> Option<String>| -> ArrayRef {
        Arc::new((0..events.len()).map(of).collect::<StringArray>())
    };
    let times = || -> ArrayRef {
        let times = (0..events.len() as i64).map(|day| day * DAY);
        Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
    };
    let schema = schema::stored();
    let columns = schema.fields().iter().map(|field| match field.name().as_str() {
        "message_id" => texts(&|row| Some(format!("m{row}"))),
        "type" => texts(&|_| Some("track".to_owned())),
        "ts" | "received_at" => times(),
        "order_id" => texts(&|row| events[row].0.map(str::to_owned)),
        "event" => texts(&|row| Some(events[row].2.to_owned())),
        "node" => Arc::new(events.iter().map(|event| event.1).collect::<Int64Array>()),
        _ => new_null_array(field.data_type(), events.len()),
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
}

async fn file(store: &Arc<dyn ObjectStore>, events: &[Event<'_>]) -> Arc<DataFile> {
    let writer = FileWriter::new(Arc::clone(store), Clock::default());
    let written = writer.write("1970-01".to_owned(), vec![batch(events)]).await.unwrap();
    Arc::clone(written.file())
}

fn wanted(numbers: &[&str], nodes: &[i64]) -> WantedOrders {
    WantedOrders {
        numbers: numbers.iter().map(|number| (*number).to_owned()).collect(),
        nodes: nodes.iter().copied().collect(),
        nodes_between: (0, 100 * DAY),
        events: HashSet::from([SALE.to_owned()]),
        columns: &["message_id", "order_id", "node"],
    }
}

/// The message ids found, in order; `None` when it would have been too much.
async fn find(
    store: &Arc<dyn ObjectStore>,
    files: &[Arc<DataFile>],
    wanted: WantedOrders,
    limit: ReadLimit,
) -> Option<Vec<String>> {
    match rows_of_orders(store, files, Arc::new(wanted), limit).await.unwrap() {
        FoundRows::TooMany => None,
        FoundRows::All(batches) => {
            let mut ids = Vec::new();
            for batch in &batches {
                let texts = batch.column_by_name("message_id").unwrap().as_string::<i32>();
                ids.extend(texts.iter().flatten().map(str::to_owned));
            }
            ids.sort();
            Some(ids)
        }
    }
}

#[tokio::test]
async fn rows_are_found_by_number_and_by_node_without_one() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let events = [
        (Some("A1"), Some(7), SALE),
        (Some("A2"), Some(7), SALE),
        (None, Some(7), SALE),
        (None, None, SALE),
        (Some("A1"), None, SALE),
        (Some("A1"), Some(8), "Order Viewed"),
        (None, Some(8), SALE),
    ];
    let files = [file(&store, &events).await];
    assert_eq!(find(&store, &files, wanted(&["A1"], &[]), LIMIT).await.unwrap(), ["m0", "m4"]);
    assert_eq!(
        find(&store, &files, wanted(&[], &[7]), LIMIT).await.unwrap(),
        ["m2"],
        "with a number it is another order"
    );
    assert_eq!(find(&store, &files, wanted(&["A2", "A9"], &[8]), LIMIT).await.unwrap(), ["m1", "m6"]);
    assert!(find(&store, &files, wanted(&["A9"], &[9]), LIMIT).await.unwrap().is_empty());
    let later = WantedOrders { nodes_between: (50 * DAY, 60 * DAY), ..wanted(&[], &[7]) };
    assert!(find(&store, &files, later, LIMIT).await.unwrap().is_empty(), "the file ends on day 6");
}

/// Row groups that cannot hold a wanted row do not count: the limit is that of one file.
#[tokio::test]
async fn what_cannot_hold_an_order_is_not_read() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let files = [
        file(&store, &[(Some("A1"), Some(1), SALE), (Some("A5"), Some(2), SALE)]).await,
        file(&store, &[(Some("B1"), Some(3), SALE), (Some("B5"), Some(4), SALE)]).await,
        file(&store, &[(None, Some(3), SALE), (None, Some(9), SALE)]).await,
    ];
    let rows = |rows: u64| ReadLimit { rows, ..LIMIT };
    assert_eq!(find(&store, &files, wanted(&["B5"], &[]), rows(2)).await.unwrap(), ["m1"]);
    assert_eq!(find(&store, &files, wanted(&["B5"], &[]), rows(1)).await, None);
    assert!(find(&store, &files, wanted(&["A9", "C"], &[]), rows(0)).await.unwrap().is_empty());
    assert_eq!(find(&store, &files, wanted(&[], &[9]), rows(2)).await.unwrap(), ["m1"]);
    assert_eq!(find(&store, &files, wanted(&["A1"], &[]), ReadLimit { files: 2, ..LIMIT }).await, None);
    assert_eq!(find(&store, &files, wanted(&["A1", "A5"], &[]), ReadLimit { found: 1, ..LIMIT }).await, None);
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let there = file(&store, &[(Some("A1"), Some(1), SALE)]).await;
    let gone = Arc::new(DataFile { path: "month=1970-01/gone.parquet".to_owned(), ..there.as_ref().clone() });
    let found = rows_of_orders(&store, &[gone], Arc::new(wanted(&["A1"], &[])), LIMIT).await;
    let error = found.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("gone.parquet") && error.contains("convoke check"), "{error}");
}
