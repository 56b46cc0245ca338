//! `/healthz`: the process answers. `/readyz`: it wants requests.

use axum::extract::State;
use axum::http::StatusCode;

use super::HttpState;

pub(super) async fn alive() -> &'static str {
    "ok"
}

pub(super) async fn ready(State(state): State<HttpState>) -> (StatusCode, &'static str) {
    match state.readiness.is_ready() {
        true => (StatusCode::OK, "ok"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready: the server starts or stops"),
    }
}
