//! `convoke serve`: one port for Flight SQL and HTTP, until a signal.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::arguments::ServeArguments;
use super::embedded::{self, Embedded};
use super::output;
use crate::error::{Error, Kind, Result};
use crate::ids::WorkspaceName;
use crate::metrics::Metrics;
use crate::server::{self, ServerParts};
use crate::workspace::Workspaces;

pub(super) async fn run(arguments: ServeArguments) -> Result<()> {
    let settings = embedded::settings(&arguments.settings, arguments.listen.as_ref())?;
    let embedded = Embedded::open(&arguments.data.data, settings)?;
    embedded.create_default_workspace(None).await?;
    open_default(&embedded.workspaces).await?;
    let listener = listen(&embedded.settings.server.listen, arguments.insecure).await?;
    let address = listener.local_addr()?;
    output::say(&format!("convoke {} listening on http://{address}", env!("CARGO_PKG_VERSION")))?;
    if embedded.tokens.list().await?.is_empty() {
        let data = &arguments.data.data;
        output::complain(&format!("no token was made yet: convoke token create --data {data} --role analyst"));
    }
    let grace = Duration::from_secs(embedded.settings.server.stop_seconds);
    server::serve(listener, parts(embedded), grace, stop_signal()?).await
}

/// Only one process writes to a workspace, and readers of this one must see what it writes: so the default one is opened
/// before anybody is told of the server, and all others when they are first asked for.
async fn open_default(workspaces: &Workspaces) -> Result<()> {
    let name = WorkspaceName::default();
    match workspaces.get(&name).await {
        // Here the words of the writer's lock say more than those for a caller of the server.
        Ok(workspace) => drop(workspace.writer().await?),
        Err(error) if error.kind() == Kind::NotFound => {}
        Err(error) => return Err(error),
    }
    workspaces.serve();
    Ok(())
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
