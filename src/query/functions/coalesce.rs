//! `coalesce` that takes a text beside a time or a length of time: DataFusion 55.2 refuses `coalesce(ts, '2024-01-01')`, but
//! not such a CASE or `greatest`. What a literal text beside a time says, the rules over plans read in the session's zone;
//! they refuse other texts there. Beside a length it is an INTERVAL.

use std::sync::Arc;

use arrow::datatypes::{DataType, IntervalUnit};
use datafusion::common::Result;
use datafusion::functions::core::coalesce;
use datafusion::logical_expr::{ScalarUDF, Signature, Volatility};

use super::variation::Variation;

/// Stands in for DataFusion's function of the same name.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Coalesce {
    original: Arc<ScalarUDF>,
    signature: Signature,
}

impl Coalesce {
    pub(super) fn new() -> Self {
        Self { original: coalesce(), signature: Signature::user_defined(Volatility::Immutable) }
    }
}

fn is_time(given: &DataType) -> bool {
    matches!(given, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64)
}

fn is_length(given: &DataType) -> bool {
    matches!(given, DataType::Interval(_) | DataType::Duration(_))
}

impl Variation for Coalesce {
    fn original(&self) -> &Arc<ScalarUDF> {
        &self.original
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let is_length_or_text = |given: &DataType| is_length(given) || given.is_string() || given.is_null();
        if types.iter().any(is_length) && types.iter().any(DataType::is_string) && types.iter().all(is_length_or_text) {
            return Ok(vec![DataType::Interval(IntervalUnit::MonthDayNano); types.len()]);
        }
        let is_time_or_text = |given: &DataType| is_time(given) || given.is_string() || given.is_null();
        if !(types.iter().any(is_time) && types.iter().any(DataType::is_string) && types.iter().all(is_time_or_text)) {
            return self.original.coerce_types(types);
        }
        let times: Vec<DataType> = types.iter().filter(|given| is_time(given)).cloned().collect();
        let common = self.original.coerce_types(&times)?;
        Ok(common.first().map_or_else(Vec::new, |time| vec![time.clone(); types.len()]))
    }
}
