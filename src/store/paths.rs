//! Every path under a root. No other module joins path parts.
//!
//! ```text
//! <root>/_tokens/<hash>.json                       who may call
//! <root>/<workspace>/workspace.json                time zone, format version
//! <root>/<workspace>/events/                       the Delta table of events
//! <root>/<workspace>/identity/<load>.parquet       nodes, edges and births of one load
//! <root>/<workspace>/dead_letters/<load>.parquet   rejected rows of one load
//! <root>/<workspace>/tables/_catalog/<n>.json      names of the user tables, the newest number counts
//! <root>/<workspace>/tables/<folder>/              the Delta table of one user table
//! ```

use object_store::path::Path;
use uuid::Uuid;

use crate::ids::WorkspaceName;

/// Folder of the token objects below a root.
pub const TOKENS: &str = "_tokens";

/// Paths of one workspace, relative to the root of the object store.
#[derive(Debug, Clone)]
pub struct WorkspacePaths {
    base: Path,
}

impl WorkspacePaths {
    pub fn new(root: &Path, workspace: &WorkspaceName) -> Self {
        Self { base: root.clone().join(workspace.as_str()) }
    }

    pub fn base(&self) -> &Path {
        &self.base
    }

    pub fn manifest(&self) -> Path {
        self.base.clone().join("workspace.json")
    }

    pub fn events(&self) -> Path {
        self.base.clone().join(EVENTS)
    }

    /// Folder of one user table.
    pub fn table(&self, folder: Uuid) -> Path {
        self.base.clone().join(TABLES).join(folder.to_string())
    }
}

/// Folder of the user tables below their workspace.
pub const TABLES: &str = "tables";

/// Folder of the catalog of user tables below the workspace.
pub fn table_catalog_in_workspace() -> Path {
    Path::from(TABLES).join("_catalog")
}

/// Path of one revision of the catalog of user tables below the workspace; names sort as numbers do.
pub fn table_catalog_revision_in_workspace(revision: u64) -> Path {
    table_catalog_in_workspace().join(format!("{revision:020}.json"))
}

/// Path of a new data file below its user table.
pub fn table_file(file: Uuid) -> String {
    format!("part-{file}.parquet")
}

/// Path of a user table's file below the workspace.
pub fn table_file_in_workspace(folder: Uuid, file: &str) -> Path {
    Path::from(format!("{TABLES}/{folder}/{file}"))
}

/// Folder of the events table below its workspace.
pub const EVENTS: &str = "events";

/// Path of a new data file below the events table: Delta's `partition=value` folders.
pub fn events_file(month: &str, file: Uuid) -> String {
    format!("month={month}/part-{file}.parquet")
}

/// Path of a table's file below the workspace, as readers of the workspace's store see it.
pub fn events_file_in_workspace(file: &str) -> Path {
    Path::from(format!("{EVENTS}/{file}"))
}

/// Path of a load's rejected rows below the workspace.
pub fn dead_letters_in_workspace(load: Uuid) -> Path {
    Path::from(format!("dead_letters/{load}.parquet"))
}

/// Path of a load's identity changes below the workspace.
pub fn identity_in_workspace(load: Uuid) -> Path {
    Path::from(format!("identity/{load}.parquet"))
}
