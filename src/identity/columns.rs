//! Columns of stored tables by name; `None` where there is none of that type.

use arrow::array::{AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};

pub(super) fn number<'t>(table: &'t RecordBatch, name: &str) -> Option<&'t Int64Array> {
    table.column_by_name(name)?.as_primitive_opt::<Int64Type>()
}

pub(super) fn time<'t>(table: &'t RecordBatch, name: &str) -> Option<&'t TimestampMicrosecondArray> {
    table.column_by_name(name)?.as_primitive_opt::<TimestampMicrosecondType>()
}

pub(super) fn text<'t>(table: &'t RecordBatch, name: &str) -> Option<&'t StringArray> {
    table.column_by_name(name)?.as_string_opt::<i32>()
}
