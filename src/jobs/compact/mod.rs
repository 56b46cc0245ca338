//! Compaction: many files become few of a target size. A month of events becomes one run sorted by (node, ts,
//! message_id); of a user table neighbours that are small are joined, and its rows stay in their order.
//!
//! New files are written beside the old ones while loads, statements and queries go on; the writer is held only for the
//! commit, which puts the ones in place of the others. A process that dies before it leaves files that nobody refers to.

mod part;
mod rows;
mod run;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures::{FutureExt, StreamExt, stream};
use object_store::path::Path;

use self::part::{Files, Part, parts};
use self::rows::rows_of;
use self::run::Run;
use crate::error::{Error, Kind, RUN_CHECK, Result};
use crate::settings::UpkeepSettings;
use crate::store::delta::{DataFile, FileLayout, WrittenFile};
use crate::workspace::{Workspace, Writer};

/// How often a part is tried when its files change meanwhile.
const TRIES: usize = 3;

/// What is rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// All months that are not one sorted run, all small files that lie beside each other.
    All,
    /// Those where it saves more than it costs: what grows daily is not rewritten for each load or statement.
    Worthwhile,
}

/// What a compaction did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CompactionSummary {
    /// Months of events.
    pub months: usize,
    /// User tables.
    pub tables: usize,
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
        parts(&self.workspace.snapshot(), need, self.file_size).values().map(Files::rows).sum()
    }

    /// Rewrites what needs it, each month and each user table in a commit of its own.
    ///
    /// # Errors
    /// `Conflict` when another process writes to this workspace. What was committed stays so.
    pub async fn run(&self, need: Need) -> Result<CompactionSummary> {
        let started = Instant::now();
        // Writing for nothing is spared when another process is the writer.
        drop(self.workspace.writer_of_files().await?);
        let parts = parts(&self.workspace.snapshot(), need, self.file_size);
        let parallel = std::thread::available_parallelism().map_or(1, usize::from).min(parts.len().max(1));
        let memory = self.memory / parallel;
        // To the end of each: what is wrong with one table keeps no month from its turn.
        let done: Vec<Result<CompactionSummary>> = stream::iter(parts.into_keys())
            .map(|part| self.part(part, need, memory).boxed())
            .buffer_unordered(parallel)
            .collect()
            .await;
        let done = done.into_iter().collect::<Result<Vec<_>>>()?;
        let mut total = done.into_iter().fold(CompactionSummary::default(), added);
        total.seconds = started.elapsed().as_secs_f64();
        Ok(total)
    }

    async fn part(&self, part: Part, need: Need, memory: usize) -> Result<CompactionSummary> {
        for _ in 0..TRIES {
            let Some(files) = parts(&self.workspace.snapshot(), need, self.file_size).remove(&part) else { break };
            let compacting = |error: Error| error.context(format!("compacting {part}"));
            self.check_rewritable(&files).await.map_err(compacting)?;
            let written = self.rewrite(&part, &files, memory).await.map_err(compacting)?;
            let summary = summary(&part, &files, &written);
            let writer = self.workspace.writer_of_files().await?;
            match commit(writer, &part, &files, written, self.file_size as u64).await {
                Ok(()) => return Ok(summary),
                // Somebody else took files away: what was written is for the next vacuum.
                Err(error) if error.kind() == Kind::Conflict => tracing::info!(%part, %error, "compacted once more"),
                Err(error) => return Err(error),
            }
        }
        Ok(CompactionSummary::default())
    }

    async fn check_rewritable(&self, files: &Files) -> Result<()> {
        match &files.table {
            Some(table) => self.workspace.table_log(table.folder)?.check_writable().await,
            None => self.workspace.events().check_rewritable().await,
        }
    }

    /// Writes the rows of each run of files anew.
    async fn rewrite(&self, part: &Part, files: &Files, memory: usize) -> Result<Vec<WrittenFile>> {
        let layout = files.layout()?;
        let (mut written, mut begun) = (Vec::new(), Vec::new());
        for run in &files.runs {
            match self.rewrite_run(part, &layout, run, memory, &mut begun).await {
                Ok(files) => written.extend(files),
                Err(error) => {
                    self.workspace.remove_begun(begun).await;
                    return Err(error);
                }
            }
        }
        Ok(written)
    }

    /// `begun` gets the places of the files that it writes, before it does.
    async fn rewrite_run(
        &self,
        part: &Part,
        layout: &FileLayout,
        files: &[Arc<DataFile>],
        memory: usize,
        begun: &mut Vec<Path>,
    ) -> Result<Vec<WrittenFile>> {
        let mut rows = rows_of(self.workspace.store(), layout, files, memory)?;
        let name = part.run_name(files, self.workspace.clock().new_id())?;
        let mut run = Run::new(&self.workspace, layout, name, self.file_size, begun);
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            let count = batch.num_rows() as u64;
            run.push(batch).await?;
            self.rows_written.fetch_add(count, Ordering::Relaxed);
        }
        let written = run.finish().await?;
        let (before, after): (u64, u64) =
            (files.iter().map(|file| file.rows).sum(), written.iter().map(|file| file.file().rows).sum());
        if before != after {
            return Err(Error::corrupt(format!(
                "there are {after} rows in its files, the log says {before}: nothing was changed"
            ))
            .with_help(RUN_CHECK));
        }
        Ok(written)
    }
}

/// # Errors
/// `Conflict` when some of the files are no longer there.
async fn commit(
    mut writer: Writer,
    part: &Part,
    files: &Files,
    written: Vec<WrittenFile>,
    target_bytes: u64,
) -> Result<()> {
    let removed: Vec<Arc<DataFile>> = files.runs.iter().flatten().cloned().collect();
    let committed = match (part, &files.table) {
        (Part::UserTable(name), Some(table)) => {
            writer.rewrite_table(name, table.folder, &removed, &written, target_bytes).await
        }
        _ => writer.replace_files(&removed, written, target_bytes).await,
    };
    committed.map(drop)
}

fn summary(part: &Part, files: &Files, written: &[WrittenFile]) -> CompactionSummary {
    let before = || files.runs.iter().flatten();
    let is_month = matches!(part, Part::Month(_));
    CompactionSummary {
        months: usize::from(is_month),
        tables: usize::from(!is_month),
        rows: files.rows(),
        files_before: before().count(),
        files_after: written.len(),
        bytes_before: before().map(|file| file.bytes).sum(),
        bytes_after: written.iter().map(|file| file.file().bytes).sum(),
        seconds: 0.0,
    }
}

fn added(mut total: CompactionSummary, part: CompactionSummary) -> CompactionSummary {
    total.months += part.months;
    total.tables += part.tables;
    total.rows += part.rows;
    total.files_before += part.files_before;
    total.files_after += part.files_after;
    total.bytes_before += part.bytes_before;
    total.bytes_after += part.bytes_after;
    total
}
