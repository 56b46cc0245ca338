//! Columns of the type of no values, which data frames write where a column has none: of any type, and all NULL.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{DataType, Field, Schema};

use crate::error::Result;

/// The same rows; columns without a type, and lists without one, are NULLs of a text column.
///
/// As text a column feeds every field, and leaves no property.
pub fn without_null_types(batch: &RecordBatch) -> Result<RecordBatch> {
    if !batch.columns().iter().any(|column| has_no_type(column.data_type())) {
        return Ok(batch.clone());
    }
    let mut fields = Vec::with_capacity(batch.num_columns());
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        if has_no_type(column.data_type()) {
            fields.push(Arc::new(Field::new(field.name(), DataType::Utf8, true)));
            columns.push(new_null_array(&DataType::Utf8, batch.num_rows()));
        } else {
            fields.push(Arc::clone(field));
            columns.push(Arc::clone(column));
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
}

fn has_no_type(data_type: &DataType) -> bool {
    match data_type {
        DataType::Null => true,
        DataType::List(element) | DataType::LargeList(element) => has_no_type(element.data_type()),
        _ => false,
    }
}
