//! Tables of schema `system` that have content now: dead letters, the log, queries, settings.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStore;

use super::rows;
use crate::error::{Error, RUN_CHECK, Result};
use crate::ids::WorkspaceName;
use crate::query::history::History;
use crate::query::pinned_state::pinned;
use crate::settings::Settings;
use crate::store::dead_letters as letters;
use crate::store::events::schema::instant;
use crate::store::objects;
use crate::workspace::{LogReport, Manifest, Rules, Snapshot, Workspace};

/// Tables of the schema that only administrators see (SQL.md 9).
pub(in crate::query) const OF_ADMINISTRATORS: [&str; 2] = ["log", "settings"];

/// `system.queries`: the last statements of this workspace.
pub(in crate::query) fn queries(history: History, workspace: WorkspaceName) -> Result<Arc<dyn TableProvider>> {
    let make = move |_: &Snapshot| -> Box<dyn Iterator<Item = Result<RecordBatch>> + Send> {
        Box::new(std::iter::once(queries_batch(&history, &workspace)))
    };
    rows::table(queries_schema(), make)
}

fn queries_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("query_id", DataType::Utf8, false),
        Field::new("started_at", instant(), false),
        Field::new("principal", DataType::Utf8, false),
        Field::new("statement", DataType::Utf8, false),
        Field::new("state", DataType::Utf8, false),
        Field::new("rows", DataType::Int64, false),
        Field::new("bytes", DataType::Int64, false),
        Field::new("milliseconds", DataType::Float64, false),
        Field::new("error", DataType::Utf8, true),
    ]))
}

fn queries_batch(history: &History, workspace: &WorkspaceName) -> Result<RecordBatch> {
    let records = history.records(workspace);
    let started: Vec<i64> = records.iter().map(|record| record.started_at).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(records.iter().map(|record| record.id.to_string()))),
        Arc::new(TimestampMicrosecondArray::from(started).with_timezone("UTC")),
        Arc::new(StringArray::from_iter_values(records.iter().map(|record| record.principal.as_ref()))),
        Arc::new(StringArray::from_iter_values(records.iter().map(|record| record.statement.as_str()))),
        Arc::new(StringArray::from_iter_values(records.iter().map(|record| record.state.as_str()))),
        Arc::new(records.iter().map(|record| Some(record.rows as i64)).collect::<Int64Array>()),
        Arc::new(records.iter().map(|record| Some(record.bytes as i64)).collect::<Int64Array>()),
        Arc::new(records.iter().map(|record| Some(record.milliseconds)).collect::<Float64Array>()),
        Arc::new(records.iter().map(|record| record.error.as_deref()).collect::<StringArray>()),
    ];
    Ok(RecordBatch::try_new(queries_schema(), columns)?)
}

/// `system.settings`: what is set and where it comes from.
pub(in crate::query) fn settings(
    settings: &Settings,
    manifest: &Manifest,
    rules: &Rules,
) -> Result<Arc<dyn TableProvider>> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", DataType::Utf8, false),
        Field::new("origin", DataType::Utf8, false),
    ]));
    let mut entries: Vec<(String, String, &str)> =
        settings.entries.iter().map(|entry| (entry.key.clone(), entry.value.clone(), entry.origin)).collect();
    for (key, value, own) in rules.settings.entries(settings) {
        match entries.iter_mut().find(|(known, _, _)| *known == key) {
            // What holds may be more than what the server set, such as lists of which a part is built in.
            Some(entry) => {
                entry.1 = value;
                entry.2 = if own { "workspace" } else { entry.2 };
            }
            None => entries.push((key, value, if own { "workspace" } else { "default" })),
        }
    }
    entries.push(("workspace.time_zone".to_owned(), manifest.time_zone.name().to_owned(), "workspace"));
    entries.sort();
    let batch = RecordBatch::try_new(
        Arc::clone(&schema),
        vec![
            Arc::new(StringArray::from_iter_values(entries.iter().map(|(key, _, _)| key))),
            Arc::new(StringArray::from_iter_values(entries.iter().map(|(_, value, _)| value))),
            Arc::new(StringArray::from_iter_values(entries.iter().map(|(_, _, origin)| origin))),
        ],
    )?;
    rows::table(schema, move |_| Box::new(std::iter::once(Ok(batch.clone()))))
}

/// `system.log`: one row on the log of the workspace, and how much of it is in files.
pub(in crate::query) fn log(workspace: &Workspace) -> Result<Arc<dyn TableProvider>> {
    let monitor = Arc::clone(workspace.log_monitor());
    rows::table(log_schema(), move |state| Box::new(std::iter::once(log_batch(&monitor.report(state)))))
}

fn log_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("position", DataType::Int64, false),
        Field::new("flushed_position", DataType::Int64, false),
        Field::new("hot_rows", DataType::Int64, false),
        Field::new("hot_bytes", DataType::Int64, false),
        Field::new("segments", DataType::Int64, false),
        Field::new("log_bytes", DataType::Int64, false),
        Field::new("last_flush", instant(), true),
        Field::new("replay_seconds", DataType::Float64, false),
    ]))
}

fn log_batch(report: &LogReport) -> Result<RecordBatch> {
    let whole = |number: u64| -> ArrayRef { Arc::new(Int64Array::from(vec![number as i64])) };
    let last_flush = report.last_flush.map(|at| at.timestamp_micros());
    let columns: Vec<ArrayRef> = vec![
        whole(report.position),
        whole(report.flushed_position),
        whole(report.hot_rows as u64),
        whole(report.hot_bytes as u64),
        whole(report.segments),
        whole(report.log_bytes),
        Arc::new(TimestampMicrosecondArray::from(vec![last_flush]).with_timezone("UTC")),
        Arc::new(Float64Array::from(vec![report.replay_seconds])),
    ];
    Ok(RecordBatch::try_new(log_schema(), columns)?)
}

/// `system.dead_letters`: the rejected rows of all loads.
pub(in crate::query) fn dead_letters(workspace: &Workspace) -> Result<Arc<dyn TableProvider>> {
    let objects = DeadLetterObjects { schema: letters::schema(), store: workspace.store() };
    Ok(Arc::new(StreamingTable::try_new(letters::schema(), vec![Arc::new(objects)])?))
}

/// The dead-letter objects of a state, read one after the other.
struct DeadLetterObjects {
    schema: SchemaRef,
    store: Arc<dyn ObjectStore>,
}

impl fmt::Debug for DeadLetterObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeadLetterObjects")
    }
}

impl PartitionStream for DeadLetterObjects {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let store = Arc::clone(&self.store);
        let (mut paths, mut in_log) = (Vec::new(), Vec::new());
        match pinned(context.session_config().options()) {
            Ok(state) => {
                paths.extend(state.commits.iter().filter_map(|commit| commit.dead_letters.clone()).map(Ok));
                in_log.extend(state.hot.parts().iter().flat_map(|part| part.dead_letters.clone()).map(Ok));
            }
            Err(error) => paths.push(Err(error)),
        }
        let batches = stream::iter(paths)
            .and_then(move |path| read_letters(Arc::clone(&store), path))
            .map_ok(|batches| stream::iter(batches.into_iter().map(Ok::<_, DataFusionError>)))
            .try_flatten()
            .chain(stream::iter(in_log));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

async fn read_letters(store: Arc<dyn ObjectStore>, path: String) -> Result<Vec<RecordBatch>, DataFusionError> {
    let bytes = objects::read(&store, &path.as_str().into())
        .await?
        .ok_or_else(|| Error::corrupt(format!("object '{path}' is missing")).with_help(RUN_CHECK))?;
    Ok(objects::decode_parquet(bytes)?)
}
