//! Columns of the events table as they are stored.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

use crate::store::delta::{DataFile, Layout};

/// Money and quantities: DECIMAL(18,4), held as an integer of ten-thousandths.
pub const DECIMAL: DataType = DataType::Decimal128(18, 4);

/// The partition column: local month of the event in the workspace's zone, `2024-07`.
pub const MONTH: &str = "month";

/// `ts` and every other instant: microseconds since 1970 in UTC.
pub fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The fields of one element of `identifiers`: (type, value).
pub fn identifier_fields() -> Fields {
    Fields::from(vec![Field::new("type", DataType::Utf8, false), Field::new("value", DataType::Utf8, false)])
}

/// `identifiers`: all usable identifiers of the event.
pub fn identifiers() -> DataType {
    DataType::List(Arc::new(Field::new("element", DataType::Struct(identifier_fields()), true)))
}

/// `category`: a path from the root of the tree to the leaf.
pub fn path() -> DataType {
    DataType::List(Arc::new(Field::new("element", DataType::Utf8, true)))
}

/// One product of an event. Its quantity is NULL where what was given is no number.
pub fn product_fields() -> Fields {
    Fields::from(vec![
        Field::new("product_id", DataType::Utf8, true),
        Field::new("category", path(), true),
        Field::new("quantity", DECIMAL, true),
        Field::new("amount", DECIMAL, true),
        Field::new("cost", DECIMAL, true),
    ])
}

/// `products`: what the event's properties say of single products.
pub fn products() -> DataType {
    DataType::List(Arc::new(Field::new("element", DataType::Struct(product_fields()), true)))
}

/// What an event says of an order, read out of its properties once, when it came in (`orders::Statement`): of use to the
/// tables of orders alone, so `events` does not show it. Flags are true or NULL: a file without any costs no reading.
pub const ORDER_COLUMNS: [&str; 6] =
    ["stated_amount", "stated_cost", "stated_pieces", "states_whole", LACKS_PRICE, "products"];

/// Number of the load that brought the event, so that one can be taken back; NULL for one that came by a stream.
pub const LOAD: &str = "load";

/// Columns inside the data files, in order; the partition column is not among them.
pub fn stored() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        Arc::new(Schema::new(vec![
            Field::new("message_id", DataType::Utf8, false),
            Field::new("ts", instant(), false),
            Field::new("received_at", instant(), false),
            Field::new("type", DataType::Utf8, false),
            Field::new("event", DataType::Utf8, true),
            Field::new("node", DataType::Int64, true),
            Field::new("anonymous_id", DataType::Utf8, true),
            Field::new("user_id", DataType::Utf8, true),
            Field::new("identifiers", identifiers(), true),
            Field::new("channel", DataType::Utf8, true),
            Field::new("source", DataType::Utf8, true),
            Field::new("brand", DataType::Utf8, true),
            Field::new("store_id", DataType::Utf8, true),
            Field::new("campaign_id", DataType::Utf8, true),
            Field::new("order_id", DataType::Utf8, true),
            Field::new("revenue", DECIMAL, true),
            Field::new("cost", DECIMAL, true),
            Field::new("currency", DataType::Utf8, true),
            Field::new("product_id", DataType::Utf8, true),
            Field::new("category", path(), true),
            Field::new("quantity", DECIMAL, true),
            Field::new("properties", DataType::Utf8, true),
            Field::new("context", DataType::Utf8, true),
            Field::new("stated_amount", DECIMAL, true),
            Field::new("stated_cost", DECIMAL, true),
            Field::new("stated_pieces", DECIMAL, true),
            Field::new("states_whole", DataType::Boolean, true),
            Field::new(LACKS_PRICE, DataType::Boolean, true),
            Field::new("products", products(), true),
            Field::new(LOAD, DataType::Int64, true),
        ]))
    });
    Arc::clone(&SCHEMA)
}

/// The columns of a scan: those in the files, then the partition's.
pub fn with_month() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let month = Arc::new(Field::new(MONTH, DataType::Utf8, true));
        Arc::new(Schema::new(stored().fields().iter().cloned().chain([month]).collect::<Vec<_>>()))
    });
    Arc::clone(&SCHEMA)
}

/// What the files of the events table look like.
pub fn layout() -> Layout {
    Layout { label: "the events table".to_owned(), columns: stored(), partition: Some(MONTH) }
}

/// What the log says of a column: its bounds in this file.
fn bounds_of(file: &DataFile, column: &str) -> Option<(i64, i64)> {
    file.bounds_of(stored().index_of(column).ok()?)
}

/// Microseconds between which all `ts` of the file lie.
pub fn ts_of(file: &DataFile) -> Option<(i64, i64)> {
    bounds_of(file, "ts")
}

/// Microseconds between which all rows of the file were received.
pub fn received_of(file: &DataFile) -> Option<(i64, i64)> {
    bounds_of(file, "received_at")
}

/// Numbers between which all nodes of the file lie.
pub fn node_of(file: &DataFile) -> Option<(i64, i64)> {
    bounds_of(file, "node")
}

/// The local month of the file's events.
pub fn month_of(file: &DataFile) -> &str {
    // Without one a file is not read from the log.
    file.partition.as_deref().unwrap_or_default()
}

/// Whether users see the column in `events` (`node` as `person`).
pub fn is_shown(column: &str) -> bool {
    column != LOAD && !ORDER_COLUMNS.contains(&column)
}

/// Columns whose minima and maxima stand in the log. No other column may: the log is readable by everyone who reads
/// the table, and lives longer than a person's data.
pub const MIN_MAX_COLUMNS: [&str; 3] = ["ts", "received_at", "node"];

/// A flag of which the log's count of NULLs is read: whether a file has any.
pub const LACKS_PRICE: &str = "lacks_price";

/// Columns whose statistics are read from the log.
pub fn statistics_columns() -> Vec<&'static str> {
    MIN_MAX_COLUMNS.into_iter().chain([LACKS_PRICE]).collect()
}

/// How compaction orders the rows of a month, ascending, NULL last: a person's events lie together.
pub const SORT_COLUMNS: [&str; 3] = ["node", "ts", "message_id"];
