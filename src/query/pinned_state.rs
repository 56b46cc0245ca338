//! The state that a statement reads, in the configuration of its session.
//!
//! Functions and tables are made once for all states of a shape. When a statement runs they find its state here: it is
//! the same from the first row to the last, whatever is written meanwhile.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::common::{Result as DfResult, internal_datafusion_err, plan_err};
use datafusion::execution::context::SessionState;

use crate::workspace::Snapshot;

/// Nothing that a user could set: it has no options.
struct PinnedState(Arc<Snapshot>);

impl ConfigExtension for PinnedState {
    const PREFIX: &'static str = "convoke";
}

impl fmt::Debug for PinnedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PinnedState").field(&self.0.id()).finish()
    }
}

impl ExtensionOptions for PinnedState {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(Self(Arc::clone(&self.0)))
    }

    fn set(&mut self, key: &str, _value: &str) -> DfResult<()> {
        plan_err!("convoke.{key} cannot be set")
    }

    /// Calls of a function in sessions with equal entries are one call: so the state is one of them.
    fn entries(&self) -> Vec<ConfigEntry> {
        let value = Some(format!("{:?}", self.0.id()));
        vec![ConfigEntry { key: "convoke.state".to_owned(), value, description: "The state that is read." }]
    }
}

/// Lets statements of the session read this state.
pub(super) fn pin(session: &mut SessionState, state: Arc<Snapshot>) {
    session.config_mut().options_mut().extensions.insert(PinnedState(state));
    // Expressions get the configuration from here.
    session.execution_props_mut().config_options = Some(Arc::clone(session.config().options()));
}

/// The state that the session reads.
///
/// # Errors
/// Internal, for a session that was made to plan, not to run.
pub(super) fn pinned(config: &ConfigOptions) -> DfResult<&Arc<Snapshot>> {
    let pinned = config.extensions.get::<PinnedState>();
    pinned.map(|pinned| &pinned.0).ok_or_else(|| internal_datafusion_err!("a statement runs without a state to read"))
}
