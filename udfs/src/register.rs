//! One call that makes all functions known to a session.

use chrono_tz::Tz;
use datafusion::common::Result;
use datafusion::logical_expr::registry::FunctionRegistry;

use crate::{bitmap, clv};

/// Registers every function and aggregate; local days are those of UTC.
///
/// # Errors
/// Those of the registry.
pub fn register_all(registry: &mut dyn FunctionRegistry) -> Result<()> {
    register_all_in_zone(registry, Tz::UTC)
}

/// Registers every function and aggregate; local days are those of `zone`.
///
/// # Errors
/// Those of the registry.
pub fn register_all_in_zone(registry: &mut dyn FunctionRegistry, zone: Tz) -> Result<()> {
    for function in bitmap::scalar_functions() {
        registry.register_udf(function)?;
    }
    for function in clv::scalar_functions() {
        registry.register_udf(function)?;
    }
    for function in bitmap::conversion_functions() {
        registry.register_udf(function)?;
    }
    for function in bitmap::aggregate_functions() {
        registry.register_udaf(function)?;
    }
    for function in clv::aggregate_functions(zone) {
        registry.register_udaf(function)?;
    }
    Ok(())
}
