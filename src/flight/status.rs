//! Our errors as gRPC statuses. Must not know which call failed.

use tonic::Status;

use crate::error::{Error, Kind};

/// The status of an error. Faults of ours are logged here with their cause, which the client does not see.
pub(super) fn to_status(error: Error) -> Status {
    if matches!(error.kind(), Kind::Internal | Kind::Corrupt) {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::error!(message = error.message(), cause, "a request failed");
    }
    Status::new(error.kind().grpc_code(), error.message())
}
