//! `/healthz`: the process answers. `/readyz`: it wants requests.

use axum::extract::State;
use axum::http::StatusCode;

use super::HttpState;

pub(super) async fn alive() -> &'static str {
    "ok"
}

pub(super) async fn ready(State(state): State<HttpState>) -> (StatusCode, String) {
    match state.readiness.obstacle() {
        None => (StatusCode::OK, "ok".to_owned()),
        Some(obstacle) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {obstacle}\n")),
    }
}
