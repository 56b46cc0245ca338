//! One call that makes all functions known to a session.

use chrono_tz::Tz;
use datafusion::common::Result;
use datafusion::logical_expr::registry::FunctionRegistry;

use crate::{bitmap, clv, identity, lifecycle};

/// Registers every function, aggregate and window function; local days are those of UTC.
///
/// # Errors
/// Those of the registry.
pub fn register_all(registry: &mut dyn FunctionRegistry) -> Result<()> {
    register_all_in_zone(registry, Tz::UTC)
}

/// Registers every function, aggregate and window function; local days are those of `zone`.
///
/// # Errors
/// Those of the registry.
pub fn register_all_in_zone(registry: &mut dyn FunctionRegistry, zone: Tz) -> Result<()> {
    let scalars = [
        bitmap::scalar_functions(),
        bitmap::conversion_functions(),
        clv::scalar_functions(),
        identity::scalar_functions(),
        lifecycle::scalar_functions(zone),
    ];
    for function in scalars.into_iter().flatten() {
        registry.register_udf(function)?;
    }
    let aggregates = [
        bitmap::aggregate_functions(),
        clv::aggregate_functions(zone),
        identity::aggregate_functions(),
        lifecycle::aggregate_functions(zone),
    ];
    for function in aggregates.into_iter().flatten() {
        registry.register_udaf(function)?;
    }
    for function in lifecycle::window_functions() {
        registry.register_udwf(function)?;
    }
    Ok(())
}
