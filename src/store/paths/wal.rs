//! Paths of the write-ahead log in an object store, below a workspace.

use object_store::path::Path;

/// Folder of the log's objects below the workspace.
pub const WAL: &str = "wal";

/// Folder of the marks that tell from where on the log is kept.
const WAL_TRIM: &str = "wal_trim";

/// Where the objects of one log lie. Names sort as their numbers do.
#[derive(Debug, Clone)]
pub struct WalPaths {
    workspace: Path,
}

impl WalPaths {
    /// `workspace` is the workspace's folder as the store sees it: empty where the store is that folder already.
    pub fn new(workspace: Path) -> Self {
        Self { workspace }
    }

    /// Folder of all objects.
    pub fn objects(&self) -> Path {
        self.workspace.clone().join(WAL)
    }

    /// The object of a sequence number. The name holds nothing else, so that two writers always meet at one name.
    pub fn object(&self, sequence: u64) -> Path {
        self.objects().join(format!("{sequence:020}.log"))
    }

    /// The sequence number of an object right below [`WalPaths::objects`].
    pub fn sequence_of(object: &Path) -> Option<u64> {
        object.filename()?.strip_suffix(".log")?.parse().ok()
    }

    /// The mark of a number.
    pub fn trim_mark(&self, number: u64) -> Path {
        self.workspace.clone().join(WAL_TRIM).join(format!("{number:020}.mark"))
    }
}
