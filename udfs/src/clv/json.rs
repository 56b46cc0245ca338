//! `clv_model_to_json(m)` and `clv_model_from_json(text)`: a fitted model of purchases as text, to keep and to move.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Float64Builder, Int64Builder, NullBufferBuilder, StringBuilder,
    StructArray,
};
use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use serde_json::{Map, Number, Value};

use super::arguments::{Argument, Kind, coerce};
use super::fitted::{VERSION, known_models, purchase_fields};
use super::model::Family;

const TO: &str = "clv_model_to_json";
const FROM: &str = "clv_model_from_json";
const TO_ARGUMENTS: [Argument; 1] = [("model", Kind::Struct)];
const FROM_ARGUMENTS: [Argument; 1] = [("text", Kind::Text)];

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ModelToJson {
    signature: Signature,
}

impl ModelToJson {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

/// The object of one row: fields that are NULL are left out.
fn object(array: &StructArray, row: usize) -> Result<Value> {
    let mut object = Map::new();
    for (field, column) in array.fields().iter().zip(array.columns()) {
        let value = match ScalarValue::try_from_array(column, row)? {
            value if value.is_null() => continue,
            ScalarValue::Int64(Some(value)) => Value::from(value),
            ScalarValue::Float64(Some(value)) => Number::from_f64(value).map_or(Value::Null, Value::Number),
            ScalarValue::Boolean(Some(value)) => Value::from(value),
            other => Value::from(other.to_string()),
        };
        object.insert(field.name().clone(), value);
    }
    Ok(Value::Object(object))
}

impl ScalarUDFImpl for ModelToJson {
    fn name(&self) -> &str {
        TO
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        coerce(TO, &TO_ARGUMENTS, 1, given)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let array = args.args[0].to_array(args.number_rows)?;
        let mut texts = StringBuilder::new();
        for row in 0..args.number_rows {
            match array.as_struct_opt() {
                Some(models) if !models.is_null(row) => texts.append_value(object(models, row)?.to_string()),
                _ => texts.append_null(),
            }
        }
        Ok(ColumnarValue::Array(Arc::new(texts.finish())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "The fitted model as JSON, with every digit; clv_model_from_json reads models of purchases back.",
                "clv_model_to_json(model)",
            )
            .with_argument("model", "what clv_fit or clv_fit_spend returned")
            .with_sql_example("SELECT clv_model_to_json(clv_fit('bg_nbd', 'week', f, r, age)) FROM customers")
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ModelFromJson {
    signature: Signature,
}

impl ModelFromJson {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

/// The object in `text`, checked: known version and family, and its parameters when it converged.
fn parse(text: &str) -> Result<Map<String, Value>> {
    let Ok(Value::Object(object)) = serde_json::from_str::<Value>(text) else {
        return exec_err!(
            "{FROM}: argument 1 (text) is not a JSON object: '{}'",
            text.chars().take(80).collect::<String>()
        );
    };
    match object.get("version").and_then(Value::as_i64) {
        Some(VERSION) => {}
        Some(other) => return exec_err!("{FROM}: the model has version {other}, this program reads version {VERSION}"),
        None => return exec_err!("{FROM}: the model has no version"),
    }
    let name = object.get("model").and_then(Value::as_str).unwrap_or_default();
    let Some(family) = Family::from_name(name) else {
        return exec_err!("{FROM}: '{name}' is no purchase model; {}", known_models());
    };
    if object.get("converged").and_then(Value::as_bool).unwrap_or(true) {
        for name in family.parameter_names() {
            match object.get(name).and_then(Value::as_f64) {
                Some(value) if value > 0.0 => {}
                _ => return exec_err!("{FROM}: parameter {name} must be a number above 0"),
            }
        }
    }
    Ok(object)
}

fn column(field: &Field, objects: &[Option<Map<String, Value>>]) -> ArrayRef {
    let values = objects.iter().map(|object| object.as_ref().and_then(|object| object.get(field.name())));
    match field.data_type() {
        DataType::Int64 => {
            let mut builder = Int64Builder::new();
            values.for_each(|value| builder.append_option(value.and_then(Value::as_i64)));
            Arc::new(builder.finish())
        }
        DataType::Float64 => {
            let mut builder = Float64Builder::new();
            values.for_each(|value| builder.append_option(value.and_then(Value::as_f64)));
            Arc::new(builder.finish())
        }
        DataType::Boolean => {
            let mut builder = BooleanBuilder::new();
            values.for_each(|value| builder.append_option(value.and_then(Value::as_bool)));
            Arc::new(builder.finish())
        }
        _ => {
            let mut builder = StringBuilder::new();
            values.for_each(|value| builder.append_option(value.and_then(Value::as_str)));
            Arc::new(builder.finish())
        }
    }
}

impl ScalarUDFImpl for ModelFromJson {
    fn name(&self) -> &str {
        FROM
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        coerce(FROM, &FROM_ARGUMENTS, 1, given)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(purchase_fields()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let array = args.args[0].to_array(args.number_rows)?;
        let texts = array.as_string::<i32>();
        let objects: Vec<Option<Map<String, Value>>> =
            texts.iter().map(|text| text.map(parse).transpose()).collect::<Result<_>>()?;
        let columns = purchase_fields().iter().map(|field| column(field, &objects)).collect();
        let mut nulls = NullBufferBuilder::new(objects.len());
        objects.iter().for_each(|object| nulls.append(object.is_some()));
        let models = StructArray::try_new(purchase_fields(), columns, nulls.finish())?;
        Ok(ColumnarValue::Array(Arc::new(models)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "Reads a fitted model of purchases from the JSON that clv_model_to_json wrote.",
                "clv_model_from_json(text)",
            )
            .with_argument("text", "JSON with version, model, unit and the model's parameters")
            .with_sql_example(
                "SELECT clv_expected_purchases_new(clv_model_from_json('{\"version\": 1, \"model\": \"bg_nbd\", \
                 \"unit\": \"week\", \"r\": 0.243, \"alpha\": 4.414, \"a\": 0.793, \"b\": 2.426}'), 52)",
            )
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
