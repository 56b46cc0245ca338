//! How the data files of a table are written, ordered and judged: what loads, statements, compaction and `check` share.
//! Must not know any table.

use arrow::datatypes::SchemaRef;
use object_store::path::Path;
use parquet::file::properties::WriterProperties;

use crate::store::paths;

/// What the data files of one table have in common.
#[derive(Debug, Clone)]
pub struct FileLayout {
    /// The table's folder below the workspace.
    pub folder: Path,
    /// Columns inside the files, in order.
    pub columns: SchemaRef,
    /// How compaction orders the rows, ascending, NULL last. Without any they stay in the order in which they came.
    pub sort_columns: &'static [&'static str],
    /// How the columns are encoded.
    pub properties: WriterProperties,
    /// Whether the smallest and largest values of the column of this name may stand in the log.
    pub may_bound: fn(&str) -> bool,
    /// Bytes after which a file is full, whatever the settings say.
    pub most_bytes: usize,
}

impl FileLayout {
    /// Where a file lies below the workspace.
    pub fn location(&self, file: &str) -> Path {
        paths::data_file_in_workspace(&self.folder, file)
    }
}
