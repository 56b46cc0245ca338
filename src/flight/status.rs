//! Our errors as gRPC statuses. Must not know which call failed.

use tonic::Status;
use tonic::metadata::{MetadataMap, MetadataValue};

use crate::error::{Error, Kind};
use crate::request;

/// Flight has no field for it: ADBC shows what it does not know as a detail of the error.
const SQLSTATE: &str = "sqlstate";

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
    let mut metadata = MetadataMap::new();
    if let Some(detail) = error.detail() {
        metadata.insert(SQLSTATE, MetadataValue::from_static(detail.sqlstate()));
    }
    Status::with_metadata(error.grpc_code(), message, metadata)
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;
    use crate::error::Detail;
    use crate::request::RequestRecord;

    #[test]
    fn a_detail_has_a_code_and_an_sqlstate() {
        let cases = [
            (Error::conflict("it is there"), Detail::TableExists, Code::AlreadyExists, "42S01"),
            (Error::not_found("it is not there"), Detail::NoTable, Code::NotFound, "42S02"),
            // Of PostgreSQL (appendix A): disk_full, configuration_limit_exceeded.
            (Error::busy("it is full"), Detail::FullDisk, Code::ResourceExhausted, "53100"),
            (Error::busy("it is full"), Detail::FullLog, Code::ResourceExhausted, "53400"),
        ];
        for (error, detail, code, sqlstate) in cases {
            let kind = error.kind();
            // On its way through DataFusion, too.
            let error = Error::from(datafusion::error::DataFusionError::from(error.with_detail(detail)));
            let status = to_status(error);
            assert_eq!(status.code(), code);
            assert_eq!(status.metadata().get(SQLSTATE).unwrap(), sqlstate);
            assert_eq!(Kind::from_grpc_code(status.code()), kind);
        }
        assert!(to_status(Error::conflict("the state changed")).metadata().is_empty());
    }

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
