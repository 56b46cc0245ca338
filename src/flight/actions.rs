//! DoAction: each action by its name. What [`action_types`] lists is exactly what [`FlightSql::act`] does.

use arrow_flight::sql::{
    ActionCancelQueryRequest, ActionCancelQueryResult, ActionClosePreparedStatementRequest,
    ActionCreatePreparedStatementRequest, Any, Command, ProstMessageExt,
};
use arrow_flight::{
    Action, ActionType, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightEndpoint, FlightInfo,
    RenewFlightEndpointRequest,
};
use bytes::Bytes;
use prost::Message;
use tonic::{Response, Status};

use super::login::CallContext;
use super::service::FlightSql;
use super::status::to_status;
use super::ticket::{Purpose, Statement};
use crate::error::{Error, Result};
use crate::ingest::LOAD_CONDITIONS;

const CREATE_PREPARED: &str = "CreatePreparedStatement";
const CLOSE_PREPARED: &str = "ClosePreparedStatement";
const CANCEL_QUERY: &str = "CancelQuery";
const CANCEL_FLIGHT_INFO: &str = "CancelFlightInfo";
const RENEW_ENDPOINT: &str = "RenewFlightEndpoint";
const SET_OPTIONS: &str = "SetSessionOptions";
const GET_OPTIONS: &str = "GetSessionOptions";
const CLOSE_SESSION: &str = "CloseSession";

const ACTIONS: [(&str, &str); 9] = [
    (CREATE_PREPARED, "plan a statement: ActionCreatePreparedStatementRequest to ActionCreatePreparedStatementResult"),
    (CLOSE_PREPARED, "forget a prepared statement: ActionClosePreparedStatementRequest"),
    (CANCEL_QUERY, "stop a query: ActionCancelQueryRequest to ActionCancelQueryResult"),
    (CANCEL_FLIGHT_INFO, "stop a query: CancelFlightInfoRequest to CancelFlightInfoResult"),
    (RENEW_ENDPOINT, "extend an endpoint's time: RenewFlightEndpointRequest to FlightEndpoint"),
    (SET_OPTIONS, "set catalog, schema or time_zone: SetSessionOptionsRequest to SetSessionOptionsResult"),
    (GET_OPTIONS, "the options of the session: GetSessionOptionsRequest to GetSessionOptionsResult"),
    (CLOSE_SESSION, "forget the session: CloseSessionRequest to CloseSessionResult"),
    (
        LOAD_CONDITIONS,
        "how files are read for DoPut on the path ingest: nothing to JSON with the workspace's time_zone",
    ),
];

pub(super) fn action_types() -> impl Iterator<Item = ActionType> + Send {
    let action =
        |(name, description): (&str, &str)| ActionType { r#type: name.to_owned(), description: description.to_owned() };
    ACTIONS.into_iter().map(action)
}

impl FlightSql {
    /// The answer to one action: the bodies of its results.
    pub(super) async fn act(&self, context: &CallContext, action: Action) -> Result<Response<Vec<Bytes>>, Status> {
        let Action { r#type: name, body } = action;
        let answer = match name.as_str() {
            CREATE_PREPARED => match unpack::<ActionCreatePreparedStatementRequest>(&body) {
                Ok(request) => self.create_prepared(context, request).await.map(single),
                Err(error) => Err(error),
            },
            CLOSE_PREPARED => unpack::<ActionClosePreparedStatementRequest>(&body).map(|request| {
                self.close_prepared(context, request);
                Response::new(Vec::new())
            }),
            CANCEL_QUERY => self.cancel_query(context, &body).map(single),
            CANCEL_FLIGHT_INFO => self.cancel_flight_info(context, body).map(single),
            RENEW_ENDPOINT => self.renew(context, body).map(single),
            SET_OPTIONS => self.set_session_options(context, body).map(|response| response.map(|body| vec![body])),
            GET_OPTIONS => Ok(single(self.session_options(context))),
            CLOSE_SESSION => Ok(single(self.close_session(context))),
            LOAD_CONDITIONS => self.load_conditions(context).await.map(single),
            _ => return Err(Status::unimplemented("there is no such action: ListActions names all")),
        };
        answer.map_err(to_status)
    }

    fn cancel_query(&self, context: &CallContext, body: &[u8]) -> Result<Bytes> {
        let request: ActionCancelQueryRequest = unpack(body)?;
        let info = FlightInfo::decode(request.info).map_err(malformed)?;
        self.cancel(context, info)?;
        // The numbers of CancelResult are those of CancelStatus.
        Ok(ActionCancelQueryResult { result: CancelStatus::Cancelled.into() }.as_any().encode_to_vec().into())
    }

    fn cancel_flight_info(&self, context: &CallContext, body: Bytes) -> Result<Bytes> {
        let request = CancelFlightInfoRequest::decode(body).map_err(malformed)?;
        let info = request.info.ok_or_else(|| Error::invalid("the request names no FlightInfo to cancel"))?;
        self.cancel(context, info)?;
        Ok(CancelFlightInfoResult { status: CancelStatus::Cancelled.into() }.encode_to_vec().into())
    }

    /// Cancels the queries of all endpoints. A metadata command has nothing that runs.
    fn cancel(&self, context: &CallContext, info: FlightInfo) -> Result<()> {
        for endpoint in info.endpoint {
            if let Some(statement) = self.statement_of(context, &endpoint)? {
                self.running.cancel(statement.query_id);
            }
        }
        Ok(())
    }

    fn renew(&self, context: &CallContext, body: Bytes) -> Result<Bytes> {
        let request = RenewFlightEndpointRequest::decode(body).map_err(malformed)?;
        let endpoint = request.endpoint.ok_or_else(|| Error::invalid("the request names no endpoint to renew"))?;
        let renewed = match self.statement_of(context, &endpoint)? {
            Some(statement) => {
                self.executed.keep(statement.query_id);
                self.endpoint(context, &statement)
            }
            // The tickets of metadata commands never expire.
            None => endpoint,
        };
        Ok(renewed.encode_to_vec().into())
    }

    fn statement_of(&self, context: &CallContext, endpoint: &FlightEndpoint) -> Result<Option<Statement>> {
        let Some(ticket) = &endpoint.ticket else { return Ok(None) };
        let any = Any::decode(ticket.ticket.clone()).map_err(malformed)?;
        match Command::try_from(any)? {
            Command::TicketStatementQuery(ticket) => {
                self.signer.open(Purpose::Ticket, &context.caller, ticket.statement_handle).map(Some)
            }
            _ => Ok(None),
        }
    }
}

fn single(body: Bytes) -> Response<Vec<Bytes>> {
    Response::new(vec![body])
}

fn unpack<M: ProstMessageExt>(body: &[u8]) -> Result<M> {
    let any = Any::decode(body).map_err(malformed)?;
    any.unpack()?.ok_or_else(|| Error::invalid("the action's body is not the message that it takes"))
}

fn malformed(error: prost::DecodeError) -> Error {
    Error::invalid(format!("the action's body is malformed: {error}"))
}
