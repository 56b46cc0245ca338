//! Functions that belong to the engine: they hold a snapshot, or know how our own tables are made.
//!
//! Functions of use in any DataFusion program live in the crate `convoke-udfs`.

mod date_trunc;
mod examples;
mod json_entries;
mod net_in_base;
pub(in crate::query) mod numbers;
mod order_lines;
mod person_at;
mod traits;

use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use crate::error::Result;
use crate::workspace::Snapshot;

pub(super) use net_in_base::NetInBase;
pub(super) use person_at::PERSON_AT;

/// Registers these and those of `convoke-udfs`, whose local days are those of `zone`.
pub(super) fn register(state: &mut SessionState, snapshot: &Arc<Snapshot>, zone: Tz) -> Result<()> {
    convoke_udfs::register_all_in_zone(state, zone)?;
    numbers::register(state)?;
    state.register_udf(Arc::new(ScalarUDF::from(date_trunc::DateTrunc::new())))?;
    state.register_udf(Arc::new(ScalarUDF::from(person_at::PersonAt::new(Arc::clone(snapshot)))))?;
    state.register_udf(Arc::new(ScalarUDF::from(order_lines::OrderLines::new())))?;
    state.register_udf(Arc::new(ScalarUDF::from(order_lines::OrderQuantity::new())))?;
    state.register_udf(Arc::new(ScalarUDF::from(json_entries::JsonEntries::new())))?;
    state.register_udaf(Arc::new(AggregateUDF::from(traits::MergeTraits::new())))?;
    state.register_udaf(Arc::new(AggregateUDF::from(examples::FirstExamples::new())))?;
    Ok(())
}
