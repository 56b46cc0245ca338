//! Compaction: the files of a month become one run sorted by (node, ts, message_id) in files of a target size.
//!
//! New files are written beside the old ones while loads and queries go on; the writer is held only for the commit,
//! which puts the ones in place of the others. A process that dies before it leaves files that nobody refers to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use uuid::Uuid;

use super::sort::sorted;
use crate::error::{Error, Kind, Result};
use crate::settings::UpkeepSettings;
use crate::store::delta::{DataFile, WrittenFile};
use crate::store::events::{Encoded, Encoder, FileWriter, Order, schema};
use crate::store::paths;
use crate::workspace::{Snapshot, Workspace};

/// How often a month is tried when its files change meanwhile.
const TRIES: usize = 3;
/// A server rewrites a month when at least one part in this many is not sorted.
const WORTHWHILE_PART: u64 = 5;
/// A server rewrites a month when it has this many files that are not sorted.
const WORTHWHILE_FILES: usize = 16;

/// Which months are rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// All that are not one sorted run.
    All,
    /// Those where it saves more than it costs: a month that grows daily is not rewritten for each load.
    Worthwhile,
}

/// What a compaction did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CompactionSummary {
    pub months: usize,
    pub rows: u64,
    pub files_before: usize,
    pub files_after: usize,
    pub bytes_before: u64,
    pub bytes_after: u64,
    pub seconds: f64,
}

/// Compacts one workspace.
pub struct Compactor {
    workspace: Arc<Workspace>,
    memory: usize,
    file_size: usize,
    rows_written: Arc<AtomicU64>,
}

impl Compactor {
    pub fn new(workspace: Arc<Workspace>, settings: &UpkeepSettings) -> Self {
        Self { workspace, memory: settings.memory.0, file_size: settings.file_size.0, rows_written: Arc::default() }
    }

    /// Rows written so far, to be followed.
    pub fn progress(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.rows_written)
    }

    /// Rows that [`Self::run`] would rewrite now.
    pub fn pending_rows(&self, need: Need) -> u64 {
        months(&self.workspace.snapshot(), need).values().flatten().map(|file| file.rows).sum()
    }

    /// Rewrites the months that need it, each in a commit of its own.
    ///
    /// # Errors
    /// `Conflict` when another process writes to this workspace. Months that were committed stay so.
    pub async fn run(&self, need: Need) -> Result<CompactionSummary> {
        let started = Instant::now();
        // Sorting for nothing is spared when another process is the writer.
        drop(self.workspace.writer().await?);
        let months = months(&self.workspace.snapshot(), need);
        let parallel = std::thread::available_parallelism().map_or(1, usize::from).min(months.len().max(1));
        let memory = self.memory / parallel;
        let done: Vec<CompactionSummary> = stream::iter(months.into_keys())
            .map(|month| self.month(month, need, memory).boxed())
            .buffer_unordered(parallel)
            .try_collect()
            .await?;
        let mut total = done.into_iter().fold(CompactionSummary::default(), added);
        total.seconds = started.elapsed().as_secs_f64();
        Ok(total)
    }

    async fn month(&self, month: String, need: Need, memory: usize) -> Result<CompactionSummary> {
        for _ in 0..TRIES {
            let Some(files) = months(&self.workspace.snapshot(), need).remove(&month) else { break };
            let written = self.rewrite(&month, &files, memory).await?;
            let summary = summary(&files, &written);
            let mut writer = self.workspace.writer().await?;
            match writer.replace_files(&files, written, self.file_size as u64).await {
                Ok(_) => return Ok(summary),
                // Somebody else took files away: what was written is for the next vacuum.
                Err(error) if error.kind() == Kind::Conflict => tracing::info!(%month, %error, "compacted once more"),
                Err(error) => return Err(error),
            }
        }
        Ok(CompactionSummary::default())
    }

    /// Writes the rows of `files` as one sorted run.
    async fn rewrite(&self, month: &str, files: &[Arc<DataFile>], memory: usize) -> Result<Vec<WrittenFile>> {
        let mut rows = sorted(self.workspace.store(), files, memory)
            .map_err(|error| error.context(format!("compacting month {month}")))?;
        let mut run = Run::new(&self.workspace, month);
        while let Some(batch) = rows.next().await {
            let batch = batch.map_err(|error| Error::from(error).context(format!("compacting month {month}")))?;
            let count = batch.num_rows() as u64;
            run.push(batch, self.file_size).await?;
            self.rows_written.fetch_add(count, Ordering::Relaxed);
        }
        let written = run.finish().await?;
        let (before, after): (u64, u64) =
            (files.iter().map(|file| file.rows).sum(), written.iter().map(|file| file.file().rows).sum());
        if before != after {
            return Err(Error::corrupt(format!(
                "month {month} has {after} rows in its files, the log says {before}: nothing was changed; run \
                 `convoke check`"
            )));
        }
        Ok(written)
    }
}

/// The files of each month that needs compaction.
fn months(snapshot: &Snapshot, need: Need) -> BTreeMap<String, Vec<Arc<DataFile>>> {
    let mut months: BTreeMap<String, Vec<Arc<DataFile>>> = BTreeMap::new();
    for file in snapshot.events.files.iter() {
        months.entry(schema::month_of(file).to_owned()).or_default().push(Arc::clone(file));
    }
    months.retain(|_, files| match need {
        Need::All => !is_one_run(files),
        Need::Worthwhile => !is_one_run(files) && is_worthwhile(files),
    });
    months
}

fn is_one_run(files: &[Arc<DataFile>]) -> bool {
    let mut runs = files.iter().map(|file| paths::sorted_run(&file.path));
    runs.next().is_some_and(|first| first.is_some() && runs.all(|run| run == first))
}

fn is_worthwhile(files: &[Arc<DataFile>]) -> bool {
    let loose = || files.iter().filter(|file| paths::sorted_run(&file.path).is_none());
    let (rows, all): (u64, u64) = (loose().map(|file| file.rows).sum(), files.iter().map(|file| file.rows).sum());
    loose().count() >= WORTHWHILE_FILES || rows * WORTHWHILE_PART >= all
}

fn summary(files: &[Arc<DataFile>], written: &[WrittenFile]) -> CompactionSummary {
    CompactionSummary {
        months: 1,
        rows: files.iter().map(|file| file.rows).sum(),
        files_before: files.len(),
        files_after: written.len(),
        bytes_before: files.iter().map(|file| file.bytes).sum(),
        bytes_after: written.iter().map(|file| file.file().bytes).sum(),
        seconds: 0.0,
    }
}

fn added(mut total: CompactionSummary, month: CompactionSummary) -> CompactionSummary {
    total.months += month.months;
    total.rows += month.rows;
    total.files_before += month.files_before;
    total.files_after += month.files_after;
    total.bytes_before += month.bytes_before;
    total.bytes_after += month.bytes_after;
    total
}

/// The files of one sorted run as they are written.
struct Run<'a> {
    id: Uuid,
    month: &'a str,
    writer: FileWriter,
    encoder: Option<Encoder>,
    written: Vec<WrittenFile>,
}

impl<'a> Run<'a> {
    fn new(workspace: &Workspace, month: &'a str) -> Self {
        let (id, writer) = (workspace.clock().new_id(), workspace.file_writer());
        Self { id, month, writer, encoder: None, written: Vec::new() }
    }

    /// Takes the next rows; a file of `file_size` bytes is full.
    async fn push(&mut self, batch: arrow::record_batch::RecordBatch, file_size: usize) -> Result<()> {
        let encoder = match self.encoder.take() {
            Some(encoder) => encoder,
            None => Encoder::new(Order::Sorted)?,
        };
        let encoder = off_thread(move || {
            let mut encoder = encoder;
            encoder.push(&batch).map(|()| encoder)
        })
        .await?;
        let full = encoder.bytes() >= file_size;
        self.encoder = Some(encoder);
        if full { self.close().await } else { Ok(()) }
    }

    async fn close(&mut self) -> Result<()> {
        let Some(encoder) = self.encoder.take() else { return Ok(()) };
        let encoded: Encoded = off_thread(move || encoder.finish()).await?;
        let file = self.writer.write_sorted(self.month, self.id, self.written.len(), encoded).await?;
        self.written.push(file);
        Ok(())
    }

    async fn finish(mut self) -> Result<Vec<WrittenFile>> {
        self.close().await?;
        Ok(self.written)
    }
}

/// Encoding takes long enough to hold up others on the same thread.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::internal(format!("encoding a file: {error}")))?
}
