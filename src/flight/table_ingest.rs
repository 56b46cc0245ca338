//! Bulk ingest into user tables: `CommandStatementIngest`, as ADBC sends it, and DoPut on the path (`table`, name).
//!
//! Batches go to the table's writer as they come; the number of rows is answered when they are stored. An upload that
//! breaks off stores nothing.

use arrow_flight::sql::{CommandStatementIngest, DoPutUpdateResult, TableExistsOption, TableNotExistOption};
use arrow_flight::{FlightData, PutResult};
use futures::{StreamExt, TryStreamExt};
use prost::Message;
use tonic::{Response, Streaming};

use super::login::CallContext;
use super::receive::{Received, receive};
use super::service::FlightSql;
use crate::error::{Error, Result};
use crate::query::{IfExists, TableIngest};

/// First part of the path of a table.
pub(super) const TABLE_PATH: &str = "table";

impl FlightSql {
    /// DoPut of the command.
    pub(super) async fn ingest_command(
        &self,
        context: &CallContext,
        command: CommandStatementIngest,
        first: FlightData,
        rest: Streaming<FlightData>,
    ) -> Result<Response<PutResult>> {
        let how = table_ingest(command)?;
        self.ingest_rows(context, how, first, rest).await
    }

    /// DoPut on the path: adds rows to a table that is there.
    pub(super) async fn ingest_path(
        &self,
        context: &CallContext,
        table: &str,
        first: FlightData,
        rest: Streaming<FlightData>,
    ) -> Result<Response<PutResult>> {
        let table = table.to_owned();
        let how = TableIngest { catalog: None, schema: None, table, if_exists: IfExists::Append, create: false };
        self.ingest_rows(context, how, first, rest).await
    }

    async fn ingest_rows(
        &self,
        context: &CallContext,
        how: TableIngest,
        first: FlightData,
        rest: Streaming<FlightData>,
    ) -> Result<Response<PutResult>> {
        // Before the first row is read: a caller without the right must not send gigabytes first.
        context.caller.check_can_write_tables()?;
        let mut received = receive(futures::stream::iter([Ok(first)]).chain(rest));
        let columns = match received.try_next().await? {
            Some(Received::Schema(schema)) => schema,
            Some(Received::Batch(batch)) => batch.schema(),
            None => return Err(Error::invalid("the upload holds no schema: send a stream of Arrow record batches")),
        };
        let rows = received.try_filter_map(|message| {
            std::future::ready(Ok(match message {
                Received::Schema(_) => None,
                Received::Batch(batch) => Some(batch),
            }))
        });
        let rows = self.engine.ingest(&context.caller, &context.options, how, columns, rows.boxed()).await?;
        let result = DoPutUpdateResult { record_count: i64::try_from(rows).unwrap_or(i64::MAX) };
        Ok(Response::new(PutResult { app_metadata: result.encode_to_vec().into() }))
    }
}

fn table_ingest(command: CommandStatementIngest) -> Result<TableIngest> {
    if command.temporary {
        return Err(Error::invalid("there are no temporary tables: ingest into a table and DROP it"));
    }
    if command.transaction_id.is_some_and(|id| !id.is_empty()) {
        return Err(Error::invalid("transactions are not supported: use auto-commit"));
    }
    let options = command.table_definition_options.unwrap_or_default();
    // What a client leaves open is the careful choice: a new table, and never over another.
    let create = !matches!(options.if_not_exist(), TableNotExistOption::Fail);
    let if_exists = match options.if_exists() {
        TableExistsOption::Append => IfExists::Append,
        TableExistsOption::Replace => IfExists::Replace,
        TableExistsOption::Fail | TableExistsOption::Unspecified => IfExists::Fail,
    };
    let filled = |name: Option<String>| name.filter(|name| !name.is_empty());
    Ok(TableIngest {
        catalog: filled(command.catalog),
        schema: filled(command.schema),
        table: command.table,
        if_exists,
        create,
    })
}
