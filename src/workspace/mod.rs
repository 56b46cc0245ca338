//! A workspace as one thing: its events and its identity graph under one snapshot, and its single writer.
//!
//! Knows nothing of SQL or protocols.

mod manifest;
pub mod reference;
mod registry;
mod removal;
mod rules;
mod settings;
mod snapshot;
mod state;

pub use manifest::Manifest;
pub use registry::{WorkspaceEntry, WorkspaceState, Workspaces, not_found};
pub use removal::Removed;
pub use rules::{RuleChange, Rules};
pub use settings::{WorkspaceSettings, currency};
pub use snapshot::{Snapshot, SnapshotId};
pub use state::{Commit, Workspace};
