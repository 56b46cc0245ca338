//! The events of one workspace as an open Delta table: schema, files, commits.
//!
//! Knows nothing of persons or SQL: `node` is a number like any other here.

mod data_file;
mod encoding;
mod load_records;
mod node_index;
pub mod schema;
mod table;
mod verify;
mod writer;

pub use data_file::DataFile;
pub use encoding::Order;
pub use node_index::{NodeIndex, RowRanges, SelectedFile};
pub use table::{EventsSnapshot, EventsTable, LoadRecord};
pub use verify::faults_of;
pub use writer::{Encoded, Encoder, FileWriter, WrittenFile, content_hash};
