//! `json_entries(text)`: the keys of a JSON object with the type and the text of each value, as it is written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringBuilder, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use serde_json::value::RawValue;

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

/// By the first character, which no two types share.
fn type_name(value: &RawValue) -> &'static str {
    match value.get().as_bytes().first() {
        Some(b'n') => "null",
        Some(b't' | b'f') => "boolean",
        Some(b'"') => "text",
        Some(b'[') => "array",
        Some(b'{') => "object",
        _ => "number",
    }
}

/// A text without its quotes, all else as it is written; `None` for null.
fn text_of(value: &RawValue) -> Option<Cow<'_, str>> {
    let written = value.get();
    match written.as_bytes().first() {
        Some(b'n') => None,
        // Half a surrogate pair has no text: it is shown as it is written.
        Some(b'"') => Some(serde_json::from_str::<String>(written).map_or(Cow::Borrowed(written), Cow::Owned)),
        _ => Some(Cow::Borrowed(written)),
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
            let object = text.and_then(|text| serde_json::from_str::<BTreeMap<String, &RawValue>>(text).ok());
            let object = object.unwrap_or_default();
            lengths.push(object.len());
            for (key, value) in object {
                keys.append_value(key);
                types.append_value(type_name(value));
                values.append_option(text_of(value));
            }
        }
        let columns: Vec<ArrayRef> = vec![Arc::new(keys.finish()), Arc::new(types.finish()), Arc::new(values.finish())];
        let entries = StructArray::try_new(fields(), columns, None)?;
        let list = ListArray::try_new(element(), OffsetBuffer::from_lengths(lengths), Arc::new(entries), None)?;
        Ok(ColumnarValue::Array(Arc::new(list)))
    }
}
