//! A load under way: it has the identity graph to itself, and gives it back by its commit. A load that is dropped before,
//! by an error or because nobody waits for it any more, leaves nothing that a state shows.

use std::sync::Arc;

use uuid::Uuid;

use super::snapshot::Snapshot;
use super::writer::Writer;
use crate::error::{Error, Result};
use crate::identity::{IdentityBatch, IdentityGraph};
use crate::store::delta::{Change, ChangeKind, WrittenFile};
use crate::store::events::LoadRecord;
use crate::store::{objects, paths};

pub struct Load<'a> {
    writer: Writer<'a>,
    /// Away while a thread works on it.
    graph: Option<IdentityGraph>,
}

impl<'a> Load<'a> {
    pub(super) fn new(writer: Writer<'a>, graph: IdentityGraph) -> Self {
        Self { writer, graph: Some(graph) }
    }

    /// Works on the identity graph, in a thread that may take its time.
    ///
    /// # Errors
    /// `Internal` when the work panicked, or a call before did not come to its end: the load is lost.
    pub async fn with_graph<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut IdentityGraph) -> T + Send + 'static,
    ) -> Result<T> {
        let mut graph = self.graph.take().ok_or_else(lost)?;
        let working = tokio::task::spawn_blocking(move || {
            let outcome = work(&mut graph);
            (graph, outcome)
        });
        let (graph, outcome) =
            working.await.map_err(|error| Error::internal(format!("numbering identifiers: {error}")))?;
        self.graph = Some(graph);
        Ok(outcome)
    }

    /// Makes the changes of the graph durable as an object of load `id`, commits it with the files, all durable already,
    /// as the next version, and makes it visible. The identity object is put into `record`.
    ///
    /// # Errors
    /// `Conflict` when another process has taken over. What landed all the same is seen by the next load.
    pub async fn commit(mut self, id: Uuid, files: &[WrittenFile], mut record: LoadRecord) -> Result<Arc<Snapshot>> {
        let mut graph = self.graph.take().ok_or_else(lost)?;
        record.identity = self.write_identity(&mut graph, id).await?;
        self.writer.check().await?;
        let workspace = self.writer.workspace;
        let held = workspace.snapshot();
        let version = held.events.version + 1;
        let change = Change { removed: &[], added: files, kind: ChangeKind::Append };
        workspace.events().commit(version, change, &record).await?;
        let identity = match &record.identity {
            Some(_) => graph.snapshot(),
            None => held.identity.clone(),
        };
        self.writer.writing.graph = Some(graph);
        let mut loads = held.loads.clone();
        loads.push(Arc::new(record));
        let events = held.events.changed(&change);
        workspace.publish(Snapshot { events, identity, loads, ..held.as_ref().clone() });
        self.writer.checkpoint_log_if_due(version).await;
        Ok(workspace.snapshot())
    }

    /// Writes what the load adds to the graph, if anything.
    async fn write_identity(&self, graph: &mut IdentityGraph, id: Uuid) -> Result<Option<String>> {
        let batch = graph.finish_batch();
        if batch.is_empty() {
            return Ok(None);
        }
        let rows = batch.to_record_batch(graph.types())?;
        let bytes = objects::encode_parquet(IdentityBatch::schema(), &[rows])?;
        let path = paths::identity_in_workspace(id);
        objects::create(self.writer.workspace.store().as_ref(), &path, bytes).await?;
        Ok(Some(path.to_string()))
    }
}

impl Drop for Load<'_> {
    fn drop(&mut self) {
        // One that changed nothing gives it back as it was; what another one left in it is not to be seen again.
        self.writer.writing.graph =
            self.writer.writing.graph.take().or(self.graph.take().filter(IdentityGraph::is_as_stored));
    }
}

fn lost() -> Error {
    Error::internal("a load goes on after its work on the identity graph was broken off")
}
