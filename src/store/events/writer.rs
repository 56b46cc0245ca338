//! Rows of one month into one Parquet file of the events table.

use std::sync::Arc;

use arrow::array::RecordBatch;
use object_store::ObjectStore;
use object_store::path::Path;
use parking_lot::Mutex;

use super::encoding::{self, Order};
use super::schema;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::store::delta::{Encoded, Encoder, FileLayout, WrittenFile};
use crate::store::paths;

/// The data files of the events table, with rows in this order.
pub fn file_layout(order: Order) -> FileLayout {
    FileLayout {
        folder: Path::from(paths::EVENTS),
        columns: schema::stored(),
        sort_columns: &schema::SORT_COLUMNS,
        properties: encoding::properties(order),
        may_bound,
        most_bytes: usize::MAX,
    }
}

fn may_bound(column: &str) -> bool {
    schema::MIN_MAX_COLUMNS.contains(&column)
}

/// Writes files of the events table, each in one piece. Cheap to clone; clones know of each other's files.
#[derive(Clone)]
pub struct FileWriter {
    store: Arc<dyn ObjectStore>,
    clock: Clock,
    /// Files that it began to write, below the workspace.
    begun: Arc<Mutex<Vec<Path>>>,
}

impl FileWriter {
    /// `store` has the workspace's folder as `/`.
    pub fn new(store: Arc<dyn ObjectStore>, clock: Clock) -> Self {
        Self { store, clock, begun: Arc::default() }
    }

    /// Paths below the workspace of all files that it wrote, or tried to.
    pub fn begun(&self) -> Vec<Path> {
        self.begun.lock().clone()
    }

    /// Encodes `batches` (of [`schema::stored`], all of one month) and writes the file durably.
    pub async fn write(&self, month: String, batches: Vec<RecordBatch>) -> Result<WrittenFile> {
        let encode = move || -> Result<Encoded> {
            let mut encoder = Encoder::new(&file_layout(Order::AsLoaded))?;
            batches.iter().try_for_each(|batch| encoder.push(batch))?;
            encoder.finish()
        };
        let encoded = tokio::task::spawn_blocking(encode)
            .await
            .map_err(|error| Error::internal(format!("encoding a Parquet file: {error}")))??;
        let path = paths::events_file(&month, self.clock.new_id(), encoded.hash());
        let location = paths::events_file_in_workspace(&path);
        let file = encoded.to_file(path, Some(month), self.clock.now());
        self.begun.lock().push(location.clone());
        encoded.write(self.store.as_ref(), &location).await?;
        Ok(file)
    }
}
