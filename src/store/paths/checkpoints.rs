//! Paths of identity checkpoints and of what they publish, below a workspace.

use object_store::path::Path;
use uuid::Uuid;

use crate::ids::Epoch;

/// Folder of all checkpoints.
pub const CHECKPOINTS: &str = "identity/checkpoints";

/// The object that is written last: a folder with it holds a whole checkpoint.
const MANIFEST: &str = "checkpoint.json";

/// One checkpoint: `<epoch>-<version>-<id>`, digits padded so that the order of names is that of time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckpointPaths {
    pub epoch: Epoch,
    /// Version of the events table.
    pub version: u64,
    id: Uuid,
}

impl CheckpointPaths {
    pub fn new(epoch: Epoch, version: u64, id: Uuid) -> Self {
        Self { epoch, version, id }
    }

    /// The checkpoint that an object belongs to.
    pub fn of(object: &Path) -> Option<Self> {
        let mut parts = object.as_ref().strip_prefix(CHECKPOINTS)?.strip_prefix('/')?.split('/');
        let mut fields = parts.next()?.splitn(3, '-');
        let epoch = fields.next()?.parse().ok()?;
        let version = fields.next()?.parse().ok()?;
        let id = fields.next()?.parse().ok()?;
        Some(Self { epoch, version, id })
    }

    fn folder(&self) -> String {
        format!("{CHECKPOINTS}/{:010}-{:010}-{}", self.epoch, self.version, self.id)
    }

    pub fn manifest(&self) -> Path {
        Path::from(format!("{}/{MANIFEST}", self.folder()))
    }

    /// `kind` is `nodes`, `births` or `loads`.
    pub fn part(&self, kind: &str, number: usize) -> Path {
        Path::from(format!("{}/{kind}-{number:05}.parquet", self.folder()))
    }
}

/// Folder of the published tables of persons.
pub const OPEN_PERSONS: &str = "open/persons";
pub(super) const OPEN: &str = "open";
pub(super) const PERSONS: &str = "persons";

/// One published table of persons: a manifest `<epoch>-<version>.json`, the last one by name being the newest, and files
/// in folders that Hive-style readers know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublishedPaths {
    pub epoch: Epoch,
    /// Version of the events table.
    pub version: u64,
}

impl PublishedPaths {
    /// The table that an object belongs to; `None` for what was not written by this program.
    pub fn of(object: &Path) -> Option<Self> {
        let name = object.as_ref().strip_prefix(OPEN_PERSONS)?.strip_prefix('/')?;
        let (epoch, version) = match name.strip_suffix(".json") {
            Some(numbers) => numbers.split_once('-')?,
            None => {
                let mut parts = name.split('/');
                (parts.next()?.strip_prefix("epoch=")?, parts.next()?.strip_prefix("version=")?)
            }
        };
        Some(Self { epoch: epoch.parse().ok()?, version: version.parse().ok()? })
    }

    pub fn manifest(&self) -> Path {
        Path::from(format!("{OPEN_PERSONS}/{:010}-{:010}.json", self.epoch, self.version))
    }

    /// Path of a file as the manifest names it: below the manifest's own folder.
    pub fn name_in_manifest(&self, number: usize) -> String {
        format!("{}/part-{number:05}.parquet", self.partition())
    }

    pub fn part(&self, number: usize) -> Path {
        Path::from(format!("{OPEN_PERSONS}/{}", self.name_in_manifest(number)))
    }

    pub fn folder(&self) -> Path {
        Path::from(format!("{OPEN_PERSONS}/{}", self.partition()))
    }

    fn partition(&self) -> String {
        format!("epoch={}/version={}", self.epoch, self.version)
    }
}
