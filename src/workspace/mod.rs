//! A workspace as one thing: its events and its identity graph under one snapshot, and its single writer.
//!
//! Knows nothing of SQL or protocols.

mod checkpoint;
mod manifest;
mod registry;
mod snapshot;
mod state;

pub use checkpoint::{Checkpoint, checkpoint_by_time};
pub use manifest::Manifest;
pub use registry::Workspaces;
pub use snapshot::{Snapshot, SnapshotId};
pub use state::{Commit, Workspace};
