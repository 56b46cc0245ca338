//! What is compacted at once, and which of its files need it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use super::Need;
use super::run::RunName;
use crate::error::{Error, Result};
use crate::store::delta::{DataFile, FileLayout};
use crate::store::events::{self, Order, schema};
use crate::store::paths;
use crate::store::tables::{self, FILE_BYTES, TableState};
use crate::workspace::Snapshot;

/// A server rewrites a month when at least one part in this many is not sorted.
const WORTHWHILE_PART: u64 = 5;
/// A server rewrites a month when it has this many files that are not sorted, and a table with this many small ones:
/// what it writes is small itself for a time.
const WORTHWHILE_FILES: usize = 16;
/// A file of a user table is small below this part of a full one.
const SMALL_PART: u64 = 3;

/// What one commit compacts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Of the events.
    Month(String),
    UserTable(String),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Month(month) => write!(f, "month {month}"),
            Self::UserTable(name) => write!(f, "table '{name}'"),
        }
    }
}

impl Part {
    /// What the files are called that come in the place of `files`; `run` is new.
    pub(super) fn run_name(&self, files: &[Arc<DataFile>], run: Uuid) -> Result<RunName> {
        match self {
            Self::Month(month) => Ok(RunName::Sorted { month: month.clone(), run }),
            Self::UserTable(_) => {
                let last = files.last().and_then(|file| paths::table_file_id(&file.path));
                let id = last.ok_or_else(|| Error::internal("files without a place are joined"))?.to_owned();
                Ok(RunName::Joined { id, run })
            }
        }
    }
}

/// Live files of a part that are to be rewritten.
pub(super) struct Files {
    /// The user table that they are of; otherwise they are of the events.
    pub(super) table: Option<Arc<TableState>>,
    /// Files that lie beside each other, and become a run of files each.
    pub(super) runs: Vec<Vec<Arc<DataFile>>>,
}

impl Files {
    pub(super) fn rows(&self) -> u64 {
        self.runs.iter().flatten().map(|file| file.rows).sum()
    }

    pub(super) fn layout(&self) -> Result<FileLayout> {
        match &self.table {
            Some(table) => tables::file_layout(table.folder, &table.columns),
            None => Ok(events::file_layout(Order::Sorted)),
        }
    }
}

/// The parts that need compaction into files of `file_size` bytes.
pub(super) fn parts(snapshot: &Snapshot, need: Need, file_size: usize) -> BTreeMap<Part, Files> {
    let months = months(&snapshot.events.files, need).into_iter();
    let months = months.map(|(month, files)| (Part::Month(month), Files { table: None, runs: vec![files] }));
    let small_bytes = file_size.min(FILE_BYTES) as u64 / SMALL_PART;
    let tables = snapshot.tables.tables.iter().map(|(name, table)| {
        let runs = small_runs(&table.live.files, small_bytes, need);
        (Part::UserTable(name.clone()), Files { table: Some(Arc::clone(table)), runs })
    });
    months.chain(tables.filter(|(_, files)| !files.runs.is_empty())).collect()
}

/// The files of each month that needs compaction.
fn months(files: &[Arc<DataFile>], need: Need) -> BTreeMap<String, Vec<Arc<DataFile>>> {
    let mut months: BTreeMap<String, Vec<Arc<DataFile>>> = BTreeMap::new();
    for file in files {
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

/// Runs of small neighbours in a user table, whose files come in the order of their rows; none when it is not worth it.
fn small_runs(files: &[Arc<DataFile>], small_bytes: u64, need: Need) -> Vec<Vec<Arc<DataFile>>> {
    let is_small = |file: &DataFile| file.bytes < small_bytes && paths::table_file_id(&file.path).is_some();
    let mut runs = Vec::new();
    let mut end = 0;
    for neighbours in files.chunk_by(|a, b| is_small(a) && is_small(b)) {
        end += neighbours.len();
        let run = whole_joins(neighbours, files.get(end));
        if run.len() > 1 && !is_one_join(run) {
            runs.push(run.to_vec());
        }
    }
    let enough = match need {
        Need::All => 0,
        Need::Worthwhile => WORTHWHILE_FILES,
    };
    if runs.iter().map(Vec::len).sum::<usize>() >= enough { runs } else { Vec::new() }
}

/// Without the files at the end that were written by one compaction with `next`: nothing has a name between those.
fn whole_joins<'a>(run: &'a [Arc<DataFile>], next: Option<&Arc<DataFile>>) -> &'a [Arc<DataFile>] {
    let Some(id) = next.and_then(|next| paths::table_file_id(&next.path)) else { return run };
    let after = run.iter().rev().take_while(|file| paths::table_file_id(&file.path) == Some(id)).count();
    &run[..run.len() - after]
}

/// Whether one compaction wrote all of them: they are as large as it could make them.
fn is_one_join(run: &[Arc<DataFile>]) -> bool {
    run.iter().all(|file| paths::table_file_id(&file.path) == paths::table_file_id(&run[0].path))
}

#[cfg(test)]
mod tests;
