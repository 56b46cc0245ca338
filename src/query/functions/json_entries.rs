//! `json_entries(text)`: the keys of a JSON object with the type and the text of each value.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringBuilder, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use serde_json::{Map, Value};

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct JsonEntries {
    signature: Signature,
}

impl JsonEntries {
    pub(super) fn new() -> Self {
        Self { signature: Signature::exact(vec![DataType::Utf8], Volatility::Immutable) }
    }
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("type", DataType::Utf8, false),
        Field::new("value", DataType::Utf8, true),
    ])
}

fn element() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Struct(fields()), true))
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

impl ScalarUDFImpl for JsonEntries {
    fn name(&self) -> &str {
        "json_entries"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::List(element()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let column = args.args[0].to_array(args.number_rows)?;
        let texts = column.as_string::<i32>();
        let (mut keys, mut types, mut values) = (StringBuilder::new(), StringBuilder::new(), StringBuilder::new());
        let mut lengths = Vec::with_capacity(texts.len());
        for text in texts {
            // A text that is no object has no entries.
            let object =
                text.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok()).unwrap_or_default();
            lengths.push(object.len());
            for (key, value) in &object {
                keys.append_value(key);
                types.append_value(type_name(value));
                match value {
                    Value::Null => values.append_null(),
                    Value::String(text) => values.append_value(text),
                    other => values.append_value(other.to_string()),
                }
            }
        }
        let columns: Vec<ArrayRef> = vec![Arc::new(keys.finish()), Arc::new(types.finish()), Arc::new(values.finish())];
        let entries = StructArray::try_new(fields(), columns, None)?;
        let list = ListArray::try_new(element(), OffsetBuffer::from_lengths(lengths), Arc::new(entries), None)?;
        Ok(ColumnarValue::Array(Arc::new(list)))
    }
}
