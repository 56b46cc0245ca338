//! Small files of user tables become few: each INSERT makes one, and a query opens all.
//!
//! The joined file is written while statements go on; the writer is held only for the commit.

use std::sync::Arc;

use super::compact::Need;
use crate::error::{Kind, Result};
use crate::store::delta::DataFile;
use crate::store::tables::{TableLimits, TableState, TableWriter, WrittenTable, check_row_count, rows_of};
use crate::workspace::Workspace;

/// A file of this many bytes is left as it is.
const SMALL_BYTES: u64 = 16 << 20;
/// A server joins files when a table has this many small ones: what it writes is small itself for a time.
const WORTHWHILE_FILES: usize = 16;
/// How often a table is tried when statements rewrite its files meanwhile.
const TRIES: usize = 3;

/// What was joined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JoinSummary {
    pub tables: usize,
    pub rows: u64,
    pub files_before: usize,
    pub files_after: usize,
}

/// Joins the small files of all user tables of a workspace, each table in a commit of its own.
///
/// # Errors
/// `Conflict` when another process writes to this workspace. Tables that were committed stay so.
pub async fn join_small_files(workspace: &Arc<Workspace>, need: Need) -> Result<JoinSummary> {
    // Reading for nothing is spared when another process is the writer.
    drop(workspace.writer().await?);
    let names: Vec<String> = workspace.snapshot().tables.tables.keys().cloned().collect();
    let mut summary = JoinSummary::default();
    for name in names {
        let joined = join_table(workspace, &name, need).await;
        joined.map(|table| summary.add(&table)).map_err(|error| error.context(format!("table '{name}'")))?;
    }
    Ok(summary)
}

impl JoinSummary {
    fn add(&mut self, table: &Self) {
        self.tables += table.tables;
        self.rows += table.rows;
        self.files_before += table.files_before;
        self.files_after += table.files_after;
    }
}

async fn join_table(workspace: &Arc<Workspace>, name: &str, need: Need) -> Result<JoinSummary> {
    for _ in 0..TRIES {
        let Some(table) = workspace.snapshot().tables.tables.get(name).cloned() else { break };
        let small = small_files(&table, need);
        if small.is_empty() {
            break;
        }
        let written = joined(workspace, &table, &small).await?;
        let summary =
            JoinSummary { tables: 1, rows: written.rows, files_before: small.len(), files_after: written.files.len() };
        let mut writer = workspace.writer().await?;
        match writer.join_in_table(name, table.folder, &small, written).await {
            Ok(_) => return Ok(summary),
            // What was written is for the next vacuum.
            Err(error) if error.kind() == Kind::Conflict => tracing::info!(table = name, %error, "joined once more"),
            Err(error) => return Err(error),
        }
    }
    Ok(JoinSummary::default())
}

/// The files to join, in the order in which they were written; none when it is not worth it.
fn small_files(table: &TableState, need: Need) -> Vec<Arc<DataFile>> {
    let small: Vec<Arc<DataFile>> = table.live.files.iter().filter(|file| file.bytes < SMALL_BYTES).cloned().collect();
    let enough = match need {
        Need::All => 2,
        Need::Worthwhile => WORTHWHILE_FILES,
    };
    if small.len() >= enough { small } else { Vec::new() }
}

/// Writes the rows of `files` anew.
async fn joined(workspace: &Workspace, table: &TableState, files: &[Arc<DataFile>]) -> Result<WrittenTable> {
    let store = workspace.store();
    let columns = Arc::clone(&table.columns);
    let clock = workspace.clock().clone();
    let mut writer = TableWriter::new(Arc::clone(&store), clock, table.folder, columns, TableLimits::NONE, (0, 0));
    for file in files {
        let mut rows = 0;
        for batch in rows_of(&store, table.folder, file).await? {
            let batch = batch?;
            rows += batch.num_rows() as u64;
            writer.write(&batch).await?;
        }
        check_row_count(file, rows)?;
    }
    writer.finish().await
}
