//! The one writer of a workspace in this process: loads and changes wait here for each other, in the order in which they
//! came, and hold the right to write against other processes.

use std::sync::Arc;

use tokio::sync::MutexGuard;

use super::load::Load;
use super::manifest::Manifest;
use super::rules::{self, RuleChange, Rules};
use super::snapshot::Snapshot;
use super::state::Workspace;
use crate::error::{Error, Kind, Result};
use crate::identity::IdentityGraph;
use crate::store::WriterLock;
use crate::store::delta::{CHECKPOINT_VERSIONS, Change, ChangeKind, DataFile, WrittenFile};

/// This process as the writer of the workspace.
#[derive(Default)]
pub(super) struct Writing {
    pub(super) lock: Option<WriterLock>,
    /// The table is there, and what others committed before this process got the lock has been read.
    pub(super) prepared: bool,
    /// The graph of the newest state. A load takes it away and brings it back by its commit: one that fails, or for which
    /// nobody waits any more, leaves none, and what is stored is read again.
    pub(super) graph: Option<IdentityGraph>,
}

/// The right to commit: of those who ask for it one has it at a time.
pub struct Writer<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) writing: MutexGuard<'a, Writing>,
}

impl Workspace {
    /// Waits for those who asked before and takes the right to commit.
    ///
    /// # Errors
    /// `Conflict` when another process writes to this workspace.
    pub async fn writer(&self) -> Result<Writer<'_>> {
        let mut writer = Writer { workspace: self, writing: self.writing().lock().await };
        writer.lock().await?;
        writer.prepare().await?;
        Ok(writer)
    }
}

impl<'a> Writer<'a> {
    /// Begins to load: no state shows any of it unless it is committed.
    ///
    /// # Errors
    /// `Internal` when there is no graph: whoever gets the right to write has one.
    pub fn begin_load(mut self) -> Result<Load<'a>> {
        let graph = self.writing.graph.take().ok_or_else(|| Error::internal("a writer without an identity graph"))?;
        Ok(Load::new(self, graph))
    }
}

impl Writer<'_> {
    /// To be called before each commit.
    ///
    /// # Errors
    /// `Conflict` when another process has taken over.
    pub async fn check(&self) -> Result<()> {
        match &self.writing.lock {
            Some(lock) => lock.check().await,
            None => Err(Error::internal("a writer without its lock")),
        }
    }

    async fn lock(&mut self) -> Result<()> {
        if let Some(lock) = &self.writing.lock
            && let Err(error) = lock.check().await
        {
            if error.kind() != Kind::Conflict {
                return Err(error);
            }
            // Another process has taken over, and may have ended since.
            self.writing.lock = None;
            self.writing.prepared = false;
        }
        if self.writing.lock.is_none() {
            self.writing.lock = Some(WriterLock::acquire(self.workspace.root(), self.workspace.name()).await?);
        }
        Ok(())
    }

    /// Reads what others have written, or what is stored when a load has not come back.
    async fn prepare(&mut self) -> Result<()> {
        if self.writing.prepared {
            return if self.writing.graph.is_none() { self.refresh().await } else { Ok(()) };
        }
        self.workspace.events().create().await?;
        self.check_zone().await?;
        // Another process may have committed, or set rules, before this one got the lock.
        self.refresh().await?;
        if rules::newest(&self.workspace.store()).await? != self.workspace.snapshot().rules.revision {
            let rules = Rules::load(&self.workspace.store(), self.workspace.manifest()).await?;
            self.adopt(rules).await?;
        }
        self.writing.prepared = true;
        Ok(())
    }

    /// # Errors
    /// `Conflict` when another process chose the time zone after this one had opened the workspace: its days are others.
    async fn check_zone(&self) -> Result<()> {
        let (root, name) = (self.workspace.root(), self.workspace.name());
        let stored = Manifest::read(&root.store(), &root.paths(name).manifest(), name).await?;
        match stored.is_none_or(|stored| stored.time_zone == self.workspace.manifest().time_zone) {
            true => Ok(()),
            false => Err(Error::conflict(format!(
                "the time zone of workspace '{name}' was chosen after it was opened here: start again"
            ))),
        }
    }

    /// Reads what was committed since, by this or another process. The rules stay those it was opened with.
    pub async fn refresh(&mut self) -> Result<()> {
        // Taken out: one that is left in the middle of a replay must not be used again.
        let graph = match self.writing.graph.take() {
            Some(graph) => graph,
            None => {
                let mut graph = self.workspace.replay(Arc::clone(&self.workspace.snapshot().rules.types)).await?;
                // The same persons: what the lost graph still holds goes with it.
                let identity = graph.snapshot();
                self.workspace.publish(Snapshot { identity, ..self.workspace.snapshot().as_ref().clone() });
                graph
            }
        };
        self.writing.graph = Some(self.workspace.catch_up(graph).await?);
        Ok(())
    }

    /// Puts files with the same rows in place of others, as the next version.
    ///
    /// # Errors
    /// `Conflict` when one of `removed` is not live any more.
    pub async fn replace_files(
        &mut self,
        removed: &[Arc<DataFile>],
        added: Vec<WrittenFile>,
        target_bytes: u64,
    ) -> Result<Arc<Snapshot>> {
        self.check().await?;
        let held = self.workspace.snapshot();
        if !removed.iter().all(|file| held.events.contains(file)) {
            return Err(Error::conflict("files that were to be compacted are not in the table any more"));
        }
        let version = held.events.version + 1;
        let change = Change { removed, added: &added, kind: ChangeKind::Rewrite { target_bytes } };
        if let Err(error) = self.workspace.events().rewrite(version, change).await {
            // Whatever went wrong, the log tells what is true now.
            self.refresh().await?;
            return Err(error);
        }
        self.workspace.publish(Snapshot { events: held.events.changed(&change), ..held.as_ref().clone() });
        self.checkpoint_log_if_due(version).await;
        Ok(self.workspace.snapshot())
    }

    /// The commit stands without its checkpoint: a failure is only logged.
    pub(super) async fn checkpoint_log_if_due(&self, version: u64) {
        if version.is_multiple_of(CHECKPOINT_VERSIONS)
            && let Err(error) = self.workspace.events().checkpoint(version).await
        {
            tracing::warn!(workspace = %self.workspace.name(), %error, "no checkpoint of the events table");
        }
    }

    /// Writes a new revision of the rules and makes it visible.
    ///
    /// # Errors
    /// `Conflict` for settings that leave out an identifier type of which there are identifiers.
    pub async fn change_rules(&mut self, change: RuleChange) -> Result<Arc<Rules>> {
        let held = self.workspace.snapshot();
        if let Some(settings) = &change.settings {
            let dropped = held.rules.settings.identifier_types.iter().filter(|old| {
                let is_kept = settings.identifier_types.iter().any(|new| new.name == old.name);
                !is_kept && held.rules.types.id(&old.name).is_ok_and(|kind| held.identity.uses(kind))
            });
            if let Some(used) = dropped.map(|old| &old.name).next() {
                return Err(Error::conflict(format!(
                    "identifier type '{used}' has identifiers: it cannot be taken away, name it with the others"
                )));
            }
        }
        // Should it break off between here and there, the next writer reads what holds.
        self.writing.prepared = false;
        let rules = held.rules.write_next(&self.workspace.store(), change).await?;
        self.adopt(rules).await?;
        self.writing.prepared = true;
        Ok(Arc::clone(&self.workspace.snapshot().rules))
    }

    /// Makes other rules those of the newest snapshot.
    async fn adopt(&mut self, rules: Rules) -> Result<()> {
        let held = self.workspace.snapshot();
        let mut identity = held.identity.clone();
        if rules.types != held.rules.types {
            let mut graph = self.workspace.replay(Arc::clone(&rules.types)).await?;
            identity = graph.snapshot();
            self.writing.graph = Some(graph);
        }
        self.workspace.publish(Snapshot { identity, rules: Arc::new(rules), ..held.as_ref().clone() });
        Ok(())
    }
}
