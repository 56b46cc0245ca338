//! Finds the newest checkpoint that can be read, and gives its state back.

use std::sync::Arc;

use arrow::array::AsArray;
use futures::TryStreamExt;
use object_store::ObjectMeta;
use object_store::path::Path;

use super::parts::Part;
use super::{Checkpoint, Checkpoints, FORMAT};
use crate::error::{Error, Result};
use crate::identity::{GraphRestorer, IdentifierTypes, IdentityGraph};
use crate::store::objects;
use crate::store::paths::{CHECKPOINTS, CheckpointPaths};
use crate::workspace::snapshot::Commits;

/// The state at one version of the events table.
pub(in crate::workspace) struct Restored {
    /// `None` for the state before the first load.
    pub(in crate::workspace) checkpoint: Option<Checkpoint>,
    pub(in crate::workspace) version: u64,
    pub(in crate::workspace) graph: IdentityGraph,
    /// Those up to `version` that loaded something, in their order.
    pub(in crate::workspace) commits: Commits,
}

impl Restored {
    /// The state before the first load.
    pub(in crate::workspace) fn nothing(types: Arc<IdentifierTypes>) -> Self {
        Self { checkpoint: None, version: 0, graph: IdentityGraph::new(types), commits: Commits::default() }
    }
}

impl Checkpoints {
    /// The state of the newest checkpoint up to `version` of the events table; `None` when there is none that can be
    /// read, with a warning for each that cannot. `empty` makes an empty graph.
    pub(in crate::workspace) async fn restore(
        &self,
        version: u64,
        empty: impl Fn() -> IdentityGraph + Send + Sync,
    ) -> Option<Restored> {
        let found = match self.complete(version).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "identity checkpoints cannot be listed: all loads are read");
                return None;
            }
        };
        for paths in found {
            match self.read(&paths, empty()).await {
                Ok(restored) => return Some(restored),
                Err(error) => tracing::warn!(
                    checkpoint = %paths.manifest(), %error,
                    "this identity checkpoint cannot be used: an older one or the loads are read; \
                     `convoke checkpoint` makes a new one"
                ),
            }
        }
        None
    }

    /// Checkpoints that have a manifest, newest first.
    async fn complete(&self, version: u64) -> Result<Vec<CheckpointPaths>> {
        let objects: Vec<ObjectMeta> = self.store.list(Some(&Path::from(CHECKPOINTS))).try_collect().await?;
        let mut found: Vec<_> = objects
            .iter()
            .filter_map(|object| {
                CheckpointPaths::of(&object.location).filter(|paths| paths.manifest() == object.location)
            })
            .filter(|paths| paths.version <= version)
            .collect();
        found.sort();
        found.reverse();
        Ok(found)
    }

    async fn read(&self, paths: &CheckpointPaths, empty: IdentityGraph) -> Result<Restored> {
        let manifest: Option<Checkpoint> = objects::read_json(&self.store, &paths.manifest()).await?;
        let manifest = manifest.ok_or_else(|| Error::corrupt("it has just been removed"))?;
        if manifest.format > FORMAT {
            return Err(Error::corrupt(format!(
                "it has format {}, this program reads up to format {FORMAT}: use a newer convoke",
                manifest.format
            )));
        }
        if manifest.workspace != self.workspace {
            return Err(Error::corrupt("it is of a workspace of the same name that was dropped"));
        }
        if (manifest.epoch, manifest.events_version) != (paths.epoch, paths.version) {
            return Err(Error::corrupt("its manifest is that of another checkpoint"));
        }
        let mut restorer = GraphRestorer::new(empty, manifest.nodes as usize);
        for part in &manifest.birth_parts {
            part.read(&self.store, |rows| restorer.add_births(rows)).await?;
        }
        for part in &manifest.node_parts {
            part.read(&self.store, |rows| restorer.add_nodes(rows)).await?;
        }
        let commits = self.read_commits(&manifest.commit_parts).await?;
        let graph = restorer.finish(paths.epoch);
        Ok(Restored { version: paths.version, checkpoint: Some(manifest), graph, commits })
    }

    /// The commit records of a checkpoint.
    async fn read_commits(&self, parts: &[Part]) -> Result<Commits> {
        let mut commits = Commits::default();
        for part in parts {
            part.read(&self.store, |rows| {
                let records = rows.column_by_name("record").and_then(|column| column.as_string_opt::<i32>());
                let records = records.ok_or_else(|| Error::corrupt("it has no commit records"))?;
                for record in records.iter().flatten() {
                    commits.push(Arc::new(serde_json::from_str(record)?));
                }
                Ok(())
            })
            .await?;
        }
        Ok(commits)
    }
}
