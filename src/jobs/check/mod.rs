//! `convoke check`: reads every object of a root and says which are not what they should be.
//!
//! Goes on after a fault, opens nothing that a damaged object could keep shut, and changes nothing.

mod dedupe;
mod delta;
mod events;
mod log;
mod loose;
mod under_way;
mod user_tables;
mod workspace;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use crate::error::{Error, RUN_CHECK, Result};
use crate::ids::WorkspaceName;
use crate::store::{Root, paths};

/// What helps against damage that nothing in the root can mend.
const RESTORE: &str = "restore it from a backup";

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Below the root.
    pub path: String,
    pub what: String,
    /// What to do about it.
    pub help: String,
    /// Nothing is wrong, but something could be tidied.
    pub note: bool,
}

#[derive(Debug, Clone, Default)]
pub struct CheckSummary {
    pub objects: u64,
    pub bytes: u64,
    pub faults: usize,
    pub notes: usize,
}

/// A check of one root.
pub struct Check {
    root: Root,
    /// Only this workspace.
    workspace: Option<WorkspaceName>,
    bytes_read: Arc<AtomicU64>,
}

impl Check {
    pub fn new(root: Root, workspace: Option<WorkspaceName>) -> Self {
        Self { root, workspace, bytes_read: Arc::default() }
    }

    /// Bytes of the objects checked so far, to be followed.
    pub fn progress(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes_read)
    }

    /// Bytes of all objects.
    pub async fn total_bytes(&self) -> Result<u64> {
        let found = self.list(&self.root.store_at_root(), None).await?;
        Ok(found.iter().map(|object| object.size).sum())
    }

    /// Checks everything; `tell` gets each finding as it is made.
    ///
    /// # Errors
    /// `NotFound` when there is nothing to check, any error of a store that does not answer.
    pub async fn run(&self, mut tell: impl FnMut(&Finding) + Send) -> Result<CheckSummary> {
        let mut report = Report { tell: &mut tell, summary: CheckSummary::default(), bytes_read: &self.bytes_read };
        let workspaces = match &self.workspace {
            Some(name) => vec![name.clone()],
            None => {
                self.tokens(&mut report).await?;
                self.workspaces(&mut report).await?
            }
        };
        for name in &workspaces {
            workspace::check(&self.root, name, &mut report).await?;
        }
        if report.summary.objects == 0 {
            return Err(Error::not_found("there is nothing to check here: check --data and --workspace"));
        }
        Ok(report.summary)
    }

    async fn list(&self, store: &Arc<dyn ObjectStore>, folder: Option<&Path>) -> Result<Vec<ObjectMeta>> {
        Ok(store.list(folder).try_collect().await?)
    }

    async fn tokens(&self, report: &mut Report<'_>) -> Result<()> {
        let store = self.root.store_at_root();
        for object in self.list(&store, Some(&Path::from(paths::TOKENS))).await? {
            loose::check(&store, &object, "", report).await?;
        }
        Ok(())
    }

    /// Every folder of the root but our own.
    async fn workspaces(&self, report: &mut Report<'_>) -> Result<Vec<WorkspaceName>> {
        let found = self.root.store_at_root().list_with_delimiter(None).await?;
        let folders: HashSet<String> = found
            .common_prefixes
            .iter()
            .filter_map(|folder| folder.filename().map(str::to_owned))
            .filter(|folder| !folder.starts_with('_'))
            .collect();
        let mut names = Vec::new();
        for folder in folders {
            match WorkspaceName::new(folder.clone()) {
                Ok(name) => names.push(name),
                Err(_) => report.note(&folder, "is no folder of Convoke's", "move it elsewhere"),
            }
        }
        names.sort();
        Ok(names)
    }
}

/// What helps against an error, if not what it says itself: to run this very check is no help here.
fn help(error: &Error) -> &'static str {
    error.help().filter(|help| *help != RUN_CHECK).unwrap_or(RESTORE)
}

/// Where findings go.
struct Report<'a> {
    tell: &'a mut (dyn FnMut(&Finding) + Send),
    summary: CheckSummary,
    bytes_read: &'a AtomicU64,
}

impl Report<'_> {
    fn fault(&mut self, path: &str, what: impl Into<String>, help: &str) {
        self.summary.faults += 1;
        self.find(path, what.into(), help, false);
    }

    fn note(&mut self, path: &str, what: &str, help: &str) {
        self.summary.notes += 1;
        self.find(path, what.to_owned(), help, true);
    }

    fn find(&mut self, path: &str, what: String, help: &str, note: bool) {
        (self.tell)(&Finding { path: path.to_owned(), what, help: help.to_owned(), note });
    }

    /// An object has been looked at.
    fn looked_at(&mut self, bytes: u64) {
        self.summary.objects += 1;
        self.summary.bytes += bytes;
        self.bytes_read.fetch_add(bytes, Ordering::Relaxed);
    }
}
