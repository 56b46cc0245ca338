//! Functions that belong to the engine: they read the state of a statement, or know how our own tables are made.
//!
//! Functions of use in any DataFusion program live in the crate `convoke-udfs`. What users call has a documentation; what
//! only plans and the texts of our own tables call has none, and is not shown.

mod aggregate_variation;
mod approx_median;
mod bigint;
mod coalesce;
mod date_part;
mod date_trunc;
mod examples;
mod fields;
mod interval_fractions;
mod interval_text;
mod json_entries;
pub(super) mod local_time;
mod maybe_null;
mod named_cast;
mod nested_order;
pub(in crate::query) mod numbers;
mod order_book;
mod order_first;
mod order_fits;
mod order_names;
mod person_at;
mod result_of;
mod self_sorting;
mod single_group;
mod sliding_frame;
mod to_char;
mod to_timestamp;
mod to_unixtime;
mod traits;
mod variation;

use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use crate::error::Result;
use crate::workspace::BaseCurrency;

pub(super) use date_part::ExtractPlanner;
pub(super) use fields::FieldPlanner;
pub(super) use interval_fractions::spell_fractions;
pub(super) use interval_text::{IntervalText, read_units, with_units};
pub(super) use maybe_null::{maybe_null, value_within};
pub(in crate::query) use named_cast::NAMED_CAST;
pub(in crate::query) use nested_order::nested_order;
pub(super) use order_book::{CATEGORY as ORDER_CATEGORY, PRICES as ORDER_PRICES, SHORT as ORDER_SHORT};
pub(super) use person_at::{PERSON_AT, PERSON_OF_IDENTIFIER};
pub(super) use self_sorting::sort_alone;
pub(in crate::query) use variation::{variation_of, vary};

/// Registers these and those of `convoke-udfs`, whose local days are those of `zone`.
pub(super) fn register(state: &mut SessionState, zone: Tz) -> Result<()> {
    convoke_udfs::register_all_in_zone(state, zone)?;
    numbers::register(state)?;
    bigint::register(state)?;
    state.register_udf(date_part::function())?;
    state.register_udf(Arc::new(vary(date_trunc::DateTrunc::new())))?;
    state.register_udf(Arc::new(vary(to_char::ToChar::new())))?;
    let to_timestamp = state.udf("to_timestamp")?;
    state.register_udf(Arc::new(vary(to_timestamp::ToTimestamp::new(to_timestamp))))?;
    let to_unixtime = state.udf("to_unixtime")?;
    state.register_udf(Arc::new(vary(to_unixtime::ToUnixtime::new(to_unixtime))))?;
    state.register_udf(Arc::new(vary(coalesce::Coalesce::new())))?;
    state.register_udf(Arc::new(ScalarUDF::from(named_cast::NamedCast::new())))?;
    for function in local_time::functions(|name| state.udf(name))? {
        state.register_udf(function)?;
    }
    state.register_udf(Arc::new(ScalarUDF::from(person_at::PersonAt::new())))?;
    state.register_udf(Arc::new(ScalarUDF::from(person_at::PersonOfIdentifier::new())))?;
    state.register_udf(Arc::new(ScalarUDF::from(json_entries::JsonEntries::new())))?;
    state.register_udaf(Arc::new(aggregate_variation::vary_aggregate(approx_median::ApproxMedian::new())))?;
    state.register_udaf(Arc::new(AggregateUDF::from(traits::MergeTraits::new())))?;
    state.register_udaf(Arc::new(AggregateUDF::from(examples::FirstExamples::new())))?;
    Ok(())
}

/// Registers what the tables of orders are made of.
pub(super) fn register_orders(state: &mut SessionState, base: BaseCurrency, zone: Tz) -> Result<()> {
    use order_book::OrderBook;
    use order_names::OrderNames;
    for function in [OrderNames::number(zone), OrderNames::within(zone), OrderNames::day(zone)] {
        state.register_udf(Arc::new(ScalarUDF::from(function)))?;
    }
    state.register_udf(Arc::new(ScalarUDF::from(order_fits::OrderFits::new())))?;
    state.register_udaf(Arc::new(AggregateUDF::from(order_first::OrderFirst::new())))?;
    let base = Arc::new(base);
    for function in [OrderBook::sums(&base), OrderBook::bookings(&base), OrderBook::parts(&base)] {
        state.register_udaf(Arc::new(AggregateUDF::from(function)))?;
    }
    Ok(())
}
