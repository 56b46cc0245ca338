//! The engine's numbers: operators, casts and sums that are right or fail, never wrapped or cut in silence.
//!
//! DataFusion 55.2 wraps integers that overflow (also while it folds constants), divides integers and decimals by
//! cutting digits, and cuts digits in casts. Its operators are planned as these functions, which take numbers, lengths of
//! time times a number, and differences of days: what else is done with days and instants stays with DataFusion. Functions
//! of `convoke-udfs` alone keep DataFusion's numbers.

mod arithmetic;
mod average;
mod continuous_percentile;
mod days_and_time;
mod days_between;
mod double_extreme;
mod exact_sums;
mod interval_length;
mod interval_sums;
mod length_factor;
mod length_operands;
mod length_part;
mod list_sum;
mod longest_interval;
mod median;
mod negate;
mod one_zero;
mod one_zero_group;
mod operands;
mod pad_length;
mod percentile;
mod plain_number;
mod planner;
mod power;
mod quotient;
mod round;
mod round_cast;
mod scale_length;
mod shift;
mod sum;
mod sum_output;
#[cfg(test)]
mod tests;
mod whole;
mod whole_days;

use std::sync::Arc;

use datafusion::execution::FunctionRegistry;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

pub(in crate::query) use self::arithmetic::Arithmetic;
use self::arithmetic::Operation;
pub(in crate::query) use self::days_and_time::days_and_time;
pub(in crate::query) use self::double_extreme::extreme_of_doubles;
pub(in crate::query) use self::interval_length::{has_length, interval_length};
pub(in crate::query) use self::length_operands::{check_length_operands, text_beside_length};
pub(in crate::query) use self::length_part::length_part;
pub(in crate::query) use self::longest_interval::{extreme_of_group, extreme_of_row};
pub(in crate::query) use self::negate::negate;
pub(in crate::query) use self::one_zero::{is_one_zero, one_zero, one_zero_key, one_zero_value};
pub(in crate::query) use self::one_zero_group::{has_one_zero, one_zero_of_group};
pub(in crate::query) use self::operands::{is_number, sql_name};
pub(in crate::query) use self::pad_length::pad_length;
pub(in crate::query) use self::plain_number::plain_number;
pub(in crate::query) use self::planner::{NumberPlanner, plan_operation};
pub(in crate::query) use self::round_cast::{RoundCast, as_key, loses_digits, round_cast};
pub(in crate::query) use self::whole_days::{check_whole_days, is_whole_days, whole_days};

use super::aggregate_variation::vary_aggregate;
use crate::error::Result;

/// Registers the functions under their names; those that DataFusion has, too, take its place.
pub(super) fn register(state: &mut SessionState) -> Result<()> {
    for operation in Operation::ALL {
        state.register_udf(arithmetic::function(operation))?;
    }
    let of_doubles = state.udf("array_sum")?;
    let scalars = [
        ScalarUDF::from(list_sum::ListSum::new(of_doubles)),
        ScalarUDF::from(power::Power::new()),
        ScalarUDF::from(round::Round::new()),
        ScalarUDF::from(whole::Whole::ceil()),
        ScalarUDF::from(whole::Whole::floor()),
        ScalarUDF::from(whole::Whole::trunc()),
    ];
    for function in scalars {
        state.register_udf(Arc::new(function))?;
    }
    let others = [
        negate::function(),
        interval_length::function(),
        length_part::function(),
        whole_days::function(),
        days_and_time::function(),
        days_between::function(),
        one_zero::function(),
        pad_length::function(),
        plain_number::function(),
    ];
    let others = others.into_iter().chain(round_cast::functions()).chain(shift::functions());
    for function in others.chain(scale_length::functions()).chain(longest_interval::functions()) {
        state.register_udf(function)?;
    }
    for function in longest_interval::aggregates() {
        state.register_udaf(function)?;
    }
    state.register_udaf(Arc::new(AggregateUDF::from(sum::Sum::new())))?;
    state.register_udaf(Arc::new(AggregateUDF::from(average::Average::new())))?;
    state.register_udaf(Arc::new(vary_aggregate(median::Median::new())))?;
    state.register_udaf(Arc::new(vary_aggregate(percentile::Percentile::new())))?;
    Ok(())
}
