//! Names of the user tables: one create-only object for each revision, of which the newest counts.
//!
//! A crash leaves the old revision or the new one. A table dropped and made again gets a new folder, so that nothing
//! of the old one can come back.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Kind, RUN_CHECK, Result};
use crate::store::{objects, paths};

/// Older revisions kept for a look back.
const KEPT_REVISIONS: u64 = 20;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogEntry {
    /// Folder of the Delta table below `tables`.
    pub folder: Uuid,
    pub created_at: DateTime<Utc>,
}

/// All user tables of a workspace at one revision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCatalog {
    pub revision: u64,
    /// Who wrote it: tells our landed write from somebody else's.
    id: Uuid,
    pub tables: BTreeMap<String, CatalogEntry>,
}

/// The catalog objects of one workspace. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TableCatalogStore {
    /// The workspace's folder as `/`.
    store: Arc<dyn ObjectStore>,
}

impl TableCatalogStore {
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
    }

    /// The newest revision; an empty revision 0 when there is none.
    pub async fn newest(&self) -> Result<TableCatalog> {
        let folder = paths::table_catalog_in_workspace();
        let objects: Vec<_> = self.store.list(Some(&folder)).try_collect().await?;
        let revisions = objects.iter().filter_map(|object| revision_of(object.location.filename()?));
        match revisions.max() {
            None => Ok(TableCatalog::default()),
            Some(newest) => self.read(newest).await?.ok_or_else(|| {
                Error::corrupt(format!("revision {newest} of the table catalog is missing")).with_help(RUN_CHECK)
            }),
        }
    }

    async fn read(&self, revision: u64) -> Result<Option<TableCatalog>> {
        objects::read_json(&self.store, &paths::table_catalog_revision_in_workspace(revision)).await
    }

    /// Writes the revision after `held` with these tables; `id` is new.
    ///
    /// # Errors
    /// `Conflict` when another process wrote that revision.
    pub async fn write(
        &self,
        held: &TableCatalog,
        id: Uuid,
        tables: BTreeMap<String, CatalogEntry>,
    ) -> Result<TableCatalog> {
        let next = TableCatalog { revision: held.revision + 1, id, tables };
        let path = paths::table_catalog_revision_in_workspace(next.revision);
        if let Err(failure) = objects::create_json(self.store.as_ref(), &path, &next).await {
            // The store may have applied the write and lost the answer: only the object itself tells.
            match self.read(next.revision).await? {
                Some(landed) if landed.id == next.id => {}
                Some(_) => return Err(Error::conflict("the user tables were changed by another process: try again")),
                None if failure.kind() == Kind::Conflict => return Err(Error::internal(failure.message())),
                None => return Err(failure),
            }
        }
        if let Some(old) = next.revision.checked_sub(KEPT_REVISIONS).filter(|old| *old > 0) {
            // Nobody reads it any more; what stays behind does no harm.
            self.store.delete(&paths::table_catalog_revision_in_workspace(old)).await.ok();
        }
        Ok(next)
    }
}

fn revision_of(file: &str) -> Option<u64> {
    file.strip_suffix(".json")?.parse().ok()
}
