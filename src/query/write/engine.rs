//! The engine's side of changes: limits, history and threads are those of queries.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, ScalarValue, TableReference};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::bulk::TableIngest;
use super::change::{Change, target};
use super::once::Once;
use super::rows::{ROWS_OF_A_PLAN, combined};
use super::run::{Writing, count_schema};
use crate::auth::Caller;
use crate::error::Result;
use crate::query::binding::Binding;
use crate::query::engine::{Engine, Execution, Prepared, Started};
use crate::query::history::RunningQuery;
use crate::query::limits::out_of_time;
use crate::query::session::SessionOptions;
use crate::query::stop::Stop;
use crate::query::threads::QueryThreads;
use crate::store::tables::TableLimits;

/// A change that has its place among the running statements.
struct Admitted {
    started: Instant,
    place: OwnedSemaphorePermit,
    stop: Stop,
    writing: Writing,
}

impl Engine {
    /// Runs a statement that changes something, once for each row of parameters, at the newest state. It yields one
    /// row with the count. Rows of one INSERT are one commit; each other statement is a commit of its own.
    ///
    /// # Errors
    /// As [`Engine::execute`]; `Conflict` when another statement changed the same rows meanwhile.
    pub async fn change(
        &self,
        caller: &Caller,
        session: &SessionOptions,
        prepared: &Prepared,
        rows: Vec<Vec<ScalarValue>>,
        once: Once,
    ) -> Result<Execution> {
        if let Some(text) = prepared.new_rules() {
            return self.replace_identity_rules(caller, prepared, text, once).await;
        }
        caller.check_can_write_tables()?;
        let query = self.history.start(caller, &prepared.sql);
        let work = self.start_change(caller, session, prepared, rows, once, &query);
        match self.panics.contain(work).await {
            Ok(started) => Ok(started.into_execution(&self.settings.query, query)),
            Err(error) => {
                query.fail(&error);
                Err(error)
            }
        }
    }

    async fn start_change(
        &self,
        caller: &Caller,
        session: &SessionOptions,
        prepared: &Prepared,
        rows: Vec<Vec<ScalarValue>>,
        once: Once,
        query: &RunningQuery,
    ) -> Result<Started> {
        let prepared = self.bind_again(caller, session, prepared).await?;
        let prepared = self.prepare_for(session, &prepared, &rows).await?;
        let Admitted { started, place, stop, writing } = self.admit(session, &prepared.binding, query).await?;
        let deadline = started + Duration::from_secs(self.settings.query.seconds);
        let changes = self.changes(session, &prepared, rows, deadline).await?;
        let work =
            futures::stream::once(async move { writing.run(changes, once).await.map_err(DataFusionError::from) });
        let stream = Box::pin(RecordBatchStreamAdapter::new(count_schema(), work));
        let stream = QueryThreads::stream(&self.threads, stream, stop.clone());
        Ok(Started { started, place, stream, stop })
    }

    /// The changes of a statement with all rows of its parameters.
    async fn changes(
        &self,
        session: &SessionOptions,
        prepared: &Prepared,
        rows: Vec<Vec<ScalarValue>>,
        deadline: Instant,
    ) -> Result<Vec<Change>> {
        let binding = &prepared.binding;
        let mut changes = Vec::new();
        if rows.len() > 1
            && let Some(plan) = &prepared.plan
            && combined(plan, &prepared.parameters, &rows[..1])?.is_some()
        {
            for part in rows.chunks(ROWS_OF_A_PLAN) {
                let Some(plan) = combined(plan, &prepared.parameters, part)? else { continue };
                let plan = self.with_subquery_values(binding, session, plan, deadline).await?;
                changes.push(Change::of(&plan, binding, session)?);
            }
            return Ok(changes);
        }
        for row in rows {
            let plan = self.bound_plan(session, prepared, &row, deadline).await?;
            changes.push(Change::of(&plan, binding, session)?);
        }
        Ok(changes)
    }

    async fn admit(&self, session: &SessionOptions, binding: &Binding, query: &RunningQuery) -> Result<Admitted> {
        let started = Instant::now();
        let place = self.place(started + Duration::from_secs(self.settings.query.seconds)).await?;
        query.run();
        let state = binding.session(session);
        let context = TaskContext::from(&state).with_runtime(self.statement_runtime()?);
        let limits =
            TableLimits { rows: self.settings.tables.max_rows, bytes: self.settings.tables.max_bytes.0 as u64 };
        let stop = Stop::default();
        let writing = Writing {
            workspace: Arc::clone(&binding.workspace),
            snapshot: Arc::clone(&binding.snapshot),
            context: Arc::new(context),
            state,
            stop: stop.clone(),
            limits,
        };
        Ok(Admitted { started, place, stop, writing })
    }

    /// Writes rows that a client sends into a user table; returns how many. All of them, or none.
    pub async fn ingest(
        &self,
        caller: &Caller,
        session: &SessionOptions,
        how: TableIngest,
        columns: SchemaRef,
        rows: BoxStream<'static, Result<RecordBatch>>,
    ) -> Result<u64> {
        caller.check_can_write_tables()?;
        let query = self.history.start(caller, &format!("-- bulk ingest into {}", how.table));
        let outcome = self.run_ingest(caller, session, how, columns, rows, &query).await;
        match &outcome {
            Ok(_) => query.finish(),
            Err(error) => query.fail(error),
        }
        outcome
    }

    async fn run_ingest(
        &self,
        caller: &Caller,
        session: &SessionOptions,
        how: TableIngest,
        columns: SchemaRef,
        rows: BoxStream<'static, Result<RecordBatch>>,
        query: &RunningQuery,
    ) -> Result<u64> {
        let binding = self.bind(caller, None).await?;
        let catalog = how.catalog.clone().unwrap_or_else(|| binding.catalog.to_string());
        let schema = how.schema.clone().or_else(|| session.schema.clone()).unwrap_or_else(|| "main".to_owned());
        let name = target(&TableReference::full(catalog, schema, how.table.clone()), &binding, session)?;
        let Admitted { started, place, stop, writing } = self.admit(session, &binding, query).await?;
        let seconds = self.settings.query.seconds;
        let work = self.threads.run(writing.ingest(name, how, columns, rows.boxed()));
        let outcome = tokio::time::timeout_at(started + Duration::from_secs(seconds), work).await;
        stop.set();
        drop(place);
        outcome.map_err(|_| out_of_time(seconds))?
    }
}
