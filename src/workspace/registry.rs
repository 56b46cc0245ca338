//! The workspaces of a root, opened when first asked for.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::manifest::Manifest;
use super::state::Workspace;
use crate::error::{Error, Kind, Result};
use crate::ids::WorkspaceName;
use crate::store::{Root, objects};

/// All workspaces of a root. Cheap to clone.
#[derive(Clone)]
pub struct Workspaces {
    root: Root,
    open: Arc<Mutex<HashMap<WorkspaceName, Arc<Workspace>>>>,
}

impl Workspaces {
    pub fn new(root: Root) -> Self {
        Self { root, open: Arc::default() }
    }

    pub fn root(&self) -> &Root {
        &self.root
    }

    /// # Errors
    /// `NotFound` for a workspace that is not there.
    pub async fn get(&self, name: &WorkspaceName) -> Result<Arc<Workspace>> {
        let mut open = self.open.lock().await;
        if let Some(workspace) = open.get(name) {
            return Ok(Arc::clone(workspace));
        }
        let manifest: Option<Manifest> =
            objects::read_json(&self.root.store(), &self.root.paths(name).manifest()).await?;
        let manifest = manifest.ok_or_else(|| not_found(name))?;
        manifest.check_format()?;
        let workspace = Arc::new(Workspace::open(self.root.clone(), name.clone(), manifest).await?);
        open.insert(name.clone(), Arc::clone(&workspace));
        Ok(workspace)
    }

    /// The workspaces that somebody asked for.
    pub async fn opened(&self) -> Vec<Arc<Workspace>> {
        self.open.lock().await.values().cloned().collect()
    }

    /// The workspace, made from `manifest` unless it is there.
    pub async fn get_or_create(&self, name: &WorkspaceName, manifest: &Manifest) -> Result<Arc<Workspace>> {
        let path = self.root.paths(name).manifest();
        match objects::create_json(self.root.store().as_ref(), &path, manifest).await {
            Err(error) if error.kind() != Kind::Conflict => Err(error),
            _ => self.get(name).await,
        }
    }
}

/// The same words whether it never was or is somebody else's.
fn not_found(name: &WorkspaceName) -> Error {
    Error::not_found(format!(
        "there is no workspace '{name}' here: check --data and --workspace, or make it by `convoke ingest`"
    ))
}
