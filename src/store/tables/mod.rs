//! User tables as bytes: the catalog of their names, and each as a Delta table of its own.
//!
//! Knows nothing of SQL or callers, nor which names are taken by managed tables.

mod catalog;
mod read;
mod table;
mod writer;

pub use catalog::{CatalogEntry, TableCatalog, TableCatalogStore};
pub use read::{check_row_count, rows_of};
pub use table::{TableLog, TableState};
pub use writer::{FILE_BYTES, TableLimits, TableWriter, WrittenTable, file_layout};
