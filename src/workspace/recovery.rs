//! From what is stored to the newest state: the newest checkpoint that can be read, and the loads after it.

use std::sync::Arc;

use super::checkpoint::Restored;
use super::snapshot::{Loads, Snapshot};
use super::state::Workspace;
use super::tables::TablesSnapshot;
use crate::error::{Error, Kind, Result};
use crate::identity::{IdentifierTypes, IdentityBatch, IdentityGraph};
use crate::store::delta::LiveFiles;
use crate::store::objects;

/// Up to which version of the events table a graph is true.
struct Known {
    version: u64,
    loads: Loads,
}

impl Workspace {
    /// Reads the stored state when the workspace is opened.
    pub(super) async fn recover(&self) -> Result<()> {
        let events = self.events().newest().await?;
        let types = Arc::clone(&self.snapshot().rules.types);
        if let Some(restored) =
            self.checkpoints().restore(events.version, || IdentityGraph::new(Arc::clone(&types))).await
        {
            match self.recover_from(restored, events.clone()).await {
                Err(error) if error.kind() == Kind::Corrupt => {
                    tracing::warn!(workspace = %self.name(), %error, "loads do not follow on the checkpoint: all are read");
                }
                outcome => return outcome,
            }
        }
        self.recover_from(Restored::nothing(types), events).await
    }

    async fn recover_from(&self, restored: Restored, events: LiveFiles) -> Result<()> {
        let Restored { checkpoint, version, graph, loads } = restored;
        self.checkpoints().set_newest(checkpoint).await;
        let tables = self.user_tables().load(&self.snapshot().tables).await?;
        let graph = self.take_in(graph, Known { version, loads }, events, tables).await?;
        self.writing().lock().await.graph = Some(graph);
        Ok(())
    }

    /// Makes visible what was committed since the newest state, of which `graph` is the identity graph.
    pub(super) async fn catch_up(&self, graph: IdentityGraph) -> Result<IdentityGraph> {
        let events = self.events().newest().await?;
        let held = self.snapshot();
        let tables = self.user_tables().load(&held.tables).await?;
        if events.version == held.events.version && held.is_read() {
            self.publish_tables(&held, tables);
            return Ok(graph);
        }
        let known = Known { version: held.events.version, loads: held.loads.clone() };
        self.take_in(graph, known, events, tables).await
    }

    /// Replays the loads after those that the graph knows, and makes the state visible.
    async fn take_in(
        &self,
        mut graph: IdentityGraph,
        known: Known,
        events: LiveFiles,
        tables: TablesSnapshot,
    ) -> Result<IdentityGraph> {
        let Known { version, mut loads } = known;
        for load in self.events().loads(version, events.version).await? {
            if let Some(path) = load.identity.as_deref() {
                graph.replay(&self.read_identity(graph.types(), path).await?)?;
            }
            loads.push(Arc::new(load));
        }
        let rules = Arc::clone(&self.snapshot().rules);
        self.publish(Snapshot { events, identity: graph.snapshot(), loads, tables, rules });
        Ok(graph)
    }

    /// The identity graph of all loads of the newest state, over these types.
    pub(super) async fn replay(&self, types: Arc<IdentifierTypes>) -> Result<IdentityGraph> {
        let held = self.snapshot();
        let empty = || IdentityGraph::new(Arc::clone(&types));
        let restored = self.checkpoints().restore(held.events.version, empty).await;
        let is_of_these = |restored: &Restored| {
            restored.loads.len() <= held.loads.len()
                && restored.loads.iter().zip(held.loads.iter()).all(|(restored, held)| restored == held)
        };
        let restored = restored.filter(is_of_these).unwrap_or_else(|| Restored::nothing(Arc::clone(&types)));
        let mut graph = restored.graph;
        for load in held.loads.iter().skip(restored.loads.len()) {
            if let Some(path) = load.identity.as_deref() {
                graph.replay(&self.read_identity(graph.types(), path).await?)?;
            }
        }
        Ok(graph)
    }

    async fn read_identity(&self, types: &IdentifierTypes, path: &str) -> Result<IdentityBatch> {
        let bytes = objects::read(&self.store(), &path.into()).await?.ok_or_else(|| {
            Error::corrupt(format!("object '{path}' of workspace '{}' is missing: run `convoke check`", self.name()))
        })?;
        IdentityBatch::from_record_batches(types, &objects::decode_parquet(bytes)?)
    }
}
