//! A root: the URL under which all workspaces lie, and the object store behind it.

use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use url::Url;

use super::durable::DurableLocalStore;
use super::paths::WorkspacePaths;
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;

/// Where a server's data lies. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Root {
    /// The store at the root of its scheme, as Delta wants it.
    store: Arc<dyn ObjectStore>,
    /// The root's path inside `store`.
    base: Path,
    url: Url,
}

impl Root {
    /// Opens a folder (`./data`), `file:///...` or `memory://`. A local folder is made when it is missing.
    ///
    /// # Errors
    /// `InvalidInput` for another scheme, an I/O error when the folder cannot be made.
    pub fn open(location: &str) -> Result<Self> {
        match Url::parse(location) {
            Ok(url) if url.scheme() == "memory" => {
                Ok(Self { store: Arc::new(InMemory::new()), base: Path::default(), url })
            }
            Ok(url) if url.scheme() == "file" => {
                let folder = url.to_file_path().map_err(|()| unusable(location))?;
                Self::open_folder(folder)
            }
            Ok(url) if url.has_host() => Err(Error::invalid(format!(
                "data location '{location}': scheme '{}' is not supported; use a folder, file:///... or memory://",
                url.scheme()
            ))),
            _ => Self::open_folder(PathBuf::from(location)),
        }
    }

    /// A root in a store that the caller made, such as one that counts what is read. No second process can see it.
    pub fn in_store(store: Arc<dyn ObjectStore>) -> Result<Self> {
        let url = Url::parse("memory:///").map_err(|_| unusable("memory://"))?;
        Ok(Self { store, base: Path::default(), url })
    }

    fn open_folder(folder: PathBuf) -> Result<Self> {
        let doing = || format!("data folder '{}'", folder.display());
        std::fs::create_dir_all(&folder).map_err(|error| Error::from(error).context(doing()))?;
        let folder = folder.canonicalize().map_err(|error| Error::from(error).context(doing()))?;
        let url = Url::from_directory_path(&folder).map_err(|()| unusable(&folder.display().to_string()))?;
        let base = Path::from_absolute_path(&folder).map_err(object_store::Error::from)?;
        Ok(Self { store: Arc::new(DurableLocalStore::new()), base, url })
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

    pub fn url(&self) -> &Url {
        &self.url
    }
}

fn unusable(location: &str) -> Error {
    Error::invalid(format!("data location '{location}' is not a usable folder"))
}
