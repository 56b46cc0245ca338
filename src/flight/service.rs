//! The RPCs of Flight, each handed to the file of its subject.

use std::pin::Pin;
use std::sync::Arc;

use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::metadata::{SqlInfoData, XdbcTypeInfoData};
use arrow_flight::sql::{Any, Command};
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo, HandshakeRequest, HandshakeResponse,
    PollInfo, PutResult, SchemaResult, Ticket,
};
use futures::{Stream, StreamExt, TryStreamExt};
use prost::Message;
use tokio::sync::watch;
use tonic::{Request, Response, Status, Streaming};

use super::bindings::Bindings;
use super::event_stream;
use super::executed::Executed;
use super::login::{CallContext, Credentials};
use super::output::schema_bytes;
use super::running::Running;
use super::send::FlightStream;
use super::sessions::{SessionCount, Sessions};
use super::status::to_status;
use super::ticket::Signer;
use crate::auth::Tokens;
use crate::error::{Error, Result};
use crate::ingest::Loader;
use crate::metrics::Metrics;
use crate::query::Engine;

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The Flight SQL service of one server.
pub struct FlightSql {
    pub(super) engine: Engine,
    pub(super) loader: Loader,
    pub(super) tokens: Tokens,
    pub(super) metrics: Arc<Metrics>,
    pub(super) sessions: Sessions,
    pub(super) signer: Signer,
    pub(super) bindings: Bindings,
    pub(super) running: Running,
    /// Says to calls that last that the server stops.
    pub(super) stopping: Arc<watch::Sender<bool>>,
    pub(super) executed: Executed,
    pub(super) sql_info: SqlInfoData,
    pub(super) xdbc_types: XdbcTypeInfoData,
}

/// Stops the queries of a service that is already being served.
#[derive(Clone)]
pub struct Stopper {
    running: Running,
    stopping: Arc<watch::Sender<bool>>,
}

impl Stopper {
    /// Ends what would last for ever, once what has come is answered.
    pub fn end_event_streams(&self) {
        self.stopping.send_replace(true);
    }

    /// Ends every running query with an error.
    pub fn cancel_all(&self) {
        self.running.cancel_all();
    }
}

impl FlightSql {
    pub fn new(engine: Engine, loader: Loader, tokens: Tokens, metrics: Arc<Metrics>) -> Result<Self> {
        let clock = engine.workspaces().root().clock().clone();
        Ok(Self {
            engine,
            loader,
            tokens,
            metrics,
            sessions: Sessions::default(),
            signer: Signer::new(clock.clone()),
            bindings: Bindings::default(),
            running: Running::default(),
            stopping: Arc::default(),
            executed: Executed::new(clock),
            sql_info: super::sql_info::sql_info()?,
            xdbc_types: super::xdbc_types::xdbc_types()?,
        })
    }

    pub fn stopper(&self) -> Stopper {
        Stopper { running: self.running.clone(), stopping: Arc::clone(&self.stopping) }
    }

    pub fn session_count(&self) -> SessionCount {
        self.sessions.count()
    }

    /// Plans a query, or names the columns of a metadata command; nothing runs yet.
    async fn flight_info(&self, request: Request<FlightDescriptor>) -> Result<FlightInfo, Status> {
        let context = self.authenticate(Credentials::of(&request)).await.map_err(to_status)?;
        let descriptor = request.into_inner();
        let info = match command(&descriptor)? {
            Command::CommandStatementQuery(query) => self.plan_text(&context, query.query).await,
            Command::CommandPreparedStatementQuery(query) => {
                self.plan_prepared(&context, query.prepared_statement_handle).await
            }
            other => self.metadata_info(&context, other),
        };
        Ok(info.map_err(to_status)?.with_descriptor(descriptor))
    }

    /// The rows behind a ticket.
    pub(super) async fn rows(&self, request: Request<Ticket>) -> Result<Response<FlightStream>, Status> {
        let context = self.authenticate(Credentials::of(&request)).await.map_err(to_status)?;
        let any = decode_any(&request.get_ref().ticket)?;
        match Command::try_from(any).map_err(|error| to_status(error.into()))? {
            Command::TicketStatementQuery(ticket) => self.run_ticket(&context, ticket.statement_handle).await,
            Command::CommandPreparedStatementQuery(query) => {
                self.run_prepared(&context, query.prepared_statement_handle).await
            }
            other => self.metadata_rows(&context, other).await.map(Response::new),
        }
        .map_err(to_status)
    }

    async fn put(&self, request: Request<Streaming<FlightData>>) -> Result<Response<Answers<PutResult>>, Status> {
        let context = self.authenticate(Credentials::of(&request)).await.map_err(to_status)?;
        let mut messages = request.into_inner();
        let missing = || Error::invalid("the first message of an upload must carry a descriptor");
        let first = messages.message().await?.ok_or_else(|| to_status(missing()))?;
        let descriptor = first.flight_descriptor.clone().ok_or_else(|| to_status(missing()))?;
        if descriptor.path == [event_stream::PATH] {
            let answers = self.put_events(&context, first, messages).await.map_err(to_status)?;
            return Ok(Response::new(answers.map_err(to_status).boxed()));
        }
        let answer = self.put_once(&context, descriptor, first, messages).await?;
        Ok(answer.map(one))
    }

    /// What has one answer.
    async fn put_once(
        &self,
        context: &CallContext,
        descriptor: FlightDescriptor,
        first: FlightData,
        messages: Streaming<FlightData>,
    ) -> Result<Response<PutResult>, Status> {
        if !descriptor.path.is_empty() || descriptor.cmd.is_empty() {
            return self.put_path(context, &descriptor.path, first, messages).await.map_err(to_status);
        }
        match command(&descriptor)? {
            Command::CommandStatementUpdate(update) => self.update_text(context, update.query).await,
            Command::CommandPreparedStatementUpdate(update) => {
                self.update_prepared(context, update.prepared_statement_handle, first, messages).await
            }
            Command::CommandPreparedStatementQuery(query) => {
                self.bind(context, query.prepared_statement_handle, first, messages).await
            }
            Command::CommandStatementIngest(command) => self.ingest_command(context, command, first, messages).await,
            other => return Err(unsupported(&other)),
        }
        .map_err(to_status)
    }
}

/// The command in a descriptor. A path has no command and decodes to an unknown one.
fn command(descriptor: &FlightDescriptor) -> Result<Command, Status> {
    Command::try_from(decode_any(&descriptor.cmd)?).map_err(|error| to_status(error.into()))
}

pub(super) fn decode_any(bytes: &[u8]) -> Result<Any, Status> {
    Any::decode(bytes)
        .map_err(|error| to_status(Error::invalid(format!("the request is not a Flight SQL command: {error}"))))
}

/// A Flight SQL command that this server does not have; its name is of the protocol, not of the user.
fn unsupported(command: &Command) -> Status {
    match command.type_url().rsplit_once('.') {
        Some((_, name)) => Status::unimplemented(format!("{name} is not supported here")),
        None => to_status(Error::invalid("the descriptor is neither a Flight SQL command nor a path of this server")),
    }
}

/// What [`unsupported`] says, as an error of ours.
pub(super) fn unsupported_error(command: &Command) -> Error {
    Error::invalid(unsupported(command).message())
}

fn one<T: Send + 'static>(answer: T) -> Answers<T> {
    futures::stream::once(std::future::ready(Ok(answer))).boxed()
}

#[tonic::async_trait]
impl FlightService for FlightSql {
    type HandshakeStream = Answers<HandshakeResponse>;
    type ListFlightsStream = Answers<FlightInfo>;
    type DoGetStream = Answers<FlightData>;
    type DoPutStream = Answers<PutResult>;
    type DoActionStream = Answers<arrow_flight::Result>;
    type ListActionsStream = Answers<ActionType>;
    type DoExchangeStream = Answers<FlightData>;

    async fn handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        Ok(self.log_in(request).await?.map(one))
    }

    async fn list_flights(&self, request: Request<Criteria>) -> Result<Response<Self::ListFlightsStream>, Status> {
        self.authenticate(Credentials::of(&request)).await.map_err(to_status)?;
        Ok(Response::new(futures::stream::empty().boxed()))
    }

    async fn get_flight_info(&self, request: Request<FlightDescriptor>) -> Result<Response<FlightInfo>, Status> {
        self.flight_info(request).await.map(Response::new)
    }

    async fn poll_flight_info(&self, request: Request<FlightDescriptor>) -> Result<Response<PollInfo>, Status> {
        // Planning is all that happens before DoGet, so the first poll is the last: no descriptor to poll again.
        let info = self.flight_info(request).await?;
        Ok(Response::new(PollInfo { info: Some(info), progress: Some(1.0), ..PollInfo::default() }))
    }

    async fn get_schema(&self, request: Request<FlightDescriptor>) -> Result<Response<SchemaResult>, Status> {
        // The same path as GetFlightInfo, so that the two cannot differ.
        let schema = self.flight_info(request).await?.schema;
        Ok(Response::new(SchemaResult { schema }))
    }

    async fn do_get(&self, _request: Request<Ticket>) -> Result<Response<Self::DoGetStream>, Status> {
        // `fetch` stands before this service; here its answers would be copied into single buffers.
        Err(Status::unimplemented("DoGet is answered by another part of the server"))
    }

    async fn do_put(&self, request: Request<Streaming<FlightData>>) -> Result<Response<Self::DoPutStream>, Status> {
        self.put(request).await
    }

    async fn do_exchange(
        &self,
        _request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoExchangeStream>, Status> {
        Err(Status::unimplemented("DoExchange is not supported here"))
    }

    async fn do_action(&self, request: Request<Action>) -> Result<Response<Self::DoActionStream>, Status> {
        let context = self.authenticate(Credentials::of(&request)).await.map_err(to_status)?;
        let answer = self.act(&context, request.into_inner()).await?;
        Ok(answer.map(|bodies| {
            futures::stream::iter(bodies.into_iter().map(|body| Ok(arrow_flight::Result { body }))).boxed()
        }))
    }

    async fn list_actions(&self, request: Request<Empty>) -> Result<Response<Self::ListActionsStream>, Status> {
        self.authenticate(Credentials::of(&request)).await.map_err(to_status)?;
        Ok(Response::new(futures::stream::iter(super::actions::action_types().map(Ok)).boxed()))
    }
}

/// The schema of a FlightInfo, set the same way for every command.
pub(super) fn flight_info(schema: &arrow::datatypes::Schema) -> Result<FlightInfo> {
    Ok(FlightInfo { schema: schema_bytes(schema)?, total_records: -1, total_bytes: -1, ..FlightInfo::default() })
}
