//! What the files of a table look like. Must not know any table.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

/// The columns of a table, and where each of them stands.
#[derive(Debug, Clone)]
pub struct Layout {
    /// As messages name it: `the events table`.
    pub label: String,
    /// Columns inside the data files, in order.
    pub columns: SchemaRef,
    /// The text column that stands in the names of folders and not in the files.
    pub partition: Option<&'static str>,
}

impl Layout {
    /// All columns, that of the partitions last.
    pub fn declared(&self) -> Schema {
        let of_files = self.columns.fields().iter().map(|field| field.as_ref().clone());
        Schema::new(
            of_files.chain(self.partition.map(|name| Field::new(name, DataType::Utf8, true))).collect::<Vec<_>>(),
        )
    }

    /// The partition of a file as the log writes it.
    pub(super) fn partition_values(&self, value: Option<&str>) -> HashMap<String, Option<String>> {
        self.partition.map(|column| (column.to_owned(), value.map(str::to_owned))).into_iter().collect()
    }
}
