//! The events of one workspace as an open Delta table: schema, files, commits.
//!
//! Knows nothing of persons or SQL: `node` is a number like any other here.

mod data_file;
pub mod schema;
mod table;
mod writer;

pub use data_file::DataFile;
pub use table::{EventsSnapshot, EventsTable, LoadRecord};
pub use writer::{FileWriter, WrittenFile};
