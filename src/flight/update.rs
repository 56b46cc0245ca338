//! Statements that change something: DoPut, answered with the number of rows changed.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow_flight::sql::DoPutUpdateResult;
use arrow_flight::{FlightData, PutResult};
use bytes::Bytes;
use datafusion::common::ScalarValue;
use futures::TryStreamExt;
use prost::Message;
use tonic::{Response, Streaming};

use super::bindings::values;
use super::login::CallContext;
use super::prepared::parameter_rows;
use super::send::QueryCount;
use super::service::FlightSql;
use super::session_actions::with_cookie;
use super::statement::check_parameters;
use super::ticket::Purpose;
use crate::error::{Error, Result};
use crate::query::{Once, StatementKind};
use crate::request;

/// "Not known" in Flight SQL.
const UNKNOWN_COUNT: i64 = -1;

impl FlightSql {
    /// DoPut of a SQL text.
    pub(super) async fn update_text(&self, context: &CallContext, sql: String) -> Result<Response<PutResult>> {
        self.update(context, &sql, vec![Vec::new()]).await
    }

    /// DoPut of a handle: once for each row of parameters, or once if the statement has none.
    pub(super) async fn update_prepared(
        &self,
        context: &CallContext,
        handle: Bytes,
        first: FlightData,
        rest: Streaming<FlightData>,
    ) -> Result<Response<PutResult>> {
        let statement = self.signer.open(Purpose::Handle, &context.caller, handle)?;
        let batches = parameter_rows(first, rest).await?;
        let has_parameters = batches.iter().any(|batch| batch.num_columns() > 0);
        let rows = match has_parameters {
            false => vec![Vec::new()],
            true => batches.iter().map(values).collect::<Result<Vec<_>>>()?.concat(),
        };
        self.update(context, &statement.sql, rows).await
    }

    async fn update(
        &self,
        context: &CallContext,
        sql: &str,
        rows: Vec<Vec<ScalarValue>>,
    ) -> Result<Response<PutResult>> {
        let (caller, options) = (&context.caller, &context.options);
        let prepared = self.engine.prepare(caller, options, sql, None).await?;
        let cookie = match &prepared.kind {
            StatementKind::Query => return Err(Error::invalid("the statement yields rows: run it as a query")),
            StatementKind::SetSession(set) => self.sessions.set(caller, &context.clues, set.clone()),
            StatementKind::Update => None,
        };
        let count = QueryCount::start(&self.metrics);
        rows.iter().try_for_each(|row| check_parameters(&prepared, row.len()))?;
        let record_count = match prepared.kind {
            StatementKind::Update => {
                let execution = self.engine.change(caller, options, &prepared, rows, Once::default()).await?;
                let result: Vec<RecordBatch> = execution.stream.try_collect().await?;
                changed_rows(&result)?
            }
            _ => 0,
        };
        count.finish();
        if let Some(request) = request::current() {
            request.count_rows(u64::try_from(record_count).unwrap_or(0));
        }
        let result = DoPutUpdateResult { record_count };
        Ok(with_cookie(Response::new(PutResult { app_metadata: result.encode_to_vec().into() }), cookie))
    }
}

/// The single number that an update yields.
fn changed_rows(result: &[RecordBatch]) -> Result<i64> {
    let Some(batch) = result.iter().find(|batch| batch.num_rows() == 1 && batch.num_columns() == 1) else {
        return Ok(UNKNOWN_COUNT);
    };
    let number = cast(batch.column(0), &DataType::Int64)?;
    let number = number.as_primitive::<Int64Type>();
    Ok(if number.is_null(0) { UNKNOWN_COUNT } else { number.value(0) })
}
