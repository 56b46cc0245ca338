//! Columns as JSON objects: properties from the columns that are no fields, raw text of rejected rows.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, RecordBatch, RecordBatchOptions, StringArray, StringBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, TimeUnit};
use arrow::json::LineDelimitedWriter;

use super::super::coerce::trimmed;
use super::super::draft::column_reason;
use super::super::json::{ObjectWriter, check_object, is_empty, parse_object};
use super::rejects::Rejects;
use super::typed::text_array;
use crate::error::{Error, Result};

/// Each row as one JSON object; NULLs are left out.
pub fn object_lines(batch: &RecordBatch) -> Result<Vec<String>> {
    let mut bytes = Vec::new();
    let mut writer = LineDelimitedWriter::new(&mut bytes);
    writer.write(&with_times_that_can_be_written(batch)?)?;
    writer.finish()?;
    drop(writer);
    let text =
        String::from_utf8(bytes).map_err(|error| Error::internal("rendered JSON is not UTF-8").with_source(error))?;
    // A line end inside a value is escaped, so lines are rows.
    Ok(text.lines().map(str::to_owned).collect())
}

/// Columns with a time that no calendar has become the numbers that they are: the JSON writer writes its error instead.
fn with_times_that_can_be_written(batch: &RecordBatch) -> Result<RecordBatch> {
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        match numbers_beyond_calendar(column)? {
            Some(numbers) => {
                fields.push(Arc::new(Field::new(field.name(), DataType::Int64, true)));
                columns.push(numbers);
            }
            None => {
                fields.push(Arc::clone(field));
                columns.push(Arc::clone(column));
            }
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
}

/// The numbers of a column of timestamps, of which one lies outside the years 1 to 9999.
fn numbers_beyond_calendar(column: &ArrayRef) -> Result<Option<ArrayRef>> {
    /// Seconds since 1970; a day less at both ends, since a zone may add to them.
    const CALENDAR: std::ops::Range<i64> = -62_135_510_400..253_402_214_400;
    let DataType::Timestamp(unit, _) = column.data_type() else { return Ok(None) };
    let in_a_second = match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    };
    let numbers = cast(column, &DataType::Int64)?;
    let is_beyond = |number: i64| !CALENDAR.contains(&number.div_euclid(in_a_second));
    let any_is_beyond = numbers.as_primitive::<Int64Type>().iter().flatten().any(is_beyond);
    Ok(any_is_beyond.then_some(numbers))
}

/// The columns that are no fields, ready to be rendered: names and arrays.
pub fn property_batch(columns: Vec<(&str, ArrayRef)>, rows: usize) -> Result<RecordBatch> {
    let mut fields = Vec::with_capacity(columns.len());
    let mut arrays = Vec::with_capacity(columns.len());
    for (name, array) in columns {
        let array = readable(&array)?;
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)?)
}

/// Binary that is text becomes text; other types stay.
fn readable(array: &ArrayRef) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::Binary if is_utf8(array.as_binary()) => Ok(cast(array, &DataType::Utf8)?),
        _ => Ok(Arc::clone(array)),
    }
}

pub fn is_utf8(array: &BinaryArray) -> bool {
    array.iter().flatten().all(|bytes| std::str::from_utf8(bytes).is_ok())
}

/// A column of JSON objects as checked text: from text, or from a struct or map.
pub fn objects(name: &str, column: &ArrayRef, rejects: &mut Rejects) -> Result<ArrayRef> {
    if matches!(column.data_type(), DataType::Struct(_) | DataType::Map(_, _)) {
        return struct_objects(name, column);
    }
    let texts = text_array(name, column, trimmed)?;
    for row in (0..texts.len()).filter(|row| texts.is_valid(*row)) {
        if let Err(reason) = check_object(texts.value(row)) {
            rejects.add(row, column_reason(name, &reason));
        }
    }
    Ok(Arc::new(texts))
}

fn struct_objects(name: &str, column: &ArrayRef) -> Result<ArrayRef> {
    let batch = property_batch(vec![("o", Arc::clone(column))], column.len())?;
    let lines = object_lines(&batch).map_err(|error| error.context(format!("column '{name}'")))?;
    // Each line is {} or {"o":{...}}.
    let inner = lines.iter().map(|line| line.strip_prefix("{\"o\":").and_then(|rest| rest.strip_suffix('}')));
    Ok(Arc::new(inner.collect::<StringArray>()))
}

/// Properties from an optional column of objects and the rendered rest. Keys of the object win.
pub fn joined_properties(given: Option<&StringArray>, rest: &RecordBatch) -> Result<ArrayRef> {
    let lines = object_lines(rest)?;
    let mut joined = StringBuilder::with_capacity(lines.len(), lines.iter().map(String::len).sum());
    let mut writer = ObjectWriter::default();
    for (row, line) in lines.iter().enumerate() {
        let given = given.filter(|given| given.is_valid(row)).and_then(|given| trimmed(given.value(row)));
        let object = match (given, line.as_str()) {
            (None, "{}") => None,
            (None, line) => Some(line),
            (Some(given), "{}") => Some(given),
            (Some(given), line) => {
                writer.clear();
                // A damaged object has been rejected by `objects`.
                let (given, rest) = (parse_object(given).unwrap_or_default(), parse_object(line).unwrap_or_default());
                given
                    .iter()
                    .filter(|(_, value)| !is_empty(value))
                    .for_each(|(key, value)| writer.raw(&key.0, value.get()));
                rest.iter()
                    .filter(|(key, _)| !given.contains_key(&*key.0))
                    .for_each(|(key, value)| writer.raw(&key.0, value.get()));
                writer.finish()
            }
        };
        joined.append_option(object);
    }
    Ok(Arc::new(joined.finish()))
}
