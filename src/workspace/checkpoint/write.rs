//! Writes the objects of one checkpoint, and removes those that are not needed any more.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use super::parts::{Part, PartWriter};
use super::publish::Publication;
use super::{Checkpoint, Checkpoints, FORMAT, KEPT, publish};
use crate::error::Result;
use crate::identity::{birth_schema, node_schema};
use crate::store::objects;
use crate::store::paths::{CHECKPOINTS, CheckpointPaths, PublishedPaths};
use crate::workspace::snapshot::{Commits, Snapshot};

/// Rows a row group.
const ROW_GROUP_ROWS: usize = 1 << 18;

impl Checkpoints {
    /// Writes the state of `snapshot`, and publishes its persons once `check` says that this process may still write: what
    /// is published bears numbers alone, and would be that of another workspace of the name, too.
    pub(super) async fn write(
        &self,
        snapshot: &Snapshot,
        written: &Arc<AtomicU64>,
        check: impl Future<Output = Result<()>>,
    ) -> Result<Checkpoint> {
        let identity = &snapshot.identity;
        let paths = CheckpointPaths::new(identity.epoch, snapshot.events.version, self.clock.new_id());
        let writer = PartWriter { store: self.store.as_ref(), part_rows: self.part_rows, written };
        let of_nodes = identity.clone();
        let node_rows = move |nodes| of_nodes.node_rows(nodes);
        let node_path = |number| paths.part("nodes", number);
        let node_parts =
            writer.write(node_schema(), properties(&["id_value"]), identity.nodes(), node_path, node_rows).await?;
        let of_births = identity.clone();
        let birth_rows = move |births| of_births.birth_rows(births);
        let birth_path = |number| paths.part("births", number);
        let birth_parts =
            writer.write(birth_schema(), properties(&["person_id"]), identity.births(), birth_path, birth_rows).await?;
        let commit_parts = self.write_commits(&writer, &snapshot.commits, &paths).await?;

        let created_at = self.clock.now();
        let publication = Publication {
            paths: PublishedPaths { epoch: paths.epoch, version: paths.version },
            created_at,
            identity,
            persons: identity.canonical().count() as u64,
        };
        check.await?;
        publish::publish(&self.store, &writer, &publication).await?;
        let checkpoint = Checkpoint {
            format: FORMAT,
            workspace: self.workspace,
            epoch: paths.epoch,
            events_version: paths.version,
            created_at,
            nodes: identity.nodes() as u64,
            persons: publication.persons,
            commits: snapshot.commits.len() as u64,
            published_in: publication.paths.folder().to_string(),
            published_manifest: publication.paths.manifest().to_string(),
            node_parts,
            birth_parts,
            commit_parts,
        };
        objects::create_json(self.store.as_ref(), &paths.manifest(), &checkpoint).await?;
        Ok(checkpoint)
    }

    async fn write_commits(
        &self,
        writer: &PartWriter<'_>,
        commits: &Commits,
        paths: &CheckpointPaths,
    ) -> Result<Vec<Part>> {
        let (total, commits) = (commits.len(), commits.clone());
        let rows = move |range: std::ops::Range<usize>| {
            let records = commits.range(range).map(|commit| serde_json::to_string(commit.as_ref()));
            let records = records.collect::<Result<Vec<_>, _>>()?;
            Ok(RecordBatch::try_new(commit_schema(), vec![Arc::new(StringArray::from(records))])?)
        };
        let path = |number| paths.part("commits", number);
        writer.write(commit_schema(), properties(&["record"]), total, path, rows).await
    }

    /// Removes all but the newest checkpoints, and what broken-off attempts left.
    pub(super) async fn remove_older(&self) -> Result<()> {
        let objects: Vec<ObjectMeta> = self.store.list(Some(&Path::from(CHECKPOINTS))).try_collect().await?;
        let of = objects.iter().filter_map(|object| Some((CheckpointPaths::of(&object.location)?, object)));
        let mut checkpoints: BTreeMap<CheckpointPaths, Vec<Path>> = BTreeMap::new();
        for (checkpoint, object) in of {
            checkpoints.entry(checkpoint).or_default().push(object.location.clone());
        }
        let mut kept = 0;
        for (checkpoint, objects) in checkpoints.into_iter().rev() {
            let complete = objects.contains(&checkpoint.manifest());
            if complete && kept < KEPT {
                kept += 1;
                continue;
            }
            remove(self, &checkpoint.manifest(), objects).await?;
        }
        publish::remove_older(self).await
    }
}

/// Removes objects, the manifest first: what is half removed must not look whole.
pub(super) async fn remove(checkpoints: &Checkpoints, manifest: &Path, mut objects: Vec<Path>) -> Result<()> {
    objects.sort_by_key(|object| object != manifest);
    for object in objects {
        match checkpoints.store.delete(&object).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Each row is a commit record as JSON, as the log of the events table has it.
fn commit_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("record", DataType::Utf8, false)]))
}

/// `distinct` columns have hardly a value twice: a dictionary would be built and thrown away.
pub(super) fn properties(distinct: &[&'static str]) -> WriterProperties {
    let mut builder = objects::writer_properties().set_max_row_group_row_count(Some(ROW_GROUP_ROWS));
    for column in distinct.iter().chain(&["node", "person"]) {
        builder = builder.set_column_dictionary_enabled(ColumnPath::from(*column), false);
    }
    builder.build()
}
