//! The shape that events have on the way in, whatever they came from: a file, a `DoPut`, the synthetic shop.
//!
//! One row is one event or one rejected row (`reject_reason` is then set). Must not know files or storage.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayBuilder, ArrayRef, Decimal128Builder, Int64Builder, ListBuilder, RecordBatch, StringBuilder, StructBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::error::Result;
pub use crate::money::QUANTITY_ONE;
use crate::money::QUANTITY_SCALE;
use crate::store::events::schema;
pub use crate::store::events::schema::{DECIMAL, identifier_fields, instant};

/// A quantity on the way in: amounts are computed of all its digits, and four after the point are stored.
pub const QUANTITY: DataType = DataType::Decimal128(38, QUANTITY_SCALE);

/// Columns of an event on the way in. All may be NULL; the loader fills in or refuses.
///
/// `row` is the row number in its source (from 1). A row with `reject_reason` holds no event. `raw` is the text of such
/// a row, and of one that may still be rejected: a dead letter holds it.
pub fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        Arc::new(Schema::new(vec![
            Field::new("row", DataType::Int64, true),
            Field::new("message_id", DataType::Utf8, true),
            Field::new("ts", instant(), true),
            Field::new("type", DataType::Utf8, true),
            Field::new("event", DataType::Utf8, true),
            Field::new("anonymous_id", DataType::Utf8, true),
            Field::new("user_id", DataType::Utf8, true),
            Field::new("identifiers", schema::identifiers(), true),
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
            Field::new("category", schema::path(), true),
            Field::new("quantity", QUANTITY, true),
            Field::new("properties", DataType::Utf8, true),
            Field::new("context", DataType::Utf8, true),
            Field::new("reject_reason", DataType::Utf8, true),
            Field::new("raw", DataType::Utf8, true),
        ]))
    });
    Arc::clone(&SCHEMA)
}

/// One event, or one rejected row, for [`InputBuilder::push`]. Absent text is `None`, never an empty string.
#[derive(Debug, Default, Clone)]
pub struct InputRow<'a> {
    pub row: Option<i64>,
    pub message_id: Option<&'a str>,
    /// Microseconds since 1970 in UTC.
    pub ts: Option<i64>,
    pub kind: Option<&'a str>,
    pub event: Option<&'a str>,
    pub anonymous_id: Option<&'a str>,
    pub user_id: Option<&'a str>,
    /// Identifiers beyond `anonymous_id` and `user_id`: (type, value).
    pub identifiers: &'a [(&'a str, &'a str)],
    pub channel: Option<&'a str>,
    pub source: Option<&'a str>,
    pub brand: Option<&'a str>,
    pub store_id: Option<&'a str>,
    pub campaign_id: Option<&'a str>,
    pub order_id: Option<&'a str>,
    /// Ten-thousandths.
    pub revenue: Option<i128>,
    /// Ten-thousandths.
    pub cost: Option<i128>,
    pub currency: Option<&'a str>,
    pub product_id: Option<&'a str>,
    /// From the root of the tree to the leaf.
    pub category: Option<&'a [&'a str]>,
    /// In units of which [`QUANTITY_ONE`] are 1.
    pub quantity: Option<i128>,
    /// A JSON object as text.
    pub properties: Option<&'a str>,
    /// A JSON object as text.
    pub context: Option<&'a str>,
    pub reject_reason: Option<&'a str>,
    pub raw: Option<&'a str>,
}

/// Builds batches of [`schema`] row by row.
pub struct InputBuilder {
    rows: usize,
    row: Int64Builder,
    ts: TimestampMicrosecondBuilder,
    identifiers: ListBuilder<StructBuilder>,
    category: ListBuilder<StringBuilder>,
    revenue: Decimal128Builder,
    cost: Decimal128Builder,
    quantity: Decimal128Builder,
    /// Behind the others while the last rows have no text: see [`Self::push_raw`].
    raw: StringBuilder,
    /// The other plain text columns, in the order of [`text_values`].
    texts: [StringBuilder; TEXT_COLUMNS.len()],
}

/// Names of the plain text columns but `raw`.
const TEXT_COLUMNS: [&str; 16] = [
    "message_id",
    "type",
    "event",
    "anonymous_id",
    "user_id",
    "channel",
    "source",
    "brand",
    "store_id",
    "campaign_id",
    "order_id",
    "currency",
    "product_id",
    "properties",
    "context",
    "reject_reason",
];

fn text_values<'a>(row: &InputRow<'a>) -> [Option<&'a str>; TEXT_COLUMNS.len()] {
    [
        row.message_id,
        row.kind,
        row.event,
        row.anonymous_id,
        row.user_id,
        row.channel,
        row.source,
        row.brand,
        row.store_id,
        row.campaign_id,
        row.order_id,
        row.currency,
        row.product_id,
        row.properties,
        row.context,
        row.reject_reason,
    ]
}

impl Default for InputBuilder {
    fn default() -> Self {
        let decimal = |data_type| Decimal128Builder::new().with_data_type(data_type);
        let element = Field::new("element", DataType::Struct(identifier_fields()), true);
        Self {
            rows: 0,
            row: Int64Builder::new(),
            ts: TimestampMicrosecondBuilder::new().with_timezone("UTC"),
            identifiers: ListBuilder::new(StructBuilder::from_fields(identifier_fields(), 0)).with_field(element),
            category: ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true)),
            revenue: decimal(DECIMAL),
            cost: decimal(DECIMAL),
            quantity: decimal(QUANTITY),
            raw: StringBuilder::new(),
            texts: std::array::from_fn(|_| StringBuilder::new()),
        }
    }
}

impl InputBuilder {
    pub fn len(&self) -> usize {
        self.rows
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub fn push(&mut self, row: &InputRow<'_>) {
        self.rows += 1;
        self.row.append_option(row.row);
        self.ts.append_option(row.ts);
        self.revenue.append_option(row.revenue);
        self.cost.append_option(row.cost);
        self.quantity.append_option(row.quantity);
        for (builder, value) in self.texts.iter_mut().zip(text_values(row)) {
            builder.append_option(value);
        }
        if let Some(raw) = row.raw {
            self.push_raw(raw);
        }
        self.push_identifiers(row.identifiers);
        match row.category {
            Some(path) => self.category.append_value(path.iter().map(Some)),
            None => self.category.append_null(),
        }
    }

    /// Gives the row pushed last its text, unless it came with one.
    pub fn push_raw(&mut self, raw: &str) {
        self.fill_raw(self.rows.saturating_sub(1));
        if self.raw.len() < self.rows {
            self.raw.append_value(raw);
        }
    }

    /// The first `rows` rows have a text or none.
    fn fill_raw(&mut self, rows: usize) {
        self.raw.append_nulls(rows.saturating_sub(self.raw.len()));
    }

    fn push_identifiers(&mut self, identifiers: &[(&str, &str)]) {
        let elements = self.identifiers.values();
        for (kind, value) in identifiers {
            for (index, text) in [kind, value].into_iter().enumerate() {
                // The builder was made from `identifier_fields`: two text fields.
                if let Some(builder) = elements.field_builder::<StringBuilder>(index) {
                    builder.append_value(text);
                }
            }
            elements.append(true);
        }
        self.identifiers.append(true);
    }

    /// The rows pushed so far as one batch of [`schema`]; the builder is empty afterwards.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        self.fill_raw(self.rows);
        self.rows = 0;
        let schema = schema();
        let columns = schema.fields().iter().map(|field| self.finish_column(field.name())).collect();
        Ok(RecordBatch::try_new(schema, columns)?)
    }

    fn finish_column(&mut self, name: &str) -> ArrayRef {
        match name {
            "row" => Arc::new(self.row.finish()),
            "ts" => Arc::new(self.ts.finish()),
            "identifiers" => Arc::new(self.identifiers.finish()),
            "category" => Arc::new(self.category.finish()),
            "revenue" => Arc::new(self.revenue.finish()),
            "cost" => Arc::new(self.cost.finish()),
            "quantity" => Arc::new(self.quantity.finish()),
            "raw" => Arc::new(self.raw.finish()),
            text => {
                let index = TEXT_COLUMNS.iter().position(|column| *column == text).unwrap_or_default();
                Arc::new(self.texts[index].finish())
            }
        }
    }
}
