//! The metadata commands: what drivers ask to show catalogs, schemas, tables and what the server can do.
//!
//! The catalog is the caller's workspace; no other is ever named. An absent filter lets everything through. Tickets
//! are the commands themselves: they hold nothing that the caller may not ask again.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_flight::sql::{Command, CommandGetDbSchemas, CommandGetTables};
use arrow_flight::{FlightEndpoint, FlightInfo, Ticket};
use prost::Message;

use super::keys;
use super::login::CallContext;
use super::output::Output;
use super::send::{FlightStream, send_batch};
use super::service::{FlightSql, flight_info, unsupported_error};
use crate::error::{Error, Result};
use crate::query::TableKind;

const TABLE_TYPES: [(TableKind, &str); 3] =
    [(TableKind::Table, "TABLE"), (TableKind::View, "VIEW"), (TableKind::System, "SYSTEM TABLE")];

impl FlightSql {
    /// GetFlightInfo of a metadata command. Reads no table.
    pub(super) fn metadata_info(&self, context: &CallContext, command: Command) -> Result<FlightInfo> {
        check_may_ask(context, &command)?;
        let schema = self.metadata_schema(&command)?;
        let ticket = Ticket::new(command.into_any().encode_to_vec());
        Ok(flight_info(&schema)?.with_endpoint(FlightEndpoint::new().with_ticket(ticket)))
    }

    /// DoGet of a metadata command.
    pub(super) async fn metadata_rows(&self, context: &CallContext, command: Command) -> Result<FlightStream> {
        check_may_ask(context, &command)?;
        let schema = self.metadata_schema(&command)?;
        let batch = match command {
            Command::CommandGetCatalogs(command) => {
                let mut builder = command.into_builder();
                builder.append(context.caller.workspace.as_str());
                builder.build().map_err(from_flight)?
            }
            Command::CommandGetDbSchemas(command) => self.db_schemas(context, command).await?,
            Command::CommandGetTables(command) => self.tables(context, command).await?,
            Command::CommandGetTableTypes(command) => {
                let mut builder = command.into_builder();
                for (_, name) in TABLE_TYPES {
                    builder.append(name);
                }
                builder.build().map_err(from_flight)?
            }
            Command::CommandGetSqlInfo(command) => command.into_builder(&self.sql_info).build().map_err(from_flight)?,
            Command::CommandGetXdbcTypeInfo(command) => {
                command.into_builder(&self.xdbc_types).build().map_err(from_flight)?
            }
            // The keys: `metadata_schema` let nothing else through.
            _ => RecordBatch::new_empty(SchemaRef::clone(&schema)),
        };
        send_batch(&schema, batch)
    }

    /// The columns of a metadata command's result.
    fn metadata_schema(&self, command: &Command) -> Result<SchemaRef> {
        Ok(match command {
            Command::CommandGetCatalogs(command) => command.into_builder().schema(),
            Command::CommandGetDbSchemas(command) => command.clone().into_builder().schema(),
            Command::CommandGetTables(command) => command.clone().into_builder().schema(),
            Command::CommandGetTableTypes(command) => command.into_builder().schema(),
            Command::CommandGetSqlInfo(_) => self.sql_info.schema(),
            Command::CommandGetXdbcTypeInfo(_) => self.xdbc_types.schema(),
            Command::CommandGetPrimaryKeys(_) => keys::primary_keys(),
            Command::CommandGetExportedKeys(_)
            | Command::CommandGetImportedKeys(_)
            | Command::CommandGetCrossReference(_) => keys::foreign_keys(),
            other => return Err(unsupported_error(other)),
        })
    }

    async fn db_schemas(&self, context: &CallContext, command: CommandGetDbSchemas) -> Result<RecordBatch> {
        let tables = self.engine.tables(&context.caller).await?;
        let schemas: BTreeSet<_> = tables.iter().map(|table| (table.catalog.as_str(), table.schema.as_str())).collect();
        let mut builder = command.into_builder();
        for (catalog, schema) in schemas {
            builder.append(catalog, schema);
        }
        builder.build().map_err(from_flight)
    }

    async fn tables(&self, context: &CallContext, command: CommandGetTables) -> Result<RecordBatch> {
        let mut builder = command.into_builder();
        for table in self.engine.tables(&context.caller).await? {
            // The same adapter as for rows: a table's columns have the types that its SELECT has.
            let columns = Output::of(&table.columns);
            builder
                .append(&table.catalog, &table.schema, &table.name, table_type(table.kind), columns.schema())
                .map_err(from_flight)?;
        }
        builder.build().map_err(from_flight)
    }
}

/// What the server can do is everybody's business; what the workspace holds is only theirs who may query it.
fn check_may_ask(context: &CallContext, command: &Command) -> Result<()> {
    match command {
        Command::CommandGetSqlInfo(_) | Command::CommandGetXdbcTypeInfo(_) | Command::CommandGetTableTypes(_) => Ok(()),
        _ => context.caller.check_can_query(),
    }
}

fn table_type(kind: TableKind) -> &'static str {
    TABLE_TYPES.iter().find(|(of, _)| *of == kind).map_or("TABLE", |(_, name)| name)
}

fn from_flight(error: arrow_flight::error::FlightError) -> Error {
    match error {
        arrow_flight::error::FlightError::Arrow(error) => error.into(),
        other => Error::internal(other.to_string()),
    }
}
