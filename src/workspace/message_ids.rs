//! Runs of message ids made anew from the stored events, when those that commits name are lost. Must not know who writes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, AsArray, RecordBatch, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use futures::TryStreamExt;
use object_store::path::Path;
use parking_lot::Mutex;

use super::snapshot::Snapshot;
use super::state::Workspace;
use crate::error::{Error, Kind, RUN_CHECK, Result};
use crate::store::dedupe::{DedupeSettings, Hour, IndexBuilder, MessageKey, ReceiveHours, RunPaths, verify_run};
use crate::store::delta::DataFile;
use crate::store::events::{columns_of, schema};
use crate::store::paths;

/// Bytes of keys that are held before they become a run: some three millions.
const KEYS_BYTES: usize = 64 << 20;

/// Times that a run is read before it counts as lost.
const MOST_READS: u32 = 3;

/// How often the log of the server says how far it is.
const SAID_EVERY: Duration = Duration::from_secs(10);

const MESSAGE_ID: &str = "message_id";
const RECEIVED_AT: &str = "received_at";

impl Workspace {
    /// The runs that commits name and that are not what was written. What was only read wrongly is read again.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn lost_runs(&self, state: &Snapshot) -> Result<Vec<String>> {
        let store = self.store();
        let mut lost = Vec::new();
        for run in state.dedupe_runs() {
            for attempt in 1..=MOST_READS {
                match verify_run(&store, &Path::from(run)).await {
                    Ok(()) => break,
                    Err(error) if error.kind() != Kind::Corrupt => return Err(error),
                    Err(_) if attempt == MOST_READS => lost.push(run.to_owned()),
                    Err(_) => {}
                }
            }
        }
        Ok(lost)
    }

    /// Writes runs of the message ids of all rows that are in files, as far as the window goes; gives their paths below
    /// the workspace, which nothing names yet.
    ///
    /// # Errors
    /// `Corrupt` when an events file cannot be read; as far as possible nothing is left then.
    pub(super) async fn write_runs_anew(&self, state: &Snapshot) -> Result<Vec<String>> {
        let begun = Arc::new(Mutex::new(Vec::new()));
        let written = self.write_runs_of_files(state, &begun).await;
        if written.is_err() {
            let begun = std::mem::take(&mut *begun.lock());
            self.remove_begun(begun).await;
        }
        written
    }

    /// The same. `begun` gets the paths that it writes to, before it does.
    async fn write_runs_of_files(&self, state: &Snapshot, begun: &Arc<Mutex<Vec<Path>>>) -> Result<Vec<String>> {
        let window_hours = DedupeSettings::default().window_hours;
        let files = files_of_window(&state.events.files, window_hours);
        let store = self.store();
        let mut hours = ReceiveHours::default();
        for file in &files {
            let mut rows = columns_of(&store, Arc::clone(file), &[RECEIVED_AT]).await?;
            while let Some(rows) = rows.try_next().await? {
                received_at(&rows)?.values().iter().for_each(|at| hours.insert(*at));
            }
        }
        let (clock, begun) = (self.clock().clone(), Arc::clone(begun));
        let run_paths: RunPaths = Box::new(move |_| {
            let path = paths::dedupe_run_in_workspace(clock.new_id());
            begun.lock().push(path.clone());
            path
        });
        let timeline = hours.into_timeline();
        let position = state.flushed;
        let mut builder =
            IndexBuilder::new(Arc::clone(&store), run_paths, timeline, window_hours, position, KEYS_BYTES);
        let mut progress = Progress::new(self, &files);
        for file in &files {
            let mut rows = columns_of(&store, Arc::clone(file), &[MESSAGE_ID, RECEIVED_AT]).await?;
            while let Some(rows) = rows.try_next().await? {
                for (key, at) in keys(&rows)?.into_iter().zip(received_at(&rows)?.values()) {
                    builder.push(key, *at).await?;
                }
                progress.go_on(rows.num_rows());
            }
        }
        let runs = builder.finish().await?;
        Ok(runs.iter().map(|run| run.path().to_string()).collect())
    }
}

/// Files of which a row may be in the window. The bounds alone give the hours a shorter way from one to the next than all
/// rows do: no file is passed over that the rows would keep.
fn files_of_window(files: &[Arc<DataFile>], window_hours: u32) -> Vec<Arc<DataFile>> {
    let mut bounds = ReceiveHours::default();
    for (first, last) in files.iter().filter_map(|file| schema::received_of(file)) {
        bounds.insert(first);
        bounds.insert(last);
    }
    let timeline = bounds.into_timeline();
    let horizon = timeline.clock().map_or(Hour(0), |clock| clock.now().horizon(window_hours));
    let newest = |file: &DataFile| timeline.hour_of(schema::received_of(file)?.1);
    files.iter().filter(|file| newest(file).is_none_or(|newest| newest >= horizon)).cloned().collect()
}

fn keys(rows: &RecordBatch) -> Result<Vec<MessageKey>> {
    let ids = column(rows, MESSAGE_ID, &DataType::Utf8)?;
    Ok(ids.as_string::<i32>().iter().flatten().map(MessageKey::of).collect())
}

fn received_at(rows: &RecordBatch) -> Result<TimestampMicrosecondArray> {
    let received = column(rows, RECEIVED_AT, &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?;
    Ok(received.as_primitive::<TimestampMicrosecondType>().clone())
}

/// Other programs write a column in a type of their own, such as nanoseconds.
fn column(rows: &RecordBatch, name: &str, data_type: &DataType) -> Result<ArrayRef> {
    let column = rows.column_by_name(name);
    let column =
        column.ok_or_else(|| Error::corrupt(format!("an events file has no column {name}")).with_help(RUN_CHECK))?;
    Ok(cast(column, data_type)?)
}

/// How many of the rows have been read.
struct Progress<'a> {
    workspace: &'a Workspace,
    read: usize,
    total: u64,
    said: Instant,
}

impl<'a> Progress<'a> {
    fn new(workspace: &'a Workspace, files: &[Arc<DataFile>]) -> Self {
        let total = files.iter().map(|file| file.rows).sum();
        Self { workspace, read: 0, total, said: Instant::now() }
    }

    fn go_on(&mut self, rows: usize) {
        self.read += rows;
        if self.said.elapsed() >= SAID_EVERY {
            let (workspace, read, total) = (self.workspace.name(), self.read, self.total);
            tracing::info!(%workspace, read, total, "message ids are read from the stored events");
            self.said = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests;
