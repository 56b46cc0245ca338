//! Prepared statements: a handle is the signed statement itself, so the server keeps nothing for it and a statement
//! outlives lost connections. Binding gives back a new handle with the parameters inside.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema};
use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult,
    Any, DoPutPreparedStatementResult, ProstMessageExt,
};
use arrow_flight::{FlightData, FlightInfo, PutResult};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use prost::Message;
use tonic::{Response, Streaming};

use super::bindings;
use super::login::CallContext;
use super::output::{Output, schema_bytes};
use super::receive::{Received, receive};
use super::send::FlightStream;
use super::service::FlightSql;
use super::ticket::{Purpose, Statement, new_query_id};
use crate::error::{Error, Result};
use crate::query::StatementKind;

/// `ActionCreatePreparedStatementResult` as the specification has it since 2026-06; the crate lacks the last field.
#[derive(Clone, PartialEq, prost::Message)]
struct CreateResult {
    #[prost(bytes = "bytes", tag = "1")]
    prepared_statement_handle: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    dataset_schema: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    parameter_schema: Bytes,
    #[prost(bool, optional, tag = "4")]
    is_update: Option<bool>,
}

impl FlightSql {
    /// Plans the statement and describes it: JDBC takes a statement without columns for an update.
    pub(super) async fn create_prepared(
        &self,
        context: &CallContext,
        request: ActionCreatePreparedStatementRequest,
    ) -> Result<Bytes> {
        if request.transaction_id.is_some_and(|id| !id.is_empty()) {
            return Err(Error::invalid("transactions are not supported: use auto-commit"));
        }
        let sql = request.query;
        let prepared = self.engine.prepare(&context.caller, &context.options, &sql, None).await?;
        let is_query = prepared.kind == StatementKind::Query;
        let columns = match is_query {
            true => schema_bytes(Output::of(&prepared.schema).schema())?,
            false => schema_bytes(&Schema::empty())?,
        };
        let parameters = Schema::new(prepared.parameters.declared().to_vec());
        let statement = Statement {
            sql,
            options: context.options.clone(),
            snapshot: None,
            parameters: Bytes::new(),
            query_id: new_query_id(),
        };
        let result = CreateResult {
            prepared_statement_handle: self.signer.seal(Purpose::Handle, &context.caller, &statement),
            dataset_schema: columns,
            parameter_schema: schema_bytes(Output::of(&parameters).schema())?,
            is_update: Some(!is_query),
        };
        let type_url = ActionCreatePreparedStatementResult::type_url().to_owned();
        Ok(Any { type_url, value: result.encode_to_vec().into() }.encode_to_vec().into())
    }

    /// Forgets what is remembered of a handle. Always succeeds: a handle of before a restart is closed already.
    pub(super) fn close_prepared(&self, context: &CallContext, request: ActionClosePreparedStatementRequest) {
        let handle = request.prepared_statement_handle;
        if let Ok(statement) = self.signer.open(Purpose::Handle, &context.caller, handle) {
            self.bindings.forget(statement.query_id);
        }
    }

    /// GetFlightInfo of a handle.
    pub(super) async fn plan_prepared(&self, context: &CallContext, handle: Bytes) -> Result<FlightInfo> {
        let statement = self.open_handle(context, handle)?;
        self.plan(context, statement).await
    }

    /// DoGet of a handle, for clients that skip GetFlightInfo.
    pub(super) async fn run_prepared(&self, context: &CallContext, handle: Bytes) -> Result<Response<FlightStream>> {
        let statement = self.open_handle(context, handle)?;
        self.run(context, Statement { query_id: new_query_id(), ..statement }).await
    }

    /// DoPut of parameters for a query: it runs once for each row.
    pub(super) async fn bind(
        &self,
        context: &CallContext,
        handle: Bytes,
        first: FlightData,
        rest: Streaming<FlightData>,
    ) -> Result<Response<PutResult>> {
        let statement = self.signer.open(Purpose::Handle, &context.caller, handle)?;
        let rows = parameter_rows(first, rest).await?;
        let parameters = bindings::encode(&rows)?;
        self.bindings.remember(statement.query_id, parameters.clone());
        let statement = Statement { parameters, ..statement };
        let handle = self.signer.seal(Purpose::Handle, &context.caller, &statement);
        let result = DoPutPreparedStatementResult { prepared_statement_handle: Some(handle) };
        Ok(Response::new(PutResult { app_metadata: result.encode_to_vec().into() }))
    }

    /// The statement of a handle with the parameters in it, or else with those bound to it last.
    fn open_handle(&self, context: &CallContext, handle: Bytes) -> Result<Statement> {
        let mut statement = self.signer.open(Purpose::Handle, &context.caller, handle)?;
        if statement.parameters.is_empty()
            && let Some(parameters) = self.bindings.recall(statement.query_id)
        {
            statement.parameters = parameters;
        }
        // What the session set since: a pool prepares once and sets the zone later.
        statement.options = context.options.clone();
        Ok(statement)
    }
}

/// Most parameter rows of one upload: they are held in memory.
const MAX_ROWS: usize = 100_000;

/// All rows of parameters that a client uploads, in the types that queries take; batches without rows are left out.
pub(super) async fn parameter_rows(first: FlightData, rest: Streaming<FlightData>) -> Result<Vec<RecordBatch>> {
    let mut received = receive(futures::stream::iter([Ok(first)]).chain(rest));
    let mut batches = Vec::new();
    let mut rows = 0;
    while let Some(message) = received.try_next().await? {
        let Received::Batch(batch) = message else { continue };
        rows += batch.num_rows();
        if rows > MAX_ROWS {
            return Err(Error::invalid(format!("more than {MAX_ROWS} rows of parameters: send several requests")));
        }
        if batch.num_rows() > 0 {
            batches.push(as_queries_take(&batch)?);
        }
    }
    Ok(batches)
}

/// The types of the wire, except that a NULL without a type stays so: it takes the type of its place.
fn as_queries_take(batch: &RecordBatch) -> Result<RecordBatch> {
    let adapted = Output::of(batch.schema_ref()).adapt(batch)?;
    let columns = batch.columns().iter().zip(adapted.columns()).map(|(given, adapted)| match given.data_type() {
        DataType::Null => given,
        _ => adapted,
    });
    let columns: Vec<ArrayRef> = columns.map(Arc::clone).collect();
    let fields = adapted.schema_ref().fields().iter().zip(&columns);
    let fields: Vec<Field> =
        fields.map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
}
