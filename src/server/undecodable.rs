//! Bodies that are no message of their call: tonic answers them as a fault of the server, and who sent one must see that it
//! is theirs.
//!
//! Tonic makes its status of prost's error before any code of ours sees the body, and keeps of it nothing but the words:
//! they are the only mark, and nobody else looks at them. Should prost say it otherwise, the test here tells.
//!
//! Must not know which call it was.

use axum::http::HeaderMap;
use tonic::{Code, Status};

/// What prost says of bytes that it cannot decode begins so.
const UNDECODABLE: &str = "failed to decode Protobuf message";

/// Corrects the outcome in the headers of an answer that has nothing else.
pub(super) fn blame_sender(headers: &mut HeaderMap) {
    let Some(status) = Status::from_header_map(headers) else { return };
    if status.code() != Code::Internal || !status.message().starts_with(UNDECODABLE) {
        return;
    }
    let message = format!("the request's body is no message of Arrow Flight for this call: {}", status.message());
    if let Err(error) = Status::invalid_argument(message).add_header(headers) {
        tracing::debug!(%error, "an outcome that no header can hold");
    }
}

#[cfg(test)]
mod tests {
    use arrow_flight::Ticket;
    use prost::Message;

    use super::*;

    fn answered(status: &Status) -> Status {
        let mut headers = HeaderMap::new();
        status.add_header(&mut headers).unwrap();
        blame_sender(&mut headers);
        Status::from_header_map(&headers).unwrap()
    }

    #[test]
    fn what_cannot_be_decoded_is_the_senders_fault_and_nothing_else() {
        let fault = Ticket::decode(&[0xff; 9][..]).unwrap_err();
        let corrected = answered(&Status::internal(fault.to_string()));
        assert_eq!(corrected.code(), Code::InvalidArgument);
        assert!(corrected.message().contains(&fault.to_string()), "{corrected}");
        for other in [Status::internal("the table broke"), Status::not_found(fault.to_string())] {
            assert_eq!(answered(&other).code(), other.code());
        }
    }
}
