//! One port for everything: gRPC and HTTP on the same listener. Puts the parts together and stops them gracefully.
//!
//! The only place that knows both `flight` and `http`.

mod accept;
mod connection;
mod observe;
pub mod tls;
mod undecodable;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::service::Routes;
use tonic::transport::Server;

pub use self::accept::Listening;
use self::observe::Observer;
use crate::auth::Tokens;
use crate::error::{Error, Result};
use crate::flight::{FlightSql, Stopper, fetches};
use crate::http::{self, Readiness};
use crate::ingest::Loader;
use crate::metrics::{LogValues, Metrics};
use crate::query::Engine;
use crate::workspace::Workspace;

/// Uploads are slow with hyper's 1 MiB: the client waits for the window at every batch.
const WINDOW_BYTES: u32 = 8 * 1024 * 1024;
/// JDBC sends every unknown URL parameter as a header with every call.
const HEADER_LIST_BYTES: u32 = 64 * 1024;
/// One batch of an upload.
const MESSAGE_BYTES: usize = 64 * 1024 * 1024;
/// Streams of one connection; more wait.
const STREAMS: u32 = 1024;
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// After running queries are cancelled, how long their errors may take to reach the clients.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What a server is made of.
pub struct ServerParts {
    pub engine: Engine,
    pub loader: Loader,
    pub tokens: Tokens,
    pub metrics: Arc<Metrics>,
}

/// Serves until `shutdown`, then refuses new connections and waits up to `grace` for what runs. It answers at once, and says
/// that it is ready once `opening` is done.
///
/// # Errors
/// `Internal` when the listener breaks; those of `opening`.
pub async fn serve(
    listener: impl Into<Listening>,
    parts: ServerParts,
    grace: Duration,
    opening: impl Future<Output = Result<()>> + Send + 'static,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let workspaces = parts.engine.workspaces().clone();
    let readiness = Readiness::new(move || workspaces.start_report());
    let http = http::router(Arc::clone(&parts.metrics), readiness.clone());
    let observer =
        Observer { metrics: Arc::clone(&parts.metrics), log_statements: parts.engine.settings().server.log_statements };
    let (stopping, stopped) = watch::channel(false);
    let mut signal = stopped.clone();
    let connections = accept::connections(listener.into(), Arc::clone(&parts.metrics), stopped);
    let engine = parts.engine.clone();
    let metrics = Arc::clone(&parts.metrics);
    let flight = FlightSql::new(parts.engine, parts.loader, parts.tokens, parts.metrics)?;
    let stopper = flight.stopper();
    let sessions = flight.session_count();
    metrics.sample_with(move |metrics| {
        sample(metrics, &engine);
        metrics.sessions_open.set(sessions.get());
    });
    // From our router, so that its fallback answers unknown paths; tonic's own answers them as gRPC.
    let flight = Arc::new(flight);
    let http = http.merge(fetches(Arc::clone(&flight)));
    let flight = FlightServiceServer::from_arc(flight)
        .max_decoding_message_size(MESSAGE_BYTES)
        .max_encoding_message_size(usize::MAX);
    let router = Routes::from(http).add_service(flight).into_axum_router();
    let routes = Routes::from(router.layer(axum::middleware::from_fn_with_state(observer, observe::observe)));

    let server = Server::builder()
        .accept_http1(true)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .http2_max_header_list_size(HEADER_LIST_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_concurrent_streams(STREAMS)
        .add_routes(routes)
        .serve_with_incoming_shutdown(connections, async move {
            // An error means that nobody is left to say when: stop as well.
            drop(signal.wait_for(|stopping| *stopping).await);
        });
    let watcher = {
        let (readiness, metrics) = (readiness.clone(), metrics);
        async move {
            shutdown.await;
            readiness.end();
            tracing::info!("stopping: {} statements run", metrics.queries_running.get());
            stopping.send_replace(true);
            stopper.end_event_streams();
            cut_off(&stopper, grace).await;
        }
    };

    // In a task of its own: reading a large state is work, and others are to be answered meanwhile. It ends with this.
    let mut tasks = JoinSet::new();
    tasks.spawn(opening);
    let open = async {
        if let Some(opened) = tasks.join_next().await {
            opened.map_err(|error| Error::internal(format!("opening the stored state: {error}")))??;
        }
        readiness.begin();
        std::future::pending().await
    };
    tokio::select! {
        result = server => result.map_err(|error| Error::internal("the listener broke").with_source(error)),
        () = watcher => Ok(()),
        result = open => result,
    }
}

/// Ends what still runs once the time is over.
async fn cut_off(stopper: &Stopper, grace: Duration) {
    tokio::time::sleep(grace).await;
    tracing::warn!("queries still run after the time to finish: they are cancelled");
    stopper.cancel_all();
    tokio::time::sleep(LAST_WORDS).await;
}

/// What the engine holds at the moment of a scrape.
fn sample(metrics: &Metrics, engine: &Engine) {
    let load = engine.load();
    metrics.queries_queued.set(load.queued as i64);
    metrics.memory_used.set(load.memory_used as i64);
    metrics.memory_limit.set(load.memory_limit as i64);
    metrics.spill_used.set(load.spill_used as i64);
    metrics.leased_states.set(load.leased_states as i64);
    metrics.leased_bytes.set(load.leased_bytes as i64);
    let panicked = load.panics.saturating_sub(metrics.queries_panicked.get());
    metrics.queries_panicked.inc_by(panicked);
    metrics.workspaces_to_open.set(engine.workspaces().to_open() as i64);
    sample_logs(metrics, &engine.workspaces().opened());
}

/// The logs of the workspaces that are open.
fn sample_logs(metrics: &Metrics, workspaces: &[Arc<Workspace>]) {
    let values = workspaces.iter().map(|workspace| {
        let report = workspace.log_monitor().report(&workspace.snapshot());
        LogValues {
            position: report.position,
            flushed_position: report.flushed_position,
            hot_rows: report.hot_rows as u64,
            hot_bytes: report.hot_bytes as u64,
            segments: report.segments,
            bytes: report.log_bytes,
            replay_seconds: report.replay_seconds,
        }
    });
    metrics.logs.set(values);
}
