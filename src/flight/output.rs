//! The one way from the engine's types to the types on the wire, so that Prepare, GetFlightInfo, GetSchema and DoGet
//! can never differ.
//!
//! Clients differ in what they read: JDBC 18 knows no view types, no driver dictionaries on the wire of JDBC, and
//! unsigned numbers turn negative there. So the wire carries the types that every client reads. Nullability and
//! extension names are those of the logical plan: the optimizer changes them, and ADBC compares them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringBuilder};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::{IpcMessage, SchemaAsIpc};
use bytes::Bytes;
use datafusion_functions_json::{JSON_UNION_DATA_TYPE, JsonUnionEncoder, JsonUnionValue};

use super::type_names::type_name;
use crate::error::{Error, Result};

const TYPE_NAME: &str = "ARROW:FLIGHT:SQL:TYPE_NAME";
const PRECISION: &str = "ARROW:FLIGHT:SQL:PRECISION";
const SCALE: &str = "ARROW:FLIGHT:SQL:SCALE";
/// JDBC shows this text instead of the column's name.
const REMARKS: &str = "ARROW:FLIGHT:SQL:REMARKS";
const ARROW_PREFIX: &str = "ARROW:";

/// A failed cast is an error: a NULL in its place would be a silent change of data.
const CAST: CastOptions<'static> =
    CastOptions { safe: false, format_options: arrow::util::display::FormatOptions::new() };

/// The wire form of one result.
#[derive(Debug, Clone)]
pub struct Output {
    wire: SchemaRef,
}

impl Output {
    /// The output of a plan with this logical schema.
    pub fn of(logical: &Schema) -> Self {
        let fields: Vec<Field> = logical.fields().iter().map(|field| wire_column(field)).collect();
        Self { wire: Arc::new(Schema::new(fields)) }
    }

    pub fn schema(&self) -> &SchemaRef {
        &self.wire
    }

    /// A batch of the engine as a batch of the wire schema.
    ///
    /// # Errors
    /// `Internal` when the engine broke its promise: other columns, or a NULL where the plan said there is none.
    pub fn adapt(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        if batch.num_columns() != self.wire.fields().len() {
            return Err(Error::internal(format!(
                "the plan yields {} columns, {} were promised",
                batch.num_columns(),
                self.wire.fields().len()
            )));
        }
        let columns = batch
            .columns()
            .iter()
            .zip(self.wire.fields())
            .map(|(column, field)| adapt_column(column, field))
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.wire), columns, &options)
            .map_err(|error| Error::internal(format!("the result breaks its schema: {error}")).with_source(error))
    }
}

/// A schema as the bytes that Flight messages carry.
pub(super) fn schema_bytes(schema: &Schema) -> Result<Bytes> {
    let IpcMessage(bytes) = SchemaAsIpc::new(schema, &IpcWriteOptions::default()).try_into()?;
    Ok(bytes)
}

fn wire_column(field: &Field) -> Field {
    let is_json = is_json_union(field.data_type());
    let field = wire_field(field);
    let mut metadata = field.metadata().clone();
    metadata.remove(REMARKS);
    let name = if is_json { "JSON" } else { type_name(&field) };
    metadata.insert(TYPE_NAME.into(), name.into());
    if let DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) = field.data_type() {
        metadata.insert(PRECISION.into(), precision.to_string());
        metadata.insert(SCALE.into(), scale.to_string());
    }
    field.with_metadata(metadata)
}

/// Name and nullability stay, the type becomes a wire type, of the metadata stays what Arrow defines.
fn wire_field(field: &Field) -> Field {
    let metadata: HashMap<String, String> = field
        .metadata()
        .iter()
        .filter(|(key, _)| key.starts_with(ARROW_PREFIX))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    Field::new(field.name(), wire_type(field.data_type()), field.is_nullable()).with_metadata(metadata)
}

fn wire_child(field: &FieldRef) -> FieldRef {
    Arc::new(wire_field(field))
}

fn wire_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 | DataType::Null => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::Dictionary(_, values) => wire_type(values),
        DataType::RunEndEncoded(_, values) => wire_type(values.data_type()),
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Timestamp(unit, Some(zone)) if matches!(zone.as_ref(), "+00:00" | "-00:00" | "Z" | "Etc/UTC") => {
            DataType::Timestamp(*unit, Some("UTC".into()))
        }
        DataType::List(child)
        | DataType::LargeList(child)
        | DataType::ListView(child)
        | DataType::LargeListView(child) => DataType::List(wire_child(child)),
        DataType::FixedSizeList(child, size) => DataType::FixedSizeList(wire_child(child), *size),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(wire_child).collect()),
        DataType::Map(entries, sorted) => DataType::Map(wire_child(entries), *sorted),
        union if is_json_union(union) => DataType::Utf8,
        other => other.clone(),
    }
}

fn adapt_column(column: &ArrayRef, field: &Field) -> Result<ArrayRef> {
    if column.data_type() == field.data_type() {
        return Ok(Arc::clone(column));
    }
    if is_json_union(column.data_type()) {
        return Ok(json_text(column));
    }
    let cannot = |error| Error::from(error).context(format!("column '{}' cannot be sent", field.name()));
    let sent = cast_with_options(column, field.data_type(), &CAST).map_err(cannot)?;
    // Another type than was promised may hold what the promised one cannot, such as fractions: never cut in silence.
    if wire_type(column.data_type()) != *field.data_type()
        && cast_with_options(&sent, column.data_type(), &CAST).map_err(cannot)?.as_ref() != column.as_ref()
    {
        let (name, promised, found) = (field.name(), field.data_type(), column.data_type());
        return Err(Error::invalid(format!("column '{name}' was planned as {promised} and holds {found}: CAST it")));
    }
    Ok(sent)
}

/// The type that `->` yields: one child for each kind of JSON value.
fn is_json_union(data_type: &DataType) -> bool {
    *data_type == *JSON_UNION_DATA_TYPE
}

/// JSON values as JSON text. A missing value and JSON's null are both NULL, as in `->>`.
fn json_text(column: &ArrayRef) -> ArrayRef {
    let union = column.as_any().downcast_ref().cloned();
    let Some(values) = union.and_then(JsonUnionEncoder::from_union) else {
        return arrow::array::new_null_array(&DataType::Utf8, column.len());
    };
    let mut text = StringBuilder::new();
    for row in 0..values.len() {
        match values.get_value(row) {
            JsonUnionValue::JsonNull => text.append_null(),
            JsonUnionValue::Bool(value) => text.append_value(if value { "true" } else { "false" }),
            JsonUnionValue::Int(value) => text.append_value(value.to_string()),
            JsonUnionValue::Float(value) => text.append_value(serde_json::Value::from(value).to_string()),
            JsonUnionValue::Str(value) => text.append_value(serde_json::Value::from(value).to_string()),
            JsonUnionValue::Array(value) | JsonUnionValue::Object(value) => text.append_value(value),
        }
    }
    Arc::new(text.finish())
}

/// Bytes that an array takes on the wire, counting only the part that a slice shows: buffers are shared, so their
/// capacity says nothing.
pub(super) fn wire_bytes(array: &dyn Array) -> usize {
    let nulls = array.nulls().map_or(0, |_| array.len().div_ceil(8));
    nulls
        + match array.data_type() {
            DataType::Utf8 => text_bytes(array.as_string::<i32>().value_offsets()),
            DataType::Binary => text_bytes(array.as_binary::<i32>().value_offsets()),
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                child_bytes(list.value_offsets(), list.values().as_ref())
            }
            DataType::Map(..) => {
                let map = array.as_map();
                child_bytes(map.value_offsets(), map.entries())
            }
            DataType::Struct(_) => array.as_struct().columns().iter().map(|child| wire_bytes(child)).sum(),
            DataType::Boolean => array.len().div_ceil(8),
            fixed => match fixed.primitive_width() {
                Some(width) => width * array.len(),
                None => array.to_data().get_slice_memory_size().unwrap_or_else(|_| array.get_buffer_memory_size()),
            },
        }
}

fn text_bytes(offsets: &[i32]) -> usize {
    let (start, end) = ends(offsets);
    end - start + size_of_val(offsets)
}

fn child_bytes(offsets: &[i32], child: &dyn Array) -> usize {
    let (start, end) = ends(offsets);
    size_of_val(offsets) + wire_bytes(child.slice(start, end - start).as_ref())
}

/// Offsets are never negative and never fall.
fn ends(offsets: &[i32]) -> (usize, usize) {
    let at = |offset: Option<&i32>| offset.map_or(0, |offset| usize::try_from(*offset).unwrap_or(0));
    (at(offsets.first()), at(offsets.last()))
}

#[cfg(test)]
mod tests;
