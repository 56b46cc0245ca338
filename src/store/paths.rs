//! Every path under a root. No other module joins path parts.
//!
//! ```text
//! <root>/_tokens/<hash>.json                       who may call
//! <root>/<workspace>/workspace.json                time zone, format version, first settings
//! <root>/<workspace>/settings/<revision>.json      settings and reference tables since then
//! <root>/<workspace>/reference/<table>-<id>.parquet   imported dates and exchange rates
//! <root>/<workspace>/events/                       the Delta table of events
//! <root>/<workspace>/identity/<load>.parquet       nodes, edges and births of one load
//! <root>/<workspace>/dead_letters/<load>.parquet   rejected rows of one load
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
}

/// Folder of the revisions of settings below their workspace.
pub const SETTINGS: &str = "settings";

/// Path of a revision of settings below the workspace; names sort as their numbers do.
pub fn settings_in_workspace(revision: u64) -> Path {
    Path::from(format!("{SETTINGS}/{revision:020}.json"))
}

/// Path of one state of a reference table below the workspace.
pub fn reference_in_workspace(table: &str, id: Uuid) -> Path {
    Path::from(format!("reference/{table}-{id}.parquet"))
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
