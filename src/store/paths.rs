//! Every path under a root. No other module joins path parts.
//!
//! ```text
//! <root>/_tokens/<hash>.json                       who may call
//! <root>/<workspace>/workspace.json                time zone, format version
//! <root>/<workspace>/events/                       the Delta table of events
//! <root>/<workspace>/identity/<load>.parquet       nodes, edges and births of one load
//! <root>/<workspace>/identity/checkpoints/<epoch>-<version>-<id>/   the identity graph of one epoch
//! <root>/<workspace>/open/persons/                 the persons of the newest checkpoints, for other engines
//! <root>/<workspace>/dead_letters/<load>.parquet   rejected rows of one load
//! <root>/<workspace>/_writer/<term>.json           one process's claim to write (object stores only)
//! <root>/<workspace>/_writer/<term>.heartbeat      written again and again while that process lives
//! <root>/<workspace>/_writer/<term>.ended          that process has ended well
//! ```

use object_store::path::Path;
use uuid::Uuid;

use crate::ids::WorkspaceName;

mod checkpoints;

pub use checkpoints::{CHECKPOINTS, CheckpointPaths, OPEN_PERSONS, PublishedPaths};

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

    /// Folder of the objects that tell which process writes.
    pub fn writer(&self) -> Path {
        self.base.clone().join("_writer")
    }

    /// An object of one writer's term: `json` claims it, `heartbeat` and `ended` tell how it goes.
    pub fn writer_term(&self, term: u64, what: &str) -> Path {
        self.writer().join(format!("{term:020}.{what}"))
    }

    /// Written to learn the time of the store's own clock.
    pub fn writer_clock(&self) -> Path {
        self.writer().join("clock")
    }
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

/// An object of a workspace as the user who named the root at `data` finds it.
pub fn below_data(data: &str, workspace: &WorkspaceName, object: &Path) -> String {
    format!("{}/{workspace}/{object}", data.trim_end_matches('/'))
}
