//! Statements: planned at GetFlightInfo, run at DoGet. Held in between are the engine's plan and the state that the ticket
//! is to read.

use std::time::Duration;

use arrow_flight::sql::{ProstMessageExt, TicketStatementQuery};
use arrow_flight::{FlightEndpoint, FlightInfo, Ticket};
use bytes::Bytes;
use prost::Message;
use tonic::Response;

use super::bindings;
use super::login::CallContext;
use super::output::Output;
use super::send::{FlightStream, QueryCount, send_query};
use super::service::{FlightSql, flight_info};
use super::session_actions::with_cookie;
use super::ticket::{Purpose, Statement, TICKET_SECONDS, new_query_id};
use crate::error::{Error, Result};
use crate::query::{Prepared, StatementKind};

impl FlightSql {
    /// GetFlightInfo of a SQL text.
    pub(super) async fn plan_text(&self, context: &CallContext, sql: String) -> Result<FlightInfo> {
        let statement = Statement {
            sql,
            options: context.options.clone(),
            snapshot: None,
            parameters: Bytes::new(),
            query_id: new_query_id(),
        };
        self.plan(context, statement).await
    }

    /// GetFlightInfo of a statement: its ticket holds the state that it was planned for.
    pub(super) async fn plan(&self, context: &CallContext, statement: Statement) -> Result<FlightInfo> {
        let prepared = self.engine.prepare(&context.caller, &statement.options, &statement.sql, None).await?;
        let rows = bindings::decode(&statement.parameters)?;
        rows.iter().try_for_each(|row| check_parameters(&prepared, row.len()))?;
        // With values the columns are known for sure.
        let prepared = self.engine.prepare_for(&statement.options, &prepared, &rows).await?;
        let output = Output::of(&prepared.schema);
        // A change works on the newest state, whatever it is when it runs.
        let time = Duration::from_secs(TICKET_SECONDS);
        let snapshot = (prepared.kind != StatementKind::Update).then(|| self.engine.lease(&prepared, time));
        // Each execution is cancelled by itself, so it has an id of its own.
        let statement = Statement { snapshot, query_id: new_query_id(), ..statement };
        let endpoint = self.endpoint(context, &statement);
        Ok(flight_info(output.schema())?.with_endpoint(endpoint))
    }

    /// The one endpoint of a statement; without a location it is this connection.
    pub(super) fn endpoint(&self, context: &CallContext, statement: &Statement) -> FlightEndpoint {
        let statement_handle = self.signer.seal(Purpose::Ticket, &context.caller, statement);
        let ticket = TicketStatementQuery { statement_handle }.as_any().encode_to_vec();
        let mut endpoint = FlightEndpoint::new().with_ticket(Ticket::new(ticket));
        let expiration = endpoint.expiration_time.get_or_insert_default();
        expiration.seconds = i64::try_from(self.signer.expiry(Purpose::Ticket)).unwrap_or(i64::MAX);
        endpoint
    }

    /// DoGet of a ticket.
    pub(super) async fn run_ticket(&self, context: &CallContext, sealed: Bytes) -> Result<Response<FlightStream>> {
        let statement = self.signer.open(Purpose::Ticket, &context.caller, sealed)?;
        self.run(context, statement).await
    }

    /// Runs a statement and sends its rows.
    pub(super) async fn run(&self, context: &CallContext, statement: Statement) -> Result<Response<FlightStream>> {
        let mut registration = self.running.register(statement.query_id)?;
        let count = QueryCount::start(&self.metrics);
        let Statement { sql, options, snapshot, parameters, query_id } = statement;
        let prepared = self.engine.prepare(&context.caller, &options, &sql, snapshot).await?;
        let mut rows = bindings::decode(&parameters)?;
        if rows.is_empty() {
            rows.push(Vec::new());
        }
        rows.iter().try_for_each(|row| check_parameters(&prepared, row.len()))?;
        let prepared = self.engine.prepare_for(&options, &prepared, &rows).await?;
        let cookie = match &prepared.kind {
            StatementKind::SetSession(set) => self.sessions.set(&context.caller, &context.clues, set.clone()),
            StatementKind::Query | StatementKind::Update => None,
        };
        let started = async {
            match prepared.kind {
                StatementKind::Update => {
                    // A ticket that is fetched again gives the count again, and changes nothing more.
                    let once = self.executed.once(query_id);
                    self.engine.change(&context.caller, &options, &prepared, rows, once).await
                }
                _ => self.engine.execute_each(&context.caller, &options, &prepared, rows).await,
            }
        };
        let execution = tokio::select! {
            biased;
            () = registration.cancelled() => return Err(Error::invalid("the query was cancelled while it waited")),
            execution = started => execution?,
        };
        let output = Output::of(&prepared.schema);
        let rows = send_query(execution.stream, output, registration, count);
        Ok(with_cookie(Response::new(rows), cookie))
    }
}

/// Refuses a wrong number of parameters before the planner says it less clearly.
pub(super) fn check_parameters(prepared: &Prepared, given: usize) -> Result<()> {
    let wanted = prepared.parameters.count();
    if wanted != given {
        return Err(Error::invalid(format!("the statement takes {wanted} parameters, {given} are bound: bind all")));
    }
    Ok(())
}
