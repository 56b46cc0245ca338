//! A state of a workspace and the session template of its shape: all that a statement needs to be planned and to run.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use datafusion::execution::context::SessionState;
use tokio::time::Instant;

use super::engine::{Engine, Prepared};
use super::pinned_state::pin;
use super::session::{SessionOptions, Template, TemplateParts};
use crate::auth::Caller;
use crate::error::Result;
use crate::ids::WorkspaceName;
use crate::workspace::{Snapshot, SnapshotId};

/// Cheap to clone. Whoever has it reads this state, whatever is written meanwhile.
#[derive(Clone)]
pub(super) struct Binding {
    template: Arc<Template>,
    pub(super) snapshot: Arc<Snapshot>,
}

impl Deref for Binding {
    type Target = Template;

    fn deref(&self) -> &Template {
        &self.template
    }
}

impl Binding {
    /// A session for one request, which reads the state.
    pub(super) fn session(&self, options: &SessionOptions) -> SessionState {
        let mut state = self.template.session_without_state(options);
        pin(&mut state, Arc::clone(&self.snapshot));
        // `now()` is the time of this request, not of the template; of the clock of the root, not of the machine.
        state.mark_start_execution();
        state.execution_props_mut().query_execution_start_time = Some(self.template.workspace.clock().now());
        state
    }
}

impl Engine {
    /// Binds the newest state of the caller's workspace, or one that was leased.
    ///
    /// # Errors
    /// `Conflict` when the state that was asked for is kept no more.
    pub(super) async fn bind(&self, caller: &Caller, id: Option<SnapshotId>) -> Result<Binding> {
        let workspace = self.workspaces.get(&caller.workspace).await?;
        let newest = workspace.snapshot();
        let snapshot = match id {
            Some(id) => self.leases.find(&caller.workspace, &newest, id, Instant::now())?,
            None => newest,
        };
        let parts = TemplateParts {
            workspace: &workspace,
            settings: &self.settings,
            runtime: self.runtime(),
            history: &self.history,
            visibility: caller.visibility(),
        };
        let template = self.templates.get(&parts, &snapshot).await?;
        Ok(Binding { template, snapshot })
    }

    /// The statement bound to the newest state; what was planned for another shape is planned again.
    pub(super) async fn bind_again(
        &self,
        caller: &Caller,
        session: &SessionOptions,
        prepared: &Prepared,
    ) -> Result<Prepared> {
        let binding = self.bind(caller, None).await?;
        match Arc::ptr_eq(&binding.template, &prepared.binding.template) {
            true => Ok(Prepared { statement: Arc::clone(&prepared.statement), binding }),
            false => self.prepare(caller, session, &prepared.sql, None).await,
        }
    }

    /// Lets go of kept states whose time is over, or which cost too much by now. Runs until it is dropped.
    pub async fn sweep_leases(self, period: Duration) {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let opened = self.workspaces.opened();
            let newest = |name: &WorkspaceName| {
                opened.iter().find(|workspace| workspace.name() == name).map(|workspace| workspace.snapshot())
            };
            self.leases.sweep(Instant::now(), newest);
        }
    }

    /// Keeps the state of a planned statement for so long, within the budget of kept states, and names it.
    pub fn lease(&self, prepared: &Prepared, time: Duration) -> SnapshotId {
        let Binding { template, snapshot } = &prepared.binding;
        let newest = template.workspace.snapshot();
        let now = Instant::now();
        self.leases.lease(template.workspace.name(), snapshot, &newest, now, now + time);
        snapshot.id()
    }
}

#[cfg(test)]
mod tests;
