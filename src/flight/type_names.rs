//! SQL names of the types on the wire, as GetXdbcTypeInfo lists them and as columns carry them in their metadata.

use arrow::datatypes::{DataType, Field};

/// Extension name of a bitmap column (SQL.md 3).
const ROARING: &str = "convoke.roaring32";
/// Arrow's extension name of JSON text.
const JSON: &str = "arrow.json";

/// The SQL name of a wire field's type. Power BI reads no column without one.
pub(super) fn type_name(field: &Field) -> &'static str {
    match (field.data_type(), field.extension_type_name()) {
        (DataType::Binary, Some(ROARING)) => "ROARING",
        (DataType::Utf8, Some(JSON)) => "JSON",
        (data_type, _) => plain_type_name(data_type),
    }
}

fn plain_type_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 => "TINYINT",
        DataType::Int16 => "SMALLINT",
        DataType::Int32 => "INTEGER",
        DataType::Int64 => "BIGINT",
        DataType::Float32 => "REAL",
        DataType::Float64 => "DOUBLE",
        DataType::Decimal128(..) | DataType::Decimal256(..) => "DECIMAL",
        DataType::Utf8 => "VARCHAR",
        DataType::Binary => "VARBINARY",
        DataType::FixedSizeBinary(_) => "BINARY",
        DataType::Date32 | DataType::Date64 => "DATE",
        DataType::Time32(_) | DataType::Time64(_) => "TIME",
        DataType::Timestamp(_, None) => "TIMESTAMP",
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP WITH TIME ZONE",
        DataType::Interval(_) | DataType::Duration(_) => "INTERVAL",
        DataType::List(_) | DataType::FixedSizeList(..) => "ARRAY",
        DataType::Struct(_) => "STRUCT",
        DataType::Map(..) => "MAP",
        // What no query yields on the wire; a name is better than none.
        _ => "OTHER",
    }
}
