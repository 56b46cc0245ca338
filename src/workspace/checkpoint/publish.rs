//! The table of persons for other engines: (node, person, person_id) of one epoch as plain Parquet, sorted by node, and
//! a small JSON manifest that names it. No identifier is in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::WriterProperties;
use serde::Serialize;

use super::parts::PartWriter;
use super::{Checkpoints, FORMAT, KEPT, write};
use crate::error::Result;
use crate::identity::{IdentitySnapshot, published_schema};
use crate::store::objects;
use crate::store::paths::{OPEN_PERSONS, PublishedPaths};

/// What is published, and as what.
pub(super) struct Publication<'a> {
    pub(super) paths: PublishedPaths,
    pub(super) created_at: DateTime<Utc>,
    pub(super) identity: &'a IdentitySnapshot,
    pub(super) persons: u64,
}

/// The manifest: `files` are below its own folder.
#[derive(Serialize)]
struct Manifest {
    format: u32,
    epoch: u64,
    events_version: u64,
    created_at: DateTime<Utc>,
    nodes: u64,
    persons: u64,
    files: Vec<String>,
}

/// Writes the files, then the manifest. What an earlier attempt left under the same names is removed first.
pub(super) async fn publish(
    store: &Arc<dyn ObjectStore>,
    writer: &PartWriter<'_>,
    publication: &Publication<'_>,
) -> Result<()> {
    let Publication { paths, created_at, identity, persons } = publication;
    clear(store, *paths).await?;
    let published = (*identity).clone();
    let rows = move |nodes| published.published_rows(nodes);
    let path = |number| paths.part(number);
    let parts = writer.write(published_schema(), properties(publication), identity.nodes(), path, rows).await?;
    let manifest = Manifest {
        format: FORMAT,
        epoch: paths.epoch,
        events_version: paths.version,
        created_at: *created_at,
        nodes: identity.nodes() as u64,
        persons: *persons,
        files: (0..parts.len()).map(|number| paths.name_in_manifest(number)).collect(),
    };
    objects::create_json(store.as_ref(), &paths.manifest(), &manifest).await
}

fn properties(publication: &Publication<'_>) -> WriterProperties {
    let entry = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let described = vec![
        entry("convoke.epoch", publication.paths.epoch.to_string()),
        entry("convoke.events_version", publication.paths.version.to_string()),
        entry("convoke.created_at", publication.created_at.to_rfc3339()),
    ];
    let by_node = SortingColumn { column_idx: 0, descending: false, nulls_first: false };
    write::properties(&[])
        .into_builder()
        .set_key_value_metadata(Some(described))
        .set_sorting_columns(Some(vec![by_node]))
        .build()
}

async fn clear(store: &Arc<dyn ObjectStore>, paths: PublishedPaths) -> Result<()> {
    let left: Vec<ObjectMeta> = store.list(Some(&paths.folder())).try_collect().await?;
    for object in std::iter::once(paths.manifest()).chain(left.into_iter().map(|object| object.location)) {
        match store.delete(&object).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Removes all but the newest tables, and what broken-off attempts left. Other files in the folder are left alone.
pub(super) async fn remove_older(checkpoints: &Checkpoints) -> Result<()> {
    let objects: Vec<ObjectMeta> = checkpoints.store.list(Some(&Path::from(OPEN_PERSONS))).try_collect().await?;
    let mut published: BTreeMap<PublishedPaths, Vec<Path>> = BTreeMap::new();
    for object in objects {
        if let Some(paths) = PublishedPaths::of(&object.location) {
            published.entry(paths).or_default().push(object.location);
        }
    }
    let mut kept = 0;
    for (paths, objects) in published.into_iter().rev() {
        if objects.contains(&paths.manifest()) && kept < KEPT {
            kept += 1;
            continue;
        }
        write::remove(checkpoints, &paths.manifest(), objects).await?;
    }
    Ok(())
}
