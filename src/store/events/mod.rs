//! The events of one workspace as an open Delta table: schema, files, commits.
//!
//! Knows nothing of persons or SQL: `node` is a number like any other here.

mod columns;
mod commit_records;
mod encoding;
mod file_bytes;
mod node_index;
mod order_rows;
mod partition;
pub mod schema;
mod table;
mod verify;
mod writer;

pub use columns::columns_of;
pub use encoding::Order;
pub use node_index::{NodeIndex, RowRanges, SelectedFile};
pub use order_rows::{FoundRows, ReadLimit, WantedOrders, rows_of_orders};
pub use partition::{LocalMonths, Partitioner, batch_bytes};
pub use table::{CommitRecord, EventsTable, LoadRecord, Reach, RunChange, dedupe_runs};
pub use verify::fault_of_nodes;
pub use writer::{FileWriter, file_layout};
