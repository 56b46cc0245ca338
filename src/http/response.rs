//! How an error looks over HTTP: `{"error": {"kind", "message"}}` with the status of its kind.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::error::Error;

pub(super) fn error_response(error: &Error) -> Response {
    let status = StatusCode::from_u16(error.kind().http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::json!({"error": {"kind": error.kind().as_str(), "message": error.message()}});
    (status, Json(body)).into_response()
}
