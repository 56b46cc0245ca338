//! Parquet to input batches, column by column: a row costs nothing of its own unless it is rejected. The columns of an
//! event stream go the same way.
//!
//! `nulls` gives columns without a type one, `typed` makes the field columns, `float_ids` those of identifiers, `nested`
//! categories and lists of identifiers, `rendered` JSON of all that is left, `rejects` collects the rows that fail. Must not
//! know the text formats.

mod file;
mod float_ids;
mod nested;
mod nulls;
mod rejects;
mod rendered;
mod typed;

pub use file::ParquetBatches;
pub use nested::{IdentifierColumns, category_array, identifier_array, identifier_places};
pub use rejects::Rejects;
pub use rendered::object_lines;
pub use typed::{AMOUNTS, QUANTITIES, decimal_array, time_array};
