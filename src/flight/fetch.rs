//! DoGet without copies: the buffers of a batch go to the socket as they lie in memory.
//!
//! tonic's codec takes a message as one buffer and copies it into another; at gigabytes a second that is what a fetch
//! costs. So this one call is framed here: gRPC's five bytes, protobuf's field headers, then the buffers themselves.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use arrow_flight::Ticket;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use axum::response::Response;
use axum::routing::post;
use bytes::{BufMut, Bytes, BytesMut};
use futures::Stream;
use http_body::Frame;
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint};
use tonic::Status;
use tonic::metadata::MetadataMap;

use super::encode::Message;
use super::send::FlightStream;
use super::service::FlightSql;

const PATH: &str = "/arrow.flight.protocol.FlightService/DoGet";
const GRPC: &str = "application/grpc";
/// A ticket is a statement of at most 1 MiB with parameters of at most 2 MiB.
const TICKET_BYTES: usize = 4 * 1024 * 1024;
/// gRPC before each message: not compressed, and its length.
const PREFIX_BYTES: usize = 5;
/// Fields of `FlightData` (Flight.proto).
const DATA_HEADER: u32 = 2;
const DATA_BODY: u32 = 1000;
/// Smaller buffers are copied together: a frame of their own costs more.
const SMALL_BYTES: usize = 4 * 1024;

/// The route of DoGet, which stands before that of the Flight service.
pub fn fetches(service: Arc<FlightSql>) -> Router {
    Router::new().route(PATH, post(fetch)).with_state(service)
}

async fn fetch(State(service): State<Arc<FlightSql>>, request: Request) -> Response {
    match rows(&service, request).await {
        Ok(response) => response,
        Err(status) => status.into_http(),
    }
}

async fn rows(service: &FlightSql, request: Request) -> Result<Response, Status> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, TICKET_BYTES);
    let body = body.await.map_err(|error| Status::invalid_argument(format!("the ticket cannot be read: {error}")))?;
    let ticket = ticket(&body)?;
    let request = tonic::Request::from_parts(MetadataMap::from_headers(parts.headers), parts.extensions, ticket);
    let (metadata, messages, _) = service.rows(request).await?.into_parts();
    let mut response = Response::new(Body::new(Messages { messages, frames: VecDeque::new(), ended: false }));
    *response.headers_mut() = metadata.into_headers();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(GRPC));
    Ok(response)
}

/// The one message of a request.
fn ticket(body: &[u8]) -> Result<Ticket, Status> {
    let (prefix, message) = body
        .split_first_chunk::<PREFIX_BYTES>()
        .ok_or_else(|| Status::invalid_argument("DoGet takes a ticket, and there is none"))?;
    let [compressed, length @ ..] = *prefix;
    if compressed != 0 {
        return Err(Status::unimplemented("compressed requests are not supported here"));
    }
    if usize::try_from(u32::from_be_bytes(length)).ok() != Some(message.len()) {
        return Err(Status::invalid_argument("the ticket has another length than its message says"));
    }
    Ticket::decode(message).map_err(|error| Status::invalid_argument(format!("this is no ticket: {error}")))
}

/// The answer: frames of messages, then the outcome as trailers.
struct Messages {
    messages: FlightStream,
    frames: VecDeque<Bytes>,
    ended: bool,
}

impl http_body::Body for Messages {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(bytes) = self.frames.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        let outcome = match ready!(Pin::new(&mut self.messages).poll_next(context)) {
            Some(Ok(message)) => match frames(message) {
                Ok(frames) => {
                    self.frames = frames;
                    return self.poll_frame(context);
                }
                Err(status) => status,
            },
            Some(Err(status)) => status,
            None => Status::ok(""),
        };
        self.ended = true;
        let mut trailers = HeaderMap::new();
        outcome.add_header(&mut trailers)?;
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }
}

/// A message as gRPC sends it: protobuf's `FlightData` with the fields `data_header` and `data_body`.
fn frames(message: Message) -> Result<VecDeque<Bytes>, Status> {
    let body = message.body_bytes();
    let mut start = BytesMut::with_capacity(message.header.len() + 64);
    start.put_bytes(0, PREFIX_BYTES);
    field(DATA_HEADER, message.header.len(), &mut start);
    start.put_slice(&message.header);
    if body > 0 {
        field(DATA_BODY, body, &mut start);
    }
    let length = u32::try_from(start.len() - PREFIX_BYTES + body)
        .map_err(|_| Status::resource_exhausted("a single row of 4 GiB or more: select fewer columns"))?;
    start[1..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
    let mut frames = VecDeque::new();
    for buffer in message.body {
        if buffer.len() < SMALL_BYTES {
            start.put_slice(&buffer);
            continue;
        }
        if !start.is_empty() {
            frames.push_back(start.split().freeze());
        }
        frames.push_back(buffer);
    }
    if !start.is_empty() {
        frames.push_back(start.freeze());
    }
    Ok(frames)
}

fn field(number: u32, length: usize, target: &mut BytesMut) {
    encode_key(number, WireType::LengthDelimited, target);
    encode_varint(length as u64, target);
}

#[cfg(test)]
mod tests;
