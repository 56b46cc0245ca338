//! Customer lifetime value and RFM: `clv_*` and `rfm_*` (SQL.md 6).
//!
//! `model` and `fit` are mathematics without Arrow; every other file is one function or family of functions over them.

mod arguments;
mod fit;
mod fit_purchases;
mod fit_spend;
mod fitted;
mod json;
mod model;
mod multiset;
mod predictions;
mod rfm_breaks;
mod rfm_score;
mod special;
mod spend;
mod summary;
mod summary_rule;
mod summary_state;
mod value;

use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

/// All scalar functions of the family.
pub(crate) fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    let mut functions: Vec<ScalarUDF> = predictions::all().into_iter().map(ScalarUDF::from).collect();
    functions.push(spend::ExpectedSpend::new().into());
    functions.push(value::Value::new().into());
    functions.push(json::ModelToJson::new().into());
    functions.push(json::ModelFromJson::new().into());
    functions.push(rfm_score::Score::new().into());
    functions.push(rfm_score::Segment::new().into());
    functions.into_iter().map(Arc::new).collect()
}

/// All aggregates of the family; `zone` says where a day begins.
pub(crate) fn aggregate_functions(zone: Tz) -> Vec<Arc<AggregateUDF>> {
    let functions: [AggregateUDF; 4] = [
        summary::Summary::new(zone).into(),
        fit_purchases::FitPurchases::new().into(),
        fit_spend::FitSpend::new().into(),
        rfm_breaks::Breaks::new().into(),
    ];
    functions.into_iter().map(Arc::new).collect()
}
