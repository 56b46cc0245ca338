//! Around every request, gRPC and HTTP alike: an id, one log line at its end, and the counts by call and outcome.
//!
//! No statement text is logged unless the setting says so, and never a header, which may hold a token.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tracing::{Instrument, Span};

use super::undecodable::blame_sender;
use crate::error::Kind;
use crate::metrics::Metrics;
use crate::request::{EventCounts, RequestRecord};

/// The header of every answer that names its request.
const REQUEST_ID: &str = "x-request-id";
/// The service of every RPC here; its methods are known.
const FLIGHT: &str = "/arrow.flight.protocol.FlightService/";
/// Other paths that are counted by name; a client must not make series.
const PATHS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// What all requests of a server share.
#[derive(Clone)]
pub(super) struct Observer {
    pub(super) metrics: Arc<Metrics>,
    /// Whether the text of statements is logged.
    pub(super) log_statements: bool,
}

/// The middleware.
pub(super) async fn observe(State(observer): State<Observer>, request: Request, next: Next) -> Response {
    let record = RequestRecord::default();
    // Of level error, so that a line about a fault names its request whatever the filter.
    let span = tracing::error_span!("request", id = %record.id());
    let path = request.uri().path();
    let (call, is_rpc) = match path.strip_prefix(FLIGHT) {
        Some(method) => (method.to_owned(), true),
        None if PATHS.contains(&path) => (path.to_owned(), false),
        None => ("other".to_owned(), false),
    };
    let mut ending = Ending { observer, record: record.clone(), span: span.clone(), call, is_rpc, outcome: None };
    let mut response = record.clone().scope(next.run(request)).instrument(span).await;
    if let Ok(id) = HeaderValue::from_str(&record.id().to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    if is_rpc {
        blame_sender(response.headers_mut());
    }
    ending.outcome = match is_rpc {
        true => grpc_outcome(response.headers()),
        false => Some(http_outcome(response.status())),
    };
    response.map(|body| Body::new(ObservedBody { body, ending }))
}

/// The outcome in the trailers of a call, or in its headers when there is nothing else.
fn grpc_outcome(headers: &HeaderMap) -> Option<&'static str> {
    let code = headers.get("grpc-status")?;
    let code = tonic::Code::from_bytes(code.as_bytes());
    Some(match code {
        tonic::Code::Ok => "ok",
        tonic::Code::Cancelled => "cancelled",
        tonic::Code::Unimplemented => "unimplemented",
        other => Kind::from_grpc_code(other).as_str(),
    })
}

fn http_outcome(status: StatusCode) -> &'static str {
    match status.is_success() {
        true => "ok",
        false => "error",
    }
}

/// Writes the line and counts, when it is dropped: after the last byte of the answer, or when the client has gone.
struct Ending {
    observer: Observer,
    record: RequestRecord,
    span: Span,
    call: String,
    is_rpc: bool,
    outcome: Option<&'static str>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let outcome = self.outcome.unwrap_or("cancelled");
        let took = self.record.elapsed();
        self.observer.metrics.count_request(&self.call, outcome, took);
        let learned = self.record.learned();
        let (principal, workspace) = (learned.principal.as_deref(), learned.workspace.as_deref());
        let text = learned.text.as_deref().filter(|_| self.observer.log_statements);
        let (statement, rows, call) = (learned.statement, self.record.rows(), self.call.as_str());
        let events = counts_of(&self.record);
        let (batches, kept, duplicate) = (events(|of| of.batches), events(|of| of.kept), events(|of| of.duplicate));
        let (rejected, position) = (events(|of| of.rejected), events(|of| of.position));
        // To the microsecond.
        let ms = (took.as_secs_f64() * 1_000_000.0).round() / 1_000.0;
        let _entered = self.span.enter();
        if self.is_rpc {
            tracing::info!(
                call, principal, workspace, statement, text, rows, batches, kept, duplicate, rejected, position, ms,
                outcome, "done"
            );
        } else {
            tracing::debug!(call, ms, outcome, "done");
        }
    }
}

/// Gives single counts of an event stream, and none for what is no stream.
fn counts_of(record: &RequestRecord) -> impl Fn(fn(EventCounts) -> u64) -> Option<u64> {
    let events = record.events();
    move |count| events.map(count)
}

/// The answer on its way out; it carries the ending along.
struct ObservedBody {
    body: Body,
    ending: Ending,
}

impl HttpBody for ObservedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let _entered = this.ending.span.enter();
        let frame = Pin::new(&mut this.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(trailers) = frame.trailers_ref()
        {
            this.ending.outcome = grpc_outcome(trailers).or(this.ending.outcome);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
