//! Reads the shop's batches back into plain rows, so that the tests know nothing of the plan behind them.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Decimal128Type, Int64Type, TimestampMicrosecondType};

use crate::ingest::input::QUANTITY_ONE;
use crate::shop::Shop;

#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Row {
    pub row: i64,
    pub ts: i64,
    pub message_id: String,
    pub kind: String,
    pub event: Option<String>,
    pub source: String,
    pub channel: String,
    pub brand: Option<String>,
    pub campaign_id: Option<String>,
    pub order_id: Option<String>,
    /// Ten-thousandths.
    pub revenue: Option<i128>,
    /// Ten-thousandths.
    pub cost: Option<i128>,
    pub properties: Option<String>,
    /// All (type, value), as they came.
    pub identifiers: Vec<(String, String)>,
    /// Columns that no test looks into, for the hash alone.
    pub others: Vec<Option<String>>,
}

pub fn rows_of(shop: Shop) -> Vec<Row> {
    shop.batches().flat_map(|batch| rows_of_batch(&batch.unwrap())).collect()
}

fn rows_of_batch(batch: &RecordBatch) -> Vec<Row> {
    (0..batch.num_rows()).map(|index| row_at(batch, index)).collect()
}

fn row_at(batch: &RecordBatch, index: usize) -> Row {
    let column = |name: &str| batch.column_by_name(name).unwrap();
    let text = |name: &str| {
        let values = column(name).as_string::<i32>();
        values.is_valid(index).then(|| values.value(index).to_owned())
    };
    let decimal = |name: &str| {
        let values = column(name).as_primitive::<Decimal128Type>();
        values.is_valid(index).then(|| values.value(index))
    };
    let category = column("category").as_list::<i32>();
    let path = category.is_valid(index).then(|| {
        let names = category.value(index);
        names.as_string::<i32>().iter().map(|name| name.unwrap().to_owned()).collect::<Vec<_>>().join("|")
    });
    Row {
        row: column("row").as_primitive::<Int64Type>().value(index),
        ts: column("ts").as_primitive::<TimestampMicrosecondType>().value(index),
        message_id: text("message_id").unwrap(),
        kind: text("type").unwrap(),
        event: text("event"),
        source: text("source").unwrap(),
        channel: text("channel").unwrap(),
        brand: text("brand"),
        campaign_id: text("campaign_id"),
        order_id: text("order_id"),
        revenue: decimal("revenue"),
        cost: decimal("cost"),
        properties: text("properties"),
        identifiers: identifiers_at(batch, index),
        others: vec![
            text("store_id"),
            text("currency"),
            text("product_id"),
            path,
            text("context"),
            text("reject_reason"),
            text("raw"),
            decimal("quantity").map(|quantity| (quantity / (QUANTITY_ONE / 10_000)).to_string()),
        ],
    }
}

fn identifiers_at(batch: &RecordBatch, index: usize) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for name in ["anonymous_id", "user_id"] {
        let values = batch.column_by_name(name).unwrap().as_string::<i32>();
        if values.is_valid(index) {
            all.push((name.to_owned(), values.value(index).to_owned()));
        }
    }
    let elements = batch.column_by_name("identifiers").unwrap().as_list::<i32>().value(index);
    let (types, values) = (elements.as_struct().column(0), elements.as_struct().column(1));
    for (kind, value) in types.as_string::<i32>().iter().zip(values.as_string::<i32>()) {
        all.push((kind.unwrap().to_owned(), value.unwrap().to_owned()));
    }
    all
}
