//! HTTP beside gRPC on the same port: health, metrics, and a clear 404 for every path that is not ours.
//!
//! Must not know Flight, and no SQL passes through here.

mod health;
mod metrics;
mod not_found;
mod readiness;
mod response;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

pub use self::readiness::Readiness;
use crate::metrics::Metrics;

/// What the handlers share.
#[derive(Clone)]
struct HttpState {
    metrics: Arc<Metrics>,
    readiness: Readiness,
}

/// All HTTP paths. Its fallback answers every unknown path, so it must be the router that others are added to.
pub fn router(metrics: Arc<Metrics>, readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::show))
        .fallback(not_found::answer)
        .with_state(HttpState { metrics, readiness })
}
