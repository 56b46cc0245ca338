//! Our errors as gRPC statuses. Must not know which call failed.

use tonic::Status;

use crate::error::{Error, Kind};
use crate::request;

/// The status of an error. Faults of ours are logged here with their cause, which the client does not see; it gets the
/// id of the request, by which the line is found.
pub(super) fn to_status(error: Error) -> Status {
    if matches!(error.kind(), Kind::Internal | Kind::Corrupt) {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::error!(message = error.message(), cause, "a request failed");
    }
    let message = match request::current() {
        Some(request) if error.kind() == Kind::Internal => {
            format!("{} (request {}: the server's log tells more)", error.message(), request.id())
        }
        _ => error.message().to_owned(),
    };
    Status::new(error.kind().grpc_code(), message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::RequestRecord;

    #[tokio::test]
    async fn a_fault_names_its_request_and_not_its_cause() {
        let record = RequestRecord::default();
        let id = record.id().to_string();
        let fault = || Error::internal("the table broke").with_source("a path");
        let message = record.clone().scope(async { to_status(fault()) }).await.message().to_owned();
        assert!(message.starts_with("the table broke") && message.contains(&id) && !message.contains("a path"));
        let message = record.scope(async { to_status(Error::invalid("no such column")) }).await.message().to_owned();
        assert_eq!(message, "no such column");
    }
}
