//! HTTP beside gRPC on the same port: health, metrics, and a clear 404 for every path that is not ours.
//!
//! Must not know Flight, and no SQL passes through here.

mod health;
mod metrics;
mod not_found;
mod response;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::routing::get;

use crate::metrics::Metrics;

/// Whether requests should be sent here; false while the server starts and while it stops.
#[derive(Clone, Default)]
pub struct Readiness {
    ready: Arc<AtomicBool>,
}

impl Readiness {
    pub fn set(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }
}

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
