//! Paths of the write-ahead log in an object store, below a workspace.

use object_store::path::Path;
use uuid::Uuid;

/// Folder of the log's objects below the workspace.
pub const WAL: &str = "wal";

/// Folder of the marks that tell from where on the log is kept.
pub(super) const WAL_TRIM: &str = "wal_trim";

/// Where the objects of one log lie. Names sort as their numbers do. The folders bear the id of the workspace: a writer that
/// slept while it was dropped may still put a record there, which must be nothing to the next workspace of the name. A commit
/// to the events and an identity checkpoint name the workspace inside; before a revision of settings, or of the catalog of
/// tables, the writer asks once more whether it may write.
#[derive(Debug, Clone)]
pub struct WalPaths {
    objects: Path,
    marks: Path,
}

impl WalPaths {
    /// `workspace` is the workspace's folder as the store sees it: empty where the store is that folder already.
    pub fn new(workspace: Path, id: Uuid) -> Self {
        let id = id.to_string();
        Self {
            objects: workspace.clone().join(WAL).join(id.as_str()),
            marks: workspace.join(WAL_TRIM).join(id.as_str()),
        }
    }

    /// Folder of all objects.
    pub fn objects(&self) -> Path {
        self.objects.clone()
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
        self.marks.clone().join(format!("{number:020}.mark"))
    }
}

/// Whether an object, by its path below its workspace, is of the log of another workspace than that of `id`: of one of the
/// same name that was dropped.
pub fn is_of_other_log(path: &Path, id: Uuid) -> bool {
    let mut parts = path.parts();
    let is_of_a_log = parts.next().is_some_and(|folder| matches!(folder.as_ref(), WAL | WAL_TRIM));
    let of = parts.next().and_then(|of| Uuid::try_parse(of.as_ref()).ok());
    is_of_a_log && of.is_some_and(|of| of != id)
}
