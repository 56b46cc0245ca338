//! Every path under a root. No other module joins path parts.
//!
//! ```text
//! <root>/_tokens/<hash>.json                       who may call
//! <root>/<workspace>/workspace.json                time zone, format version, first settings
//! <root>/<workspace>/settings/<revision>.json      settings and reference tables since then
//! <root>/<workspace>/reference/<table>-<id>.parquet   imported dates and exchange rates
//! <root>/<workspace>/events/                       the Delta table of events
//! <root>/<workspace>/events/month=M/part-*.parquet   rows of a load; sorted-* after compaction
//! <root>/<workspace>/events_loads/<version>.parquet  records of all loads up to a version
//! <root>/<workspace>/wal/<sequence>.log            what was acknowledged and is not in files yet, in segments on a disk
//! <root>/<workspace>/wal/<workspace id>/<sequence>.log      the same in an object store
//! <root>/<workspace>/wal_trim/<workspace id>/<number>.mark  from where on the log is kept (object stores only)
//! <root>/<workspace>/identity/<load>.parquet       nodes, identifier sets and births of a load or a flush
//! <root>/<workspace>/identity/checkpoints/<epoch>-<version>-<id>/   the identity graph of one epoch
//! <root>/<workspace>/open/persons/                 the persons of the newest checkpoints, for other engines
//! <root>/<workspace>/dead_letters/<load>.parquet   rejected rows of a load or a flush
//! <root>/<workspace>/dedupe/<run>.run              message ids and keys of batches that were stored
//! <root>/<workspace>/_writer/<term>.json           one process's claim to write (object stores only)
//! <root>/<workspace>/_writer/<term>.heartbeat      written again and again while that process lives
//! <root>/<workspace>/_writer/<term>.ended          that process has ended well
//! <root>/<workspace>/tables/_catalog/<n>.json      names of the user tables, the newest number counts
//! <root>/<workspace>/tables/<folder>/              the Delta table of one user table
//! <root>/<workspace>/tables/<folder>/part-*.parquet   its rows, in the order of the names
//! <root>/<workspace>/tables/<folder>/_dropped      the table has lost its name: vacuum removes the folder later
//! ```

use object_store::path::Path;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::ids::WorkspaceName;

mod checkpoints;
mod wal;
mod writers;

pub use checkpoints::{CHECKPOINTS, CheckpointPaths, OPEN_PERSONS, PublishedPaths};
use checkpoints::{OPEN, PERSONS};
pub use wal::{WAL, WalPaths, is_of_other_log};
pub use writers::{TermObject, WRITER_LOCK, is_of_writers};

/// Folder of the token objects below a root.
pub const TOKENS: &str = "_tokens";

/// Whether an object has a place among those of a workspace, by its path below that. A folder of somebody else's may bear
/// the name of a workspace, too.
pub fn is_of_workspace(path: &Path) -> bool {
    let parts: Vec<_> = path.parts().collect();
    let parts: Vec<&str> = parts.iter().map(|part| part.as_ref()).collect();
    match parts.as_slice() {
        [file] => [MANIFEST, WRITER_LOCK].contains(file),
        [EVENTS, folder, ..] => *folder == DELTA_LOG || folder.starts_with(MONTH_FOLDER),
        [TABLES, folder, ..] => *folder == TABLE_CATALOG || Uuid::try_parse(folder).is_ok(),
        [OPEN, persons, ..] => *persons == PERSONS,
        [folder, ..] => FOLDERS.contains(folder),
        [] => false,
    }
}

/// Folders in which only this program writes.
const FOLDERS: [&str; 9] =
    [SETTINGS, REFERENCE, EVENTS_LOADS, WAL, wal::WAL_TRIM, IDENTITY, DEAD_LETTERS, DEDUPE, writers::WRITER];

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
        self.base.clone().join(MANIFEST)
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

const TABLE_CATALOG: &str = "_catalog";

/// Folder of the catalog of user tables below the workspace.
pub fn table_catalog_in_workspace() -> Path {
    Path::from(TABLES).join(TABLE_CATALOG)
}

/// Path of one revision of the catalog of user tables below the workspace; names sort as numbers do.
pub fn table_catalog_revision_in_workspace(revision: u64) -> Path {
    table_catalog_in_workspace().join(format!("{revision:020}.json"))
}

/// Path of a new data file below its user table. `hash` is that of the content.
pub fn table_file(file: Uuid, hash: &str) -> String {
    format!("{LOADED}{file}.{hash}.parquet")
}

/// Path of the file `number` of those that hold the rows of neighbours, the last of which has `id` in its name: no other
/// file of the table stands between them, nor will one.
pub fn joined_table_file(id: &str, number: usize, join: Uuid, hash: &str) -> String {
    format!("{LOADED}{id}-{number:05}-{join}.{hash}.parquet")
}

/// The id in the name of a user table's file. All files that one compaction put in the place of neighbours share it.
pub fn table_file_id(file: &str) -> Option<&str> {
    leading_id(file.strip_prefix(LOADED)?)
}

fn leading_id(name: &str) -> Option<&str> {
    name.get(..Hyphenated::LENGTH)
}

/// Folder of a user table below the workspace.
pub fn table_in_workspace(folder: Uuid) -> Path {
    Path::from(TABLES).join(folder.to_string())
}

/// Written when a table is dropped: its age tells when that was.
pub fn table_dropped_in_workspace(folder: Uuid) -> Path {
    table_in_workspace(folder).join("_dropped")
}

/// The table that an object below the workspace belongs to.
pub fn table_of(path: &Path) -> Option<Uuid> {
    let mut parts = path.parts();
    let is_table = parts.next()?.as_ref() == TABLES;
    let folder = parts.next().filter(|_| is_table)?;
    Uuid::try_parse(folder.as_ref()).ok()
}

/// Whether the object, of a user table, is a data file.
pub fn is_table_file(path: &Path) -> bool {
    path.parts().count() == 3 && path.extension() == Some("parquet")
}

/// Path below the workspace of a data file of the Delta table in folder `table`.
pub fn data_file_in_workspace(table: &Path, file: &str) -> Path {
    Path::from(format!("{table}/{file}"))
}

/// Path of a user table's file below the workspace.
pub fn table_file_in_workspace(folder: Uuid, file: &str) -> Path {
    Path::from(format!("{TABLES}/{folder}/{file}"))
}

/// Folder of the revisions of settings below their workspace.
pub const SETTINGS: &str = "settings";

/// Path of a revision of settings below the workspace; names sort as their numbers do.
pub fn settings_in_workspace(revision: u64) -> Path {
    Path::from(format!("{SETTINGS}/{revision:020}.json"))
}

const REFERENCE: &str = "reference";

/// Path of one state of a reference table below the workspace.
pub fn reference_in_workspace(table: &str, id: Uuid) -> Path {
    Path::from(format!("{REFERENCE}/{table}-{id}.parquet"))
}

/// Folder of the events table below its workspace.
pub const EVENTS: &str = "events";

/// Start of the name of a folder of events.
const MONTH_FOLDER: &str = "month=";

/// Start of the name of a file that a load or a statement wrote, and of a file of a sorted run.
const LOADED: &str = "part-";
const SORTED: &str = "sorted-";

/// Path of a new data file below the events table: Delta's `partition=value` folders. `hash` is that of the content.
pub fn events_file(month: &str, file: Uuid, hash: &str) -> String {
    format!("{MONTH_FOLDER}{month}/{LOADED}{file}.{hash}.parquet")
}

/// Path of the file `number` of a sorted run.
pub fn sorted_events_file(month: &str, run: Uuid, number: usize, hash: &str) -> String {
    format!("{MONTH_FOLDER}{month}/{SORTED}{run}-{number:05}.{hash}.parquet")
}

/// The sorted run that a data file belongs to; `None` for a file of a load.
pub fn sorted_run(file: &str) -> Option<&str> {
    leading_id(file.rsplit('/').next()?.strip_prefix(SORTED)?)
}

/// Hexadecimal digits of the content hash in a data file's name.
pub const HASH_DIGITS: usize = 16;

/// The content hash that a data file bears in its name.
pub fn hash_in_name(file: &str) -> Option<&str> {
    let name = file.strip_suffix(".parquet")?;
    let hash = name.rsplit_once('.')?.1;
    (hash.len() == HASH_DIGITS && hash.chars().all(|c| c.is_ascii_hexdigit())).then_some(hash)
}

/// Folder of the load records below the workspace, and the object with those of all loads up to a version.
pub const EVENTS_LOADS: &str = "events_loads";

pub fn loads_in_workspace(version: u64) -> Path {
    Path::from(format!("{EVENTS_LOADS}/{version:020}.parquet"))
}

/// The version in the path of such an object.
pub fn loads_version(path: &Path) -> Option<u64> {
    path.filename()?.strip_suffix(".parquet")?.parse().ok()
}

/// Folder of a Delta table's log below the table.
pub const DELTA_LOG: &str = "_delta_log";

/// What an object in the log of a Delta table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogObject {
    Entry(u64),
    Checkpoint(u64),
}

impl LogObject {
    /// Path of the entry of a version in the log of the Delta table in folder `table`.
    pub fn entry_path(table: &str, version: u64) -> Path {
        Path::from(format!("{table}/{DELTA_LOG}/{version:020}.json"))
    }

    /// `None` for any other object: hints, checksums, parts of other writers.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.filename()?;
        let version = name.get(..20)?.parse().ok()?;
        match name.get(20..)? {
            ".json" => Some(Self::Entry(version)),
            ".checkpoint.parquet" => Some(Self::Checkpoint(version)),
            _ => None,
        }
    }
}

/// Folders below the workspace with one object a load, which its record names.
pub const IDENTITY: &str = "identity";
pub const DEAD_LETTERS: &str = "dead_letters";
/// Folder of the runs of message ids, below a workspace.
pub const DEDUPE: &str = "dedupe";

/// Whether an object is a run of message ids.
pub fn is_dedupe_run(path: &Path) -> bool {
    let name = path.filename().and_then(|name| name.strip_suffix(".run"));
    path.parts().count() == 2 && name.is_some_and(|name| Uuid::try_parse(name).is_ok())
}

/// Folder of the user's tables below the workspace.
pub const USER_TABLES: &str = "tables";

/// Name of the object that makes a folder a workspace.
pub const MANIFEST: &str = "workspace.json";

/// Whether an object right below [`IDENTITY`] or [`DEAD_LETTERS`] is that of one load.
pub fn is_of_load(path: &Path) -> bool {
    let name = path.filename().and_then(|name| name.strip_suffix(".parquet"));
    path.parts().count() == 2 && name.is_some_and(|name| Uuid::try_parse(name).is_ok())
}

/// Path of a table's file below the workspace, as readers of the workspace's store see it.
pub fn events_file_in_workspace(file: &str) -> Path {
    Path::from(format!("{EVENTS}/{file}"))
}

/// Path of a load's rejected rows below the workspace.
pub fn dead_letters_in_workspace(load: Uuid) -> Path {
    Path::from(format!("dead_letters/{load}.parquet"))
}

/// Path of a run of message ids below the workspace.
pub fn dedupe_run_in_workspace(run: Uuid) -> Path {
    Path::from(format!("{DEDUPE}/{run}.run"))
}

/// Path of a load's identity changes below the workspace.
pub fn identity_in_workspace(load: Uuid) -> Path {
    Path::from(format!("identity/{load}.parquet"))
}

/// An object of a workspace as the user who named the root at `data` finds it.
pub fn below_data(data: &str, workspace: &WorkspaceName, object: &Path) -> String {
    format!("{}/{workspace}/{object}", data.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_others_are_no_workspaces() {
        let of_workspace = [
            "workspace.json",
            ".writer.lock",
            "settings/00000000000000000001.json",
            "events/_delta_log/00000000000000000000.json",
            "events/month=2024-05/part-1.parquet",
            "tables/_catalog/00000000000000000001.json",
            "tables/0197a1b2-5e11-7c3f-8a51-0c8f7f0f2d11/part-1.parquet",
            "open/persons/1-2.json",
            "wal/00000000000000000001.log",
            "_writer/00000000000000000001.json",
        ];
        assert!(of_workspace.iter().all(|path| is_of_workspace(&Path::from(*path))));
        // A data folder, one of its tokens, documents, events of somebody.
        let of_others =
            ["shop/workspace.json", "_tokens/12.json", "a.txt", "letters/a.txt", "events/2024.csv", "tables/a/b.xlsx"];
        assert!(!of_others.iter().any(|path| is_of_workspace(&Path::from(*path))));
    }
}
