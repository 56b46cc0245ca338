//! The answer to a path that is not ours.

use axum::http::Uri;
use axum::response::Response;

use super::response::error_response;
use crate::error::Error;

/// A path is quoted back at most this far.
const SHOWN_BYTES: usize = 100;

pub(super) async fn answer(uri: Uri) -> Response {
    let path = uri.path();
    // A URI is ASCII, so any byte ends a character.
    let shown = path.get(..SHOWN_BYTES).unwrap_or(path);
    error_response(&Error::not_found(format!(
        "there is nothing at '{shown}': this server has /healthz, /readyz and /metrics, and Flight SQL over gRPC"
    )))
}
