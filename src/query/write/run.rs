//! Runs a change: writes its files, then commits.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Result as DfResult;
use datafusion::execution::context::SessionState;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};
use datafusion::physical_plan::execute_stream;
use futures::{Stream, TryStreamExt};
use uuid::Uuid;

use super::change::Change;
use super::delete::{Doomed, rows_to_delete};
use super::once::{Once, Turn};
use crate::error::{Error, Result};
use crate::query::pinned_state::pin;
use crate::query::promise;
use crate::query::stop::{self, Stop};
use crate::query::tables::user_table::UserTable;
use crate::store::delta::{Naming, storable};
use crate::store::events::schema::instant;
use crate::store::tables::{TableLimits, TableState, TableWriter, WrittenTable};
use crate::workspace::{NewTable, Snapshot, Workspace, no_table, table_exists};

/// What every change yields: one row with the number of rows changed, under DataFusion's name for it.
pub(in crate::query) fn count_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("count", DataType::Int64, false)]))
}

pub(super) fn count_batch(count: u64) -> Result<RecordBatch> {
    let count = Int64Array::from(vec![i64::try_from(count).unwrap_or(i64::MAX)]);
    Ok(RecordBatch::try_new(count_schema(), vec![Arc::new(count)])?)
}

/// What a change needs to run.
#[derive(Clone)]
pub(in crate::query) struct Writing {
    pub(in crate::query) workspace: Arc<Workspace>,
    pub(in crate::query) snapshot: Arc<Snapshot>,
    pub(in crate::query) state: SessionState,
    pub(in crate::query) context: Arc<TaskContext>,
    pub(in crate::query) stop: Stop,
    pub(in crate::query) limits: TableLimits,
}

impl Writing {
    /// Runs the changes of one statement, each with its own parameters, and yields the one row with their count.
    /// Several INSERTs are one commit.
    pub(in crate::query) async fn run(self, changes: Vec<Change>, once: Once) -> Result<RecordBatch> {
        let mut turn = once.turn().await;
        if let Some(count) = *turn {
            return count_batch(count);
        }
        // Takes the lock of this process before the first byte is written.
        drop(self.workspace.writer().await?);
        let (inserts, others): (Vec<_>, Vec<_>) =
            changes.into_iter().partition(|change| matches!(change, Change::Insert { .. }));
        let mut total = 0;
        if !inserts.is_empty() {
            (total, turn) = self.insert(inserts, turn).await?;
        }
        let mut writing = self;
        for change in others {
            let count;
            (count, turn) = writing.one(change, turn).await?;
            total += count;
            // The next one sees what this one did.
            writing.read(writing.workspace.snapshot());
        }
        *turn = Some(total);
        count_batch(total)
    }

    /// From now on this state is read.
    fn read(&mut self, snapshot: Arc<Snapshot>) {
        pin(&mut self.state, Arc::clone(&snapshot));
        self.context = Arc::new(TaskContext::from(&self.state).with_runtime(self.context.runtime_env()));
        self.snapshot = snapshot;
    }

    async fn one(&self, change: Change, turn: Turn) -> Result<(u64, Turn)> {
        match change {
            Change::Create { name, input, keep_not_null, if_not_exists, or_replace } => {
                if self.table(&name).is_ok() && !or_replace {
                    return if if_not_exists { Ok((0, turn)) } else { Err(table_exists(&name)) };
                }
                let columns = promise::columns(&self.state, &input)?;
                let input = with_instants(input, columns.as_ref())?;
                let mut columns = storable(promise::columns(&self.state, &input)?.as_ref(), Naming::Statement)?;
                if !keep_not_null {
                    columns = nullable(&columns);
                }
                let rows = self.rows(&input).await?;
                self.create(name, columns, rows, or_replace, turn).await
            }
            Change::Drop { name, if_exists } => {
                if self.table(&name).is_err() && if_exists {
                    return Ok((0, turn));
                }
                self.table(&name)?;
                let change = |workspace: Arc<Workspace>| async move {
                    let mut writer = workspace.writer().await?;
                    writer.drop_table(&name).await.map(drop)
                };
                self.commit(0, turn, change).await
            }
            Change::Delete { name, input } => self.delete(name, &input, turn).await,
            Change::Insert { .. } => Err(Error::internal("an INSERT was run by itself")),
        }
    }

    /// Writes `rows` as a table of its own and gives it its name.
    pub(super) async fn create(
        &self,
        name: String,
        columns: SchemaRef,
        rows: impl Stream<Item = DfResult<RecordBatch>> + Unpin,
        replace: bool,
        turn: Turn,
    ) -> Result<(u64, Turn)> {
        let folder = self.workspace.clock().new_id();
        let mut writer = self.writer(folder, &columns, (0, 0));
        pour(rows, &mut writer).await?;
        let written = writer.finish().await?;
        let count = written.rows;
        let new = NewTable { folder, columns, written };
        let change = move |workspace: Arc<Workspace>| async move {
            let mut writer = workspace.writer().await?;
            writer.create_table(&name, new, replace).await.map(drop)
        };
        self.commit(count, turn, change).await
    }

    /// All INSERTs of one statement: one commit.
    async fn insert(&self, inserts: Vec<Change>, turn: Turn) -> Result<(u64, Turn)> {
        let mut target = None;
        let mut writer = None;
        for insert in inserts {
            let Change::Insert { name, input } = insert else { continue };
            let table = self.table(&name)?;
            let writer = writer.get_or_insert_with(|| self.writer_for(&table));
            let named = |error| naming_column(error, &input);
            let rows = self.rows(&input).await.map_err(named)?;
            pour(rows, writer).await.map_err(named)?;
            target = Some((name, table.folder));
        }
        let (Some((name, folder)), Some(writer)) = (target, writer) else { return Ok((0, turn)) };
        self.append(name, folder, writer.finish().await?, turn).await
    }

    pub(super) async fn append(
        &self,
        name: String,
        folder: Uuid,
        written: WrittenTable,
        turn: Turn,
    ) -> Result<(u64, Turn)> {
        let count = written.rows;
        if count == 0 {
            return Ok((0, turn));
        }
        let change = move |workspace: Arc<Workspace>| async move {
            let mut writer = workspace.writer().await?;
            writer.append_to_table(&name, folder, written).await.map(drop)
        };
        self.commit(count, turn, change).await
    }

    async fn delete(&self, name: String, input: &LogicalPlan, turn: Turn) -> Result<(u64, Turn)> {
        let table = self.table(&name)?;
        let store = self.workspace.store();
        let url = ObjectStoreUrl::parse(format!("convoke://{}", self.workspace.name()))?;
        let located = UserTable::located(Arc::clone(&table), url, Arc::clone(&store));
        let (count, removed, written) = match rows_to_delete(input, located)? {
            None => (table.live.rows(), table.live.files.to_vec(), WrittenTable::default()),
            Some(select) => {
                let doomed = Doomed::gather(&table, self.rows(&select).await?).await?;
                let mut writer = self.writer(table.folder, &table.columns, (0, 0));
                doomed.rewrite(&table, &store, &mut writer).await?;
                (doomed.count(), doomed.files(&table), writer.finish().await?)
            }
        };
        if removed.is_empty() {
            return Ok((count, turn));
        }
        let folder = table.folder;
        let change = move |workspace: Arc<Workspace>| async move {
            let mut writer = workspace.writer().await?;
            writer.replace_in_table(&name, folder, &removed, written).await.map(drop)
        };
        self.commit(count, turn, change).await
    }

    /// Brings a commit to its end, even when nobody waits for it any more.
    async fn commit<F>(
        &self,
        count: u64,
        mut turn: Turn,
        change: impl FnOnce(Arc<Workspace>) -> F,
    ) -> Result<(u64, Turn)>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let landing = change(Arc::clone(&self.workspace));
        let task = tokio::spawn(async move {
            landing.await?;
            *turn = Some(count);
            Ok((count, turn))
        });
        task.await.map_err(|error| Error::internal(format!("a commit broke off: {error}")))?
    }

    pub(super) fn table(&self, name: &str) -> Result<Arc<TableState>> {
        self.snapshot.tables.tables.get(name).cloned().ok_or_else(|| no_table(name))
    }

    fn writer(&self, folder: Uuid, columns: &SchemaRef, held: (u64, u64)) -> TableWriter {
        let (store, clock) = (self.workspace.store(), self.workspace.clock().clone());
        TableWriter::new(store, clock, folder, Arc::clone(columns), self.limits, held)
    }

    pub(super) fn writer_for(&self, table: &TableState) -> TableWriter {
        self.writer(table.folder, &table.columns, (table.live.rows(), table.live.bytes()))
    }

    /// Runs a plan.
    async fn rows(&self, plan: &LogicalPlan) -> Result<SendableRecordBatchStream> {
        let physical = stop::stoppable(self.state.create_physical_plan(plan).await?, &self.stop)?;
        Ok(execute_stream(physical, Arc::clone(&self.context))?)
    }
}

/// The rows with their times as they are kept: instants. The session's zone reads what has none.
fn with_instants(input: Arc<LogicalPlan>, columns: &Schema) -> Result<Arc<LogicalPlan>> {
    let is_naive = |field: &Field| matches!(field.data_type(), DataType::Timestamp(_, None));
    if !columns.fields().iter().any(|field| is_naive(field)) {
        return Ok(input);
    }
    let projected = input.schema().iter().zip(columns.fields()).map(|((qualifier, field), coerced)| {
        let column = Expr::from((qualifier, field));
        match is_naive(coerced) {
            true => cast(column, instant()).alias_qualified(qualifier.cloned(), field.name()),
            false => column,
        }
    });
    let projected: Vec<Expr> = projected.collect();
    Ok(Arc::new(LogicalPlanBuilder::from(Arc::unwrap_or_clone(input)).project(projected)?.build()?))
}

/// Moves all rows into the writer.
pub(super) async fn pour(
    mut rows: impl Stream<Item = DfResult<RecordBatch>> + Unpin,
    writer: &mut TableWriter,
) -> Result<()> {
    while let Some(batch) = rows.try_next().await? {
        writer.write(&batch).await?;
    }
    Ok(())
}

/// The columns of a SELECT say little of what may be inserted later: all may be NULL.
pub(super) fn nullable(columns: &Schema) -> SchemaRef {
    Arc::new(Schema::new(
        columns.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect::<Vec<_>>(),
    ))
}

/// DataFusion checks the values of an INSERT against NOT NULL before we see them, and calls columns `column1`, `column2`.
fn naming_column(error: Error, input: &LogicalPlan) -> Error {
    let message = error.to_string();
    if !message.contains("is declared as non-nullable but contains null values") {
        return error;
    }
    let given = message.split('\'').nth(1).unwrap_or_default();
    let named = match input {
        LogicalPlan::Projection(projection) => projection
            .expr
            .iter()
            .zip(projection.schema.fields())
            .find(|(expr, _)| expr.column_refs().iter().any(|column| column.name == given))
            .map(|(_, field)| field.name().clone()),
        _ => None,
    };
    Error::invalid(format!("column '{}' may not be NULL", named.as_deref().unwrap_or(given)))
}
