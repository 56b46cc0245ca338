//! An interval that is added to a DATE, which has no time of day: DataFusion 55.2 drops hours and less in silence, and
//! `DATE '2024-03-01' + INTERVAL '1 hour'` was the same day.

use std::sync::{Arc, LazyLock};

use arrow::array::AsArray;
use arrow::datatypes::{DataType, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::Error;

const NANOSECONDS_OF_A_DAY: i64 = 86_400_000_000_000;

/// The interval, which must have no hours or less beside its days when rows are computed.
pub(in crate::query) fn whole_days(interval: Expr) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(function(), vec![interval]))
}

pub(in crate::query) fn is_whole_days(expression: &Expr) -> bool {
    matches!(expression, Expr::ScalarFunction(call) if call.func == function())
}

/// # Errors
/// `InvalidInput` for an interval that has hours or less beside its days.
pub(in crate::query) fn check_whole_days(interval: &IntervalMonthDayNano) -> DfResult<()> {
    match interval.nanoseconds % NANOSECONDS_OF_A_DAY {
        0 => Ok(()),
        _ => Err(Error::invalid(
            "a DATE and an interval with hours or less: a DATE has no time of day, write CAST(d AS TIMESTAMP) + i",
        )
        .into()),
    }
}

pub(super) fn function() -> Arc<ScalarUDF> {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(WholeDays::new())));
    Arc::clone(&FUNCTION)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct WholeDays {
    signature: Signature,
}

impl WholeDays {
    fn new() -> Self {
        let interval = DataType::Interval(IntervalUnit::MonthDayNano);
        Self { signature: Signature::exact(vec![interval], Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for WholeDays {
    fn name(&self) -> &str {
        "whole_days"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Interval(IntervalUnit::MonthDayNano))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let operand = arguments.args.into_iter().next().ok_or_else(|| Error::internal("days of nothing"))?;
        let column = operand.to_array(1)?;
        column
            .as_primitive::<IntervalMonthDayNanoType>()
            .iter()
            .flatten()
            .try_for_each(|each| check_whole_days(&each))?;
        Ok(operand)
    }
}
