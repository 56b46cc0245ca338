//! The shape of rejected rows as they are stored, one object a load.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::events::schema::instant;

/// Columns of `system.dead_letters`.
pub fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        Arc::new(Schema::new(vec![
            Field::new("received_at", instant(), false),
            Field::new("source", DataType::Utf8, false),
            Field::new("row", DataType::Int64, true),
            Field::new("reason", DataType::Utf8, false),
            Field::new("raw", DataType::Utf8, true),
        ]))
    });
    Arc::clone(&SCHEMA)
}
