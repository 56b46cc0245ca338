//! `date_trunc` as DataFusion has it, without a calendar where none is needed.
//!
//! DataFusion takes each UTC instant apart by the rules of a time zone, 50 ns a row. UTC has no rules: its wall time is
//! the instant, and the function's own short way for times without a zone gives the same.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, FieldRef, TimeUnit, TimestampMicrosecondType};
use datafusion::common::Result;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

/// Stands in for DataFusion's function of the same name.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DateTrunc {
    inner: Arc<ScalarUDF>,
}

impl DateTrunc {
    pub(super) fn new() -> Self {
        Self { inner: datafusion::functions::datetime::date_trunc() }
    }
}

impl ScalarUDFImpl for DateTrunc {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(arguments)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.inner.output_ordering(inputs)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn invoke_with_args(&self, mut arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let argument = arguments.args.get_mut(1).and_then(|value| Some((utc_instants(value)?, value)));
        let Some((instants, argument)) = argument else { return self.inner.invoke_with_args(arguments) };
        *argument = ColumnarValue::Array(in_zone(&instants, None));
        match self.inner.invoke_with_args(arguments)? {
            ColumnarValue::Array(truncated) => Ok(ColumnarValue::Array(in_zone(&truncated, Some("UTC")))),
            scalar => Ok(scalar),
        }
    }
}

fn utc_instants(value: &ColumnarValue) -> Option<ArrayRef> {
    match (value, value.data_type()) {
        (ColumnarValue::Array(array), DataType::Timestamp(TimeUnit::Microsecond, Some(zone)))
            if zone.as_ref() == "UTC" =>
        {
            Some(Arc::clone(array))
        }
        _ => None,
    }
}

/// The same numbers under another zone; microseconds stay as they are.
fn in_zone(array: &ArrayRef, zone: Option<&str>) -> ArrayRef {
    match array.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(instants) => Arc::new(instants.clone().with_timezone_opt(zone)),
        None => Arc::clone(array),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::TimestampMicrosecondArray;
    use arrow::datatypes::Field;
    use datafusion::common::ScalarValue;
    use datafusion::config::ConfigOptions;

    use super::*;

    fn truncated(function: &ScalarUDF, unit: &str, instants: &ArrayRef) -> ArrayRef {
        let zoned = Arc::new(Field::new("ts", instants.data_type().clone(), true));
        let arguments = ScalarFunctionArgs {
            args: vec![
                ColumnarValue::Scalar(ScalarValue::Utf8(Some(unit.to_owned()))),
                ColumnarValue::Array(Arc::clone(instants)),
            ],
            arg_fields: vec![Arc::new(Field::new("unit", DataType::Utf8, false)), Arc::clone(&zoned)],
            number_rows: instants.len(),
            return_field: zoned,
            config_options: Arc::new(ConfigOptions::new()),
        };
        function.invoke_with_args(arguments).unwrap().into_array(instants.len()).unwrap()
    }

    /// The oracle is DataFusion's own function, which walks the calendar.
    #[test]
    fn the_short_way_gives_what_the_calendar_gives() {
        let steps = (-3_000..3_000_i64).map(|step| (step % 97 != 0).then_some(step * 1_234_567_890_123 + step));
        let instants: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter(steps).with_timezone("UTC"));
        let (ours, theirs) = (ScalarUDF::from(DateTrunc::new()), datafusion::functions::datetime::date_trunc());
        for unit in
            ["microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year"]
        {
            assert_eq!(&truncated(&ours, unit, &instants), &truncated(&theirs, unit, &instants), "{unit}");
        }
    }
}
