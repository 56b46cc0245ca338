//! Behaviour over time: `window_funnel`, `retention`, `sequence_*`, sessions, `lifecycle_state`, attribution and
//! preferences (SQL.md 7).
//!
//! `events` and `timelines` are the state that aggregates over timed events share; every other file is one function or
//! family of functions, or the search behind it. Must not know: the server, orders, persons.

mod arguments;
mod attribution;
mod attribution_models;
mod events;
mod funnel;
mod funnel_modes;
mod funnel_once;
mod funnel_steps;
mod lifecycle_state;
mod markov;
mod markov_chain;
mod preferred_channel;
mod preferred_hour;
mod retention;
mod sequence;
mod sequence_pattern;
mod sequence_search;
mod sessionize;
mod sessions;
#[cfg(test)]
mod tests;
mod timeline_aggregate;
mod timelines;
mod touch;

use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};

use timeline_aggregate::aggregate;

/// All scalar functions of the family; `zone` says where a day begins.
pub(crate) fn scalar_functions(zone: Tz) -> Vec<Arc<ScalarUDF>> {
    vec![Arc::new(lifecycle_state::LifecycleState::new(zone).into())]
}

/// All aggregates of the family; `zone` says where a day begins.
pub(crate) fn aggregate_functions(zone: Tz) -> Vec<Arc<AggregateUDF>> {
    let mut functions: Vec<AggregateUDF> = sequence::all().into_iter().map(aggregate).collect();
    functions.push(aggregate(funnel::WindowFunnel));
    functions.push(retention::Retention::new().into());
    functions.push(aggregate(sessions::Sessions));
    functions.push(attribution::Attribution::new().into());
    functions.push(markov::MarkovAttribution::new().into());
    functions.push(preferred_hour::PreferredHour::new(zone).into());
    functions.push(preferred_channel::PreferredChannel::new().into());
    functions.into_iter().map(Arc::new).collect()
}

/// All window functions of the family.
pub(crate) fn window_functions() -> Vec<Arc<WindowUDF>> {
    let mut functions: Vec<WindowUDF> = touch::all().into_iter().map(WindowUDF::from).collect();
    functions.push(sessionize::Sessionize::new().into());
    functions.into_iter().map(Arc::new).collect()
}
