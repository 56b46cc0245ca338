//! Rows of a user table into Parquet files as they come, with bounded memory. Nothing counts until it is committed.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::SchemaRef;
use futures::StreamExt;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::file::properties::EnabledStatistics;
use uuid::Uuid;

use crate::clock::Clock;
use crate::doubles::one_zero;
use crate::error::{Error, Result};
use crate::store::delta::{Encoder, FileLayout, WrittenFile};
use crate::store::{floating_bounds, objects, paths};

/// Rows and encoded bytes after which a row group is closed.
const ROW_GROUP_ROWS: usize = 131_072;
const ROW_GROUP_BYTES: usize = 16 << 20;
/// Encoded bytes after which a file is closed: it is held in memory until then.
pub const FILE_BYTES: usize = 48 << 20;

/// A failed cast is an error: a NULL in its place would be a silent change of data.
const CAST: CastOptions<'static> =
    CastOptions { safe: false, format_options: arrow::util::display::FormatOptions::new() };

/// The data files of the table in `folder`.
///
/// # Errors
/// For columns that Parquet cannot hold.
pub fn file_layout(folder: Uuid, columns: &SchemaRef) -> Result<FileLayout> {
    let properties = objects::writer_properties()
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .set_statistics_enabled(EnabledStatistics::Page);
    Ok(FileLayout {
        folder: paths::table_in_workspace(folder),
        columns: Arc::clone(columns),
        sort_columns: &[],
        properties: floating_bounds::leave_out(properties, columns)?.build(),
        may_bound: |_| true,
        most_bytes: FILE_BYTES,
    })
}

/// How large a table may become.
#[derive(Debug, Clone, Copy)]
pub struct TableLimits {
    pub rows: u64,
    pub bytes: u64,
}

/// Files that are durable but not yet part of a table.
#[derive(Debug, Default)]
pub struct WrittenTable {
    pub files: Vec<WrittenFile>,
    pub rows: u64,
    pub bytes: u64,
}

/// Writes the files of one table. Dropped before [`TableWriter::finish`], it removes what it wrote.
pub struct TableWriter {
    store: Arc<dyn ObjectStore>,
    clock: Clock,
    folder: Uuid,
    columns: SchemaRef,
    limits: TableLimits,
    /// What the table holds already.
    held: (u64, u64),
    open: Option<Encoder>,
    written: WrittenTable,
}

impl TableWriter {
    /// `store` has the workspace's folder as `/`; `held` is (rows, bytes) of the table so far.
    pub fn new(
        store: Arc<dyn ObjectStore>,
        clock: Clock,
        folder: Uuid,
        columns: SchemaRef,
        limits: TableLimits,
        held: (u64, u64),
    ) -> Self {
        Self { store, clock, folder, columns, limits, held, open: None, written: WrittenTable::default() }
    }

    /// Adds rows; their columns are taken by place and cast to those of the table.
    ///
    /// # Errors
    /// `InvalidInput` for a value that does not fit its column, or rows beyond the limits.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.written.rows += batch.num_rows() as u64;
        self.check_limits(0)?;
        let batch = fit(batch, &self.columns)?;
        let mut file = match self.open.take() {
            Some(file) => file,
            None => Encoder::new(&file_layout(self.folder, &self.columns)?)?,
        };
        file.push(&batch)?;
        let encoded = file.bytes();
        self.open = Some(file);
        self.check_limits(encoded as u64)?;
        if encoded >= FILE_BYTES {
            self.close_file().await?;
        }
        Ok(())
    }

    /// Closes the last file.
    pub async fn finish(mut self) -> Result<WrittenTable> {
        self.close_file().await?;
        self.check_limits(0)?;
        // From here on a commit may name the files: they are not ours to remove any more.
        Ok(std::mem::take(&mut self.written))
    }

    async fn close_file(&mut self) -> Result<()> {
        let Some(file) = self.open.take() else { return Ok(()) };
        let encoded = file.finish()?;
        let path = paths::table_file(self.clock.new_id(), encoded.hash());
        let location = paths::table_file_in_workspace(self.folder, &path);
        let file = encoded.to_file(path, None, self.clock.now());
        self.written.bytes += file.file().bytes;
        self.written.files.push(file);
        encoded.write(self.store.as_ref(), &location).await
    }

    fn check_limits(&self, open_bytes: u64) -> Result<()> {
        let rows = self.held.0 + self.written.rows;
        let bytes = self.held.1 + self.written.bytes + open_bytes;
        if rows > self.limits.rows {
            return Err(Error::invalid(format!(
                "the table would have more than {} rows (setting tables.max_rows): nothing was stored",
                self.limits.rows
            )));
        }
        if bytes > self.limits.bytes {
            return Err(Error::invalid(format!(
                "the table would take more than {} bytes (setting tables.max_bytes): nothing was stored",
                self.limits.bytes
            )));
        }
        Ok(())
    }
}

impl Drop for TableWriter {
    fn drop(&mut self) {
        let files = std::mem::take(&mut self.written.files);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if files.is_empty() {
            return;
        }
        let (store, folder) = (Arc::clone(&self.store), self.folder);
        runtime.spawn(async move {
            let paths =
                futures::stream::iter(files).map(|file| paths::table_file_in_workspace(folder, &file.file().path));
            paths
                .for_each(|path| {
                    let store = Arc::clone(&store);
                    // What cannot be removed now is named by no commit and does no harm.
                    async move { drop(store.delete(&path).await) }
                })
                .await;
        });
    }
}

/// The batch with the names and types of the table.
fn fit(batch: &RecordBatch, columns: &SchemaRef) -> Result<RecordBatch> {
    if batch.num_columns() != columns.fields().len() {
        return Err(Error::invalid(format!(
            "{} columns were given, the table has {}",
            batch.num_columns(),
            columns.fields().len()
        )));
    }
    let mut fitted = Vec::with_capacity(batch.num_columns());
    for (column, field) in batch.columns().iter().zip(columns.fields()) {
        let context = |error| Error::from(error).context(format!("column '{}'", field.name()));
        let column = match (column.data_type(), field.data_type()) {
            (given, wanted) if given == wanted => Arc::clone(column),
            (_, wanted) => cast_with_options(column, wanted, &CAST).map_err(context)?,
        };
        if !field.is_nullable() && column.logical_null_count() > 0 {
            return Err(Error::invalid(format!("column '{}' may not be NULL", field.name())));
        }
        // Whatever they come from: rows of a client, or of a file of an earlier program that a DELETE writes anew.
        fitted.push(one_zero(&column)?);
    }
    Ok(RecordBatch::try_new(Arc::clone(columns), fitted)?)
}
