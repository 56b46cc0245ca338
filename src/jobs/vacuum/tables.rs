//! What the user tables do not need: files that DELETE or compaction replaced, and folders of dropped tables.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use object_store::ObjectMeta;
use object_store::path::Path;
use uuid::Uuid;

use crate::error::Result;
use crate::store::paths;
use crate::workspace::Workspace;

/// The user tables of a workspace as vacuum sees them.
pub(super) struct UserTableFiles {
    live: HashSet<Uuid>,
    /// Files of live tables that a version within the retention has.
    needed: HashSet<Path>,
    /// The last write to each folder of a table.
    written: HashMap<Uuid, DateTime<Utc>>,
    cutoff: DateTime<Utc>,
}

impl UserTableFiles {
    /// `objects` are all of the workspace.
    pub(super) async fn read(workspace: &Workspace, objects: &[ObjectMeta], cutoff: DateTime<Utc>) -> Result<Self> {
        let snapshot = workspace.snapshot();
        let (mut live, mut needed) = (HashSet::new(), HashSet::new());
        for (name, table) in &snapshot.tables.tables {
            let removed = workspace.table_log(table.folder)?.objects().removed_since(cutoff).await;
            let removed = removed.map_err(|error| error.context(format!("table '{name}'")))?;
            let files = table.live.files.iter().map(|file| &file.path).chain(&removed);
            needed.extend(files.map(|file| paths::table_file_in_workspace(table.folder, file)));
            live.insert(table.folder);
        }
        let mut written: HashMap<Uuid, DateTime<Utc>> = HashMap::new();
        for object in objects {
            if let Some(folder) = paths::table_of(&object.location) {
                let last = written.entry(folder).or_insert(object.last_modified);
                *last = object.last_modified.max(*last);
            }
        }
        Ok(Self { live, needed, written, cutoff })
    }

    /// What an object that nobody needs was; `None` for one that is needed, or is of no user table.
    pub(super) fn unneeded(&self, object: &ObjectMeta) -> Option<&'static str> {
        let path = &object.location;
        let folder = paths::table_of(path)?;
        if self.live.contains(&folder) {
            let data = paths::is_table_file(path) && object.last_modified < self.cutoff;
            return (data && !self.needed.contains(path)).then_some("data file of a user table");
        }
        // The note of the drop is the last write. Without one nobody has read the table since a process that ended then.
        let expired = self.written.get(&folder).is_some_and(|last| *last < self.cutoff);
        expired.then_some("part of a dropped user table")
    }

    /// Folders of which everything goes.
    pub(super) fn expired_folders(&self) -> impl Iterator<Item = Uuid> {
        let expired = self.written.iter().filter(|(folder, last)| !self.live.contains(*folder) && **last < self.cutoff);
        expired.map(|(folder, _)| *folder)
    }
}
