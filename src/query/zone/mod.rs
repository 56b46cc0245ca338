//! Instants and the wall clock of a time zone, in both directions: what SQL.md (Time) says of doubled and skipped times.
//!
//! Knows arrays and values, no SQL and no plan.

use chrono_tz::Tz;
use datafusion::common::config::ConfigOptions;

mod clock;
mod columns;
mod nested;
mod text;
mod value;

pub(super) use clock::LocalClock;
pub(super) use columns::{
    OnError, days_of_instants, days_of_texts, instants_of, is_instant, is_wall_time, numbers_of, per_second, times_of,
    walls_of, walls_of_texts,
};
pub(super) use nested::in_zone;
pub(super) use value::{to_instant, to_wall_time};

/// The zone of a session's configuration.
pub(super) fn of_session(config: &ConfigOptions) -> Tz {
    config.execution.time_zone.as_deref().and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC)
}

/// The one time zone of all instants in results and tables.
pub(super) const UTC: &str = "UTC";

#[cfg(test)]
mod tests;
