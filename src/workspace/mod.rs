//! A workspace as one thing: its events, its identity graph and its user tables under one snapshot, and its single writer.
//!
//! Knows nothing of SQL or protocols.

mod base_currency;
mod checkpoint;
mod leases;
mod load;
mod manifest;
mod recovery;
pub mod reference;
mod registry;
mod removal;
mod rules;
mod settings;
mod snapshot;
mod state;
mod tables;
mod writer;

pub use base_currency::{BaseCurrency, local_day};
pub use checkpoint::{Checkpoint, checkpoint_by_time};
pub use leases::Leases;
pub use load::Load;
pub use manifest::{DataKind, Manifest};
pub use registry::{WorkspaceEntry, WorkspaceState, Workspaces, not_found};
pub use removal::Removed;
pub use rules::{RuleChange, Rules};
pub use settings::{WorkspaceSettings, currency};
pub use snapshot::{Loads, ShapeId, Snapshot, SnapshotId};
pub use state::Workspace;
pub use tables::{NewTable, TablesSnapshot};
pub(crate) use tables::{no_table, table_exists};
pub use writer::Writer;
