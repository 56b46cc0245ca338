//! A client of a running server, for `--connect` and for the demo's own queries.

use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::{Action, FlightClient, FlightData, FlightDescriptor};
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};
use parking_lot::Mutex;
use tonic::codegen::http::Uri;
use tonic::transport::{Channel, Endpoint};

use super::arguments::ConnectArguments;
use super::connector::{Connector, answered_without_tls, speaks_tls};
use super::output::ResultRows;
use crate::error::{Error, Kind, Result};
use crate::ingest::{LOAD_COMPLETE, LOAD_CONDITIONS, LoadConditions, LoadRequest, LoadSummary, input};

const MESSAGE_BYTES: usize = 64 << 20;

/// A connection with a token.
pub(super) struct Remote {
    channel: Channel,
    token: String,
    /// As `https://` or `http://`.
    address: Uri,
}

impl Remote {
    /// The server of `--connect`, if there is one.
    pub(super) async fn of(arguments: &ConnectArguments) -> Result<Option<Self>> {
        let Some(address) = &arguments.connect else { return Ok(None) };
        Self::connect(address, arguments.token.as_deref(), arguments.tls_ca.as_deref()).await.map(Some)
    }

    /// `https://` and `grpc+tls://` addresses are checked against the authorities in `tls_ca`, or those of the machine.
    ///
    /// # Errors
    /// `InvalidInput` without a token, or when nobody answers at the address.
    pub(super) async fn connect(address: &str, token: Option<&str>, tls_ca: Option<&Path>) -> Result<Self> {
        let url = address.replacen("grpc+tls://", "https://", 1).replacen("grpc://", "http://", 1);
        let endpoint = Endpoint::from_shared(url).map_err(|error| {
            Error::invalid(format!("address '{address}': {error}; write it like http://127.0.0.1:8815"))
        })?;
        let uri = endpoint.uri().clone();
        if uri.scheme().is_none() {
            return Err(Error::invalid(format!(
                "address '{address}' does not say whether the server speaks TLS: write http://{address}, or \
                 https://{address} for a server with a certificate"
            )));
        }
        let token = token.ok_or_else(|| Error::invalid("--connect needs --token or CONVOKE_TOKEN"))?;
        let channel = match uri.scheme_str() {
            Some("https") => endpoint.connect_with_connector(Connector::new(tls_ca)?).await,
            _ => endpoint.connect().await,
        };
        let channel = channel.map_err(|error| {
            if answered_without_tls(&error) {
                return without_tls(&uri).with_source(error);
            }
            let cause = root_cause(&error);
            Error::invalid(format!(
                "no connection to {address}: {cause}; is `convoke serve` running there, with TLS for https:// only? \
                 --tls-ca names the authority of its certificate"
            ))
            .with_source(error)
        })?;
        Ok(Self { channel, token: token.to_owned(), address: uri })
    }

    /// The error of a call; one of the transport may be that of a server which speaks TLS only.
    async fn call_error(&self, error: FlightError) -> Error {
        let of_transport = matches!(&error, FlightError::Tonic(status) if status.source().is_some());
        if of_transport && self.address.scheme_str() != Some("https") && speaks_tls(self.address.clone()).await {
            return with_tls(&self.address).with_source(error);
        }
        flight_error(error)
    }

    pub(super) async fn query(&mut self, statement: &str) -> Result<ResultRows> {
        let mut client = FlightSqlServiceClient::new(self.channel.clone());
        client.set_token(self.token.clone());
        let info = match client.execute(statement.to_owned(), None).await {
            Ok(info) => info,
            Err(error) => return Err(self.call_error(error).await),
        };
        let schema = info.clone().try_decode_schema()?;
        let mut streams: Vec<BoxStream<'static, Result<RecordBatch>>> = Vec::new();
        for endpoint in info.endpoint {
            let ticket =
                endpoint.ticket.ok_or_else(|| Error::internal("the server gave an endpoint without a ticket"))?;
            let batches = client.do_get(ticket).await.map_err(flight_error)?;
            streams.push(batches.map_err(flight_error).boxed());
        }
        Ok(ResultRows { schema: schema.into(), batches: Box::pin(futures::stream::iter(streams).flatten()) })
    }

    /// How files for the workspace of the token are to be read.
    pub(super) async fn load_conditions(&self) -> Result<LoadConditions> {
        let action = Action { r#type: LOAD_CONDITIONS.to_owned(), body: Bytes::new() };
        let mut answers = match self.flight_client()?.do_action(action).await {
            Ok(answers) => answers,
            Err(error) => return Err(self.call_error(error).await),
        };
        let answer = answers.try_next().await.map_err(flight_error)?;
        let body = answer.ok_or_else(|| Error::internal("the server did not say how files are read"))?;
        Ok(serde_json::from_slice(&body)?)
    }

    fn flight_client(&self) -> Result<FlightClient> {
        let mut client = FlightClient::new(self.channel.clone());
        client.add_header("authorization", &format!("Bearer {}", self.token)).map_err(flight_error)?;
        Ok(client)
    }

    /// Sends the batches of one source as one load.
    pub(super) async fn load(
        &mut self,
        request: &LoadRequest,
        batches: BoxStream<'static, Result<RecordBatch>>,
    ) -> Result<LoadSummary> {
        let client = self.flight_client()?;
        let descriptor = FlightDescriptor::new_path(vec!["ingest".to_owned()]);
        // The server learns of it, too, and may answer first that the upload broke off.
        let own_fault: Arc<Mutex<Option<Error>>> = Arc::default();
        let kept = Arc::clone(&own_fault);
        let batches = batches.map_err(move |error| {
            kept.lock().replace(error);
            FlightError::ProtocolError("the file cannot be read to its end".to_owned())
        });
        let data = FlightDataEncoderBuilder::new()
            .with_schema(input::schema())
            .with_flight_descriptor(Some(descriptor))
            .with_metadata(serde_json::to_vec(request)?.into())
            .with_max_flight_data_size(MESSAGE_BYTES / 8)
            .build(batches);
        // An error of the reader ends the stream before this message.
        let last = FlightData { app_metadata: LOAD_COMPLETE.into(), ..FlightData::default() };
        let data = data.chain(futures::stream::iter([Ok(last)]));
        let answer = self.put(client, data).await;
        let own_fault = own_fault.lock().take();
        own_fault.map_or(answer, Err)
    }

    async fn put(
        &self,
        mut client: FlightClient,
        data: impl Stream<Item = std::result::Result<FlightData, FlightError>> + Send + 'static,
    ) -> Result<LoadSummary> {
        let mut answers = match client.do_put(data).await {
            Ok(answers) => answers,
            Err(error) => return Err(self.call_error(error).await),
        };
        let mut summary = None;
        while let Some(answer) = answers.next().await {
            summary = Some(serde_json::from_slice(&answer.map_err(flight_error)?.app_metadata)?);
        }
        summary.ok_or_else(|| Error::internal("the server gave no summary of the load"))
    }
}

fn with_tls(address: &Uri) -> Error {
    let authority = address.authority().map_or("", |authority| authority.as_str());
    Error::invalid(format!(
        "the server at {authority} speaks TLS only: connect to https://{authority}; --tls-ca names the authority of its \
         certificate"
    ))
}

fn without_tls(address: &Uri) -> Error {
    let authority = address.authority().map_or("", |authority| authority.as_str());
    Error::invalid(format!(
        "the server at {authority} speaks no TLS: connect to http://{authority}, where the way to it is safe, or start it \
         with --tls-cert and --tls-key"
    ))
}

/// The innermost cause: those above it only say that the transport failed.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

fn status_error(status: &tonic::Status) -> Error {
    Error::new(Kind::from_grpc_code(status.code()), status.message())
}

fn flight_error(error: FlightError) -> Error {
    match error {
        FlightError::Tonic(status) => status_error(&status),
        FlightError::ExternalError(source) => match source.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(other) => Error::internal(other.to_string()),
        },
        other => Error::internal(other.to_string()),
    }
}
