//! A root: the URL under which all workspaces lie, and the object store behind it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreScheme};
use url::Url;

use super::cloud::{self, Patience};
use super::durable::DurableLocalStore;
use super::log_store;
use super::paths::WorkspacePaths;
#[cfg(test)]
use super::wal::local::disk::Disk;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;
use crate::settings::{Settings, StoreSettings};

/// Where a server's data lies. Cheap to clone.
#[derive(Clone)]
pub struct Root {
    /// The store at the root of its scheme, as Delta wants it.
    store: Arc<dyn ObjectStore>,
    /// The root's path inside `store`.
    base: Path,
    url: Url,
    /// `None` for a local disk and for memory.
    cloud: Option<ObjectStoreScheme>,
    settings: StoreSettings,
    clock: Clock,
    /// In place of the folder of the log.
    #[cfg(test)]
    log_disk: Option<Arc<dyn Disk>>,
}

/// The configuration of a store in a cloud holds credentials: only the location is shown.
impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root({})", self.url)
    }
}

impl Root {
    /// [`Root::open_with`] the default settings.
    pub fn open(location: &str) -> Result<Self> {
        Self::open_with(location, &Settings::defaults()?.store)
    }

    /// Opens a folder (`./data`), `file:///...`, `memory://`, or `s3://`, `gs://`, `az://` with bucket and folder.
    /// A local folder is made when it is missing; nothing is sent to a store in a cloud yet.
    ///
    /// # Errors
    /// `InvalidInput` for another scheme or a store that the environment does not describe, an I/O error when the
    /// folder cannot be made.
    pub fn open_with(location: &str, settings: &StoreSettings) -> Result<Self> {
        let settings = settings.clone();
        match Url::parse(location) {
            Ok(url) if url.scheme() == "memory" => {
                Ok(Self::at(Arc::new(InMemory::new()), Path::default(), url, settings))
            }
            Ok(url) if url.scheme() == "file" => {
                let folder = url.to_file_path().map_err(|()| unusable(location))?;
                Self::open_folder(folder, settings)
            }
            Ok(url) if cloud::is_cloud(&url) => Self::open_cloud(url, settings),
            Ok(url) if url.has_host() => Err(Error::invalid(format!(
                "data location with scheme '{}' is not supported; use a folder, file:///..., s3://bucket/folder, \
                 gs://bucket/folder, az://container/folder or memory://",
                url.scheme()
            ))),
            _ => Self::open_folder(PathBuf::from(location), settings),
        }
    }

    /// A root in a store that the caller made, such as one that counts what is read. No second process can see it.
    pub fn in_store(store: Arc<dyn ObjectStore>) -> Result<Self> {
        let url = Url::parse("memory:///").map_err(|_| unusable("memory://"))?;
        Ok(Self::at(store, Path::default(), url, Settings::defaults()?.store))
    }

    fn at(store: Arc<dyn ObjectStore>, base: Path, url: Url, settings: StoreSettings) -> Self {
        Self {
            store,
            base,
            url,
            cloud: None,
            settings,
            clock: Clock::default(),
            #[cfg(test)]
            log_disk: None,
        }
    }

    /// A root in a store that the caller made and other processes may see: it is used as one in a cloud is.
    #[cfg(test)]
    pub(crate) fn in_shared_store(store: Arc<dyn ObjectStore>) -> Result<Self> {
        let store = Arc::new(cloud::CloudStore::new(store, "memory://".to_owned()));
        Ok(Self { cloud: Some(ObjectStoreScheme::Memory), ..Self::in_store(store)? })
    }

    /// The same root with another time after which a writer counts as gone.
    #[cfg(test)]
    pub(crate) fn with_stale_seconds(mut self, seconds: u64) -> Self {
        self.settings.writer_stale_seconds = seconds;
        self
    }

    /// The same root with the log of its one workspace on a disk.
    #[cfg(test)]
    pub(crate) fn with_log_disk(self, disk: Arc<dyn Disk>) -> Self {
        Self { log_disk: Some(disk), ..self }
    }

    #[cfg(test)]
    pub(super) fn log_disk(&self) -> Option<Arc<dyn Disk>> {
        self.log_disk.clone()
    }

    /// The same root with times and ids of another clock.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Where times and ids of all that is stored here come from.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    fn open_folder(folder: PathBuf, settings: StoreSettings) -> Result<Self> {
        if folder.is_file() {
            return Err(Error::invalid(format!("'{}' is a file: the data need a folder", folder.display())));
        }
        let doing = || format!("data folder '{}'", folder.display());
        std::fs::create_dir_all(&folder).map_err(|error| Error::from(error).context(doing()))?;
        let folder = folder.canonicalize().map_err(|error| Error::from(error).context(doing()))?;
        let url = Url::from_directory_path(&folder).map_err(|()| unusable(&folder.display().to_string()))?;
        let base = Path::from_absolute_path(&folder).map_err(object_store::Error::from)?;
        Ok(Self::at(Arc::new(DurableLocalStore::new()), base, url, settings))
    }

    fn open_cloud(url: Url, settings: StoreSettings) -> Result<Self> {
        let (scheme, base) = cloud::location(&url)?;
        let patience = Patience::Work(Duration::from_secs(settings.retry_seconds));
        let store = Arc::new(cloud::connect(&url, &scheme, patience)?);
        log_store::register(url.scheme())?;
        Ok(Self { cloud: Some(scheme), ..Self::at(store, base, url, settings) })
    }

    /// Asks a store in a cloud whether it answers and lets us in. A local root has been seen by opening it.
    ///
    /// # Errors
    /// One line that names what to check.
    pub async fn probe(&self) -> Result<()> {
        match &self.cloud {
            Some(scheme) => cloud::probe(&self.url, scheme, &self.base).await,
            None => Ok(()),
        }
    }

    /// The store at the root of its scheme.
    pub fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store)
    }

    /// The store with this root's own folder as `/`.
    pub fn store_at_root(&self) -> Arc<dyn ObjectStore> {
        Arc::new(PrefixStore::new(Arc::clone(&self.store), self.base.clone()))
    }

    /// The store with the workspace's folder as `/`.
    pub fn workspace_store(&self, workspace: &WorkspaceName) -> Arc<dyn ObjectStore> {
        Arc::new(PrefixStore::new(Arc::clone(&self.store), self.paths(workspace).base().clone()))
    }

    pub fn paths(&self, workspace: &WorkspaceName) -> WorkspacePaths {
        WorkspacePaths::new(&self.base, workspace)
    }

    /// The URL of a path of this root's store, as Delta wants it: a folder.
    pub fn url_of(&self, path: &Path) -> Result<Url> {
        let mut url = self.url.clone();
        url.set_path(&format!("/{path}/"));
        Ok(url)
    }

    /// The root's folder on the local disk, if it has one.
    pub fn local_folder(&self) -> Option<PathBuf> {
        (self.url.scheme() == "file").then(|| self.url.to_file_path().ok()).flatten()
    }

    /// Whether other machines may see this root, so that a lock of this machine's kernel tells nothing.
    pub fn is_shared(&self) -> bool {
        self.cloud.is_some()
    }

    /// Time without a sign of life after which a writer counts as gone.
    pub fn writer_stale_after(&self) -> Duration {
        Duration::from_secs(self.settings.writer_stale_seconds.max(1))
    }

    pub fn url(&self) -> &Url {
        &self.url
    }
}

fn unusable(location: &str) -> Error {
    Error::invalid(format!("data location '{location}' is not a usable folder"))
}
