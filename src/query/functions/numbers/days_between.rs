//! `day - day`: how many days lie between, as in Postgres and DuckDB.
//!
//! Of DataFusion 55.2's operator the result is a BIGINT, but its bounds, by which a filter over the difference counts its
//! rows, are lengths in seconds: `day - DATE '2024-01-01' > 30` failed. Can go when the operator's bounds are of its type:
//! `tests/slt/date_differences.slt` then passes without it.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Date32Type, Field, FieldRef};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, cast,
};

use crate::error::Error;

/// The difference of two days; `None` where one of the types is not that of days.
pub(super) fn days_between(left: (&Expr, &DataType), right: (&Expr, &DataType)) -> Option<Expr> {
    let (left, right) = (as_day(left.0, left.1)?, as_day(right.0, right.1)?);
    Some(function().call(vec![left, right]))
}

pub(super) fn function() -> Arc<ScalarUDF> {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(DaysBetween::new())));
    Arc::clone(&FUNCTION)
}

fn as_day(operand: &Expr, given: &DataType) -> Option<Expr> {
    match given {
        DataType::Date32 => Some(operand.clone()),
        DataType::Date64 => Some(cast(operand.clone(), DataType::Date32)),
        _ => None,
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct DaysBetween {
    signature: Signature,
}

impl DaysBetween {
    fn new() -> Self {
        let days = vec![DataType::Date32, DataType::Date32];
        Self { signature: Signature::exact(days, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for DaysBetween {
    fn name(&self) -> &str {
        "days_between"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The name of a column is that of the operator.
    fn schema_name(&self, arguments: &[Expr]) -> DfResult<String> {
        let names: Vec<String> = arguments.iter().map(|argument| argument.schema_name().to_string()).collect();
        Ok(names.join(" - "))
    }

    fn return_type(&self, _types: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Int64)
    }

    /// NULL for NULL alone.
    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> DfResult<FieldRef> {
        let types: Vec<DataType> = arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let nullable = arguments.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, nullable)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    /// Of its type: of bounds without one DataFusion forgets how the rows are sorted.
    fn evaluate_bounds(&self, _inputs: &[&Interval]) -> DfResult<Interval> {
        Interval::make_unbounded(&DataType::Int64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let is_constant = arguments.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        let [left, right] = &columns[..] else {
            return Err(Error::internal("a difference of other than two days").into());
        };
        let (left, right) = (left.as_primitive::<Date32Type>(), right.as_primitive::<Date32Type>());
        let days = left.iter().zip(right).map(|(left, right)| Some(i64::from(left?) - i64::from(right?)));
        let days: ArrayRef = Arc::new(days.collect::<Int64Array>());
        Ok(match is_constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&days, 0)?),
            false => ColumnarValue::Array(days),
        })
    }
}
