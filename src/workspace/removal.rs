//! The end of a workspace: the manifest first, so that a workspace that is dropped in part is not found; then its
//! tokens, then every object. Must not open what it removes: a damaged workspace can be dropped, too.

use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use object_store::path::Path;

use super::manifest::Manifest;
use super::registry::not_found;
use crate::auth::Tokens;
use crate::error::{Error, Kind, Result};
use crate::ids::WorkspaceName;
use crate::store::{Root, WriterLock, paths};

/// What was removed with a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    pub objects: usize,
    pub tokens: usize,
}

/// Names of all workspaces with at least one object, sorted.
pub(super) async fn folders(root: &Root) -> Result<Vec<WorkspaceName>> {
    let listed = root.store_at_root().list_with_delimiter(None).await?;
    let folders = listed.common_prefixes.iter().filter_map(|folder| folder.filename());
    // Folders that are no names, such as that of the tokens, are no workspaces.
    let mut names: Vec<WorkspaceName> = folders.filter_map(|name| WorkspaceName::new(name).ok()).collect();
    names.sort();
    Ok(names)
}

/// What is there under a name without a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rest {
    /// Claims alone are nothing: a writer that slept while the workspace was dropped may leave a sign of life.
    Nothing,
    /// Objects or tokens of a workspace that was dropped in part.
    OfWorkspace,
    /// The folder of somebody else, by an object in it that is none of a workspace's.
    OfOthers(Path),
}

pub(super) async fn rest(root: &Root, name: &WorkspaceName) -> Result<Rest> {
    let store = root.workspace_store(name);
    let (mut listed, mut rest) = (store.list(None), Rest::Nothing);
    while let Some(object) = listed.try_next().await? {
        if !paths::is_of_workspace(&object.location) {
            return Ok(Rest::OfOthers(object.location));
        }
        if !paths::is_of_writers(&object.location) {
            rest = Rest::OfWorkspace;
        }
    }
    if Tokens::new(root).list().await?.iter().any(|token| token.workspace == *name) {
        rest = Rest::OfWorkspace;
    }
    Ok(rest)
}

/// A folder that is no workspace is nobody's to remove, nor to fill.
pub(super) fn of_others(root: &Root, name: &WorkspaceName, object: &Path) -> Error {
    Error::invalid(format!(
        "'{name}' under {} is no workspace: it has '{object}', which convoke does not write there; nothing is changed; where \
         it is a data folder of its own, name it with --data",
        root.url()
    ))
}

pub(super) async fn remove(root: &Root, name: &WorkspaceName) -> Result<Removed> {
    // A damaged manifest may be that of another program.
    if !matches!(Manifest::read(&root.store(), &root.paths(name).manifest(), name).await, Ok(Some(_))) {
        match rest(root, name).await? {
            Rest::Nothing => return Err(not_found(name.as_str())),
            Rest::OfOthers(object) => return Err(of_others(root, name, &object)),
            Rest::OfWorkspace => {}
        }
    }
    let lock = WriterLock::acquire(root, name).await.map_err(|error| match error.kind() {
        Kind::Conflict => Error::conflict(format!(
            "workspace '{name}' is in use by a running server or a writing command: stop it, then drop the workspace"
        ))
        .with_source(error),
        _ => error,
    })?;
    let store = root.store();
    delete(root, &root.paths(name).manifest()).await?;
    if let Some(folder) = root.local_folder() {
        // A manifest that comes back with the power would name a workspace without its objects.
        if let Ok(folder) = std::fs::File::open(folder.join(name.as_str())) {
            folder.sync_all()?;
        }
    }
    let tokens = Tokens::new(root).remove_all_of(name).await?;
    let listed: Vec<Path> =
        store.list(Some(root.paths(name).base())).map_ok(|object| object.location).try_collect().await?;
    let mut objects = 1;
    let mut deleted = store.delete_stream(futures::stream::iter(listed.into_iter().map(Ok)).boxed());
    while let Some(outcome) = deleted.next().await {
        match outcome {
            Ok(_) => objects += 1,
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(Error::from(error).context("the rest of the workspace stays: drop it again")),
        }
    }
    // Object stores have no folders; on a disk the empty ones are left.
    if let Some(folder) = root.local_folder() {
        match std::fs::remove_dir_all(folder.join(name.as_str())) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    drop(lock);
    Ok(Removed { objects, tokens })
}

async fn delete(root: &Root, path: &Path) -> Result<()> {
    match root.store().delete(path).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
