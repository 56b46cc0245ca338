//! `convoke serve`: one port for Flight SQL and HTTP, until a signal.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use super::arguments::ServeArguments;
use super::embedded::{self, Embedded};
use super::output;
use crate::error::{Error, Result};
use crate::jobs;
use crate::metrics::Metrics;
use crate::server::{self, ServerParts};
use crate::workspace::checkpoint_by_time;

pub(super) async fn run(arguments: ServeArguments) -> Result<()> {
    let settings = embedded::settings(&arguments.settings, arguments.listen.as_ref())?;
    let embedded = Embedded::open(&arguments.data.data, settings).await?;
    embedded.create_workspace(&arguments.data, None).await?;
    // Only one process writes to a workspace, and readers of this one must see what it writes.
    let workspace = embedded.workspaces.get(&arguments.data.workspace).await?;
    drop(workspace.writer().await?);
    let listener = listen(&embedded.settings.server.listen, arguments.insecure).await?;
    let address = listener.local_addr()?;
    output::say(&format!("convoke {} listening on http://{address}", env!("CARGO_PKG_VERSION")))?;
    if embedded.tokens.list().await?.is_empty() {
        let data = &arguments.data.data;
        output::complain(&format!("no token was made yet: convoke token create --data {data} --role analyst"));
    }
    let grace = Duration::from_secs(embedded.settings.server.stop_seconds);
    let background = start_background(&embedded);
    let served = server::serve(listener, parts(embedded), grace, stop_signal()?).await;
    // Half a compaction leaves nothing but files for the next vacuum.
    drop(background);
    served
}

/// What a server does by itself, until it is dropped: identity checkpoints and upkeep, unless they are left to the
/// command line.
pub(super) fn start_background(embedded: &Embedded) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let minutes = embedded.settings.identity.checkpoint_minutes;
    if minutes > 0 {
        let period = Duration::from_secs(minutes.saturating_mul(60));
        tasks.spawn(checkpoint_by_time(embedded.workspaces.clone(), period));
    }
    let upkeep = embedded.settings.upkeep.clone();
    if upkeep.minutes > 0 {
        tasks.spawn(jobs::run_every(embedded.workspaces.clone(), upkeep));
    }
    tasks
}

pub(super) fn parts(embedded: Embedded) -> ServerParts {
    ServerParts {
        engine: embedded.engine,
        loader: embedded.loader,
        tokens: embedded.tokens,
        metrics: Arc::new(Metrics::default()),
    }
}

/// # Errors
/// `InvalidInput` for an address beyond this machine without `insecure`, or one that is taken.
pub(super) async fn listen(address: &str, insecure: bool) -> Result<TcpListener> {
    let resolved: Vec<SocketAddr> = tokio::net::lookup_host(address)
        .await
        .map_err(|error| Error::invalid(format!("address '{address}': {error}; write it like 127.0.0.1:8815")))?
        .collect();
    if !insecure && resolved.iter().any(|address| !address.ip().is_loopback()) {
        return Err(Error::invalid(format!(
            "'{address}' can be reached from other machines and there is no TLS: tokens would travel in the clear; \
             listen on 127.0.0.1, or say --insecure"
        )));
    }
    TcpListener::bind(resolved.as_slice()).await.map_err(|error| {
        Error::invalid(format!("cannot listen on {address}: {error}; another port: --listen 127.0.0.1:0"))
    })
}

/// Resolves at SIGINT or SIGTERM.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
