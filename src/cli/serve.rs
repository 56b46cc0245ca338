//! `convoke serve`: one port for Flight SQL and HTTP, until a signal.

use std::error::Error as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::arguments::ServeArguments;
use super::embedded::{self, Embedded};
use super::open_files;
use super::output;
use super::reachable;
use crate::auth::Tokens;
use crate::error::{Error, Kind, Result};
use crate::ids::WorkspaceName;
use crate::jobs;
use crate::metrics::Metrics;
use crate::server::{self, Listening, ServerParts, tls};
use crate::settings::{ServerSettings, Settings};
use crate::workspace::{ClosedLogs, Workspaces, checkpoint_by_time, flush_by_time, flush_for_room};

pub(super) async fn run(arguments: ServeArguments) -> Result<()> {
    let settings = settings(&arguments)?;
    open_files::raise_limit();
    let tls = acceptor(&settings.server)?;
    let data = &arguments.data.data;
    let is_new = embedded::is_missing_folder(data);
    let embedded = Embedded::open(data, settings).await?;
    let listener = listen(&embedded.settings.server.listen, arguments.insecure || tls.is_some()).await?;
    // Before anybody is told of the server: whoever knows of it may stop it.
    let stop = stop_signal()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let bound = listener.local_addr()?;
    let address = format!("{scheme}://{bound}");
    // Before any request: what is opened from here on is opened for writing.
    embedded.workspaces.serve(&reachable::address(scheme, bound)).await;
    embedded.create_default_workspace(None).await?;
    if is_new {
        output::complain(&embedded::describe_made(data));
    }
    let (ready, begin) = oneshot::channel();
    let opening = open(embedded.workspaces.clone(), embedded.tokens.clone(), data.clone(), address, ready);
    let grace = Duration::from_secs(embedded.settings.server.stop_seconds);
    let (mut background, workspaces) = (start_background(&embedded), embedded.workspaces.clone());
    background.spawn(open_others(workspaces.clone(), begin));
    let served = server::serve(Listening::with_tls(listener, tls), parts(embedded), grace, opening, stop).await;
    // Half a compaction leaves nothing but files for the next vacuum.
    drop(background);
    let closed = workspaces.close().await;
    if served.is_ok() {
        report_end(closed);
    }
    served
}

/// Rows that stay in the log are no failure of a stop: the next server shows them from its start on.
fn report_end(closed: ClosedLogs) {
    tracing::info!("{} rows brought into files", closed.flushed);
    if closed.left > 0 {
        tracing::warn!(
            "{} rows stay in the log, where they are durable: the next server shows them, and brings them into files",
            closed.left
        );
    }
    tracing::info!("stopped");
}

/// Reads the default workspace, and says when the server is ready; the names of the others are given to `ready`.
async fn open(
    workspaces: Workspaces,
    tokens: Tokens,
    data: String,
    address: String,
    ready: oneshot::Sender<Vec<WorkspaceName>>,
) -> Result<()> {
    // So that who asks meanwhile learns how many there are; they are counted again below.
    workspaces.unopened().await.ok();
    let mut opening = std::pin::pin!(open_default(&workspaces));
    if let Ok(outcome) = tokio::time::timeout(SAID_AFTER, &mut opening).await {
        outcome?;
    } else {
        output::complain(&format!(
            "{address} is bound, but not ready: {}; {address}/readyz says when it is",
            workspaces.start_report()
        ));
        opening.await?;
    }
    // Counted before anybody is told.
    let others = unopened(&workspaces).await;
    output::say(&format!("convoke {} listening on {address}", env!("CARGO_PKG_VERSION")))?;
    drop(ready.send(others));
    // Only advice hangs on it.
    if tokens.list().await.is_ok_and(|tokens| tokens.is_empty()) {
        output::complain(&format!("no token was made yet: convoke token create --data {data} --role analyst"));
    }
    Ok(())
}

/// A start that takes longer says what it does.
const SAID_AFTER: Duration = Duration::from_secs(1);

/// How often the states that tickets keep are looked at.
const LEASE_SWEEP: Duration = Duration::from_secs(10);

/// What a server does by itself, until it is dropped: flushes, sweeps of kept states, and, unless they are left to the
/// command line, identity checkpoints and upkeep.
pub(super) fn start_background(embedded: &Embedded) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let minutes = embedded.settings.identity.checkpoint_minutes;
    if minutes > 0 {
        let period = Duration::from_secs(minutes.saturating_mul(60));
        tasks.spawn(checkpoint_by_time(embedded.workspaces.clone(), period));
    }
    tasks.spawn(embedded.engine.clone().sweep_leases(LEASE_SWEEP));
    let flushes = Duration::from_secs(embedded.settings.log.flush_seconds.max(1));
    tasks.spawn(flush_by_time(embedded.workspaces.clone(), flushes, embedded.settings.ingest.buffer_memory.0));
    tasks.spawn(flush_for_room(embedded.workspaces.clone()));
    let upkeep = embedded.settings.upkeep.clone();
    if upkeep.minutes > 0 {
        tasks.spawn(jobs::run_every(embedded.workspaces.clone(), upkeep));
    }
    tasks
}

/// Settings with the flags of this command.
pub(super) fn settings(arguments: &ServeArguments) -> Result<Settings> {
    let flags = [
        ("server.listen", &arguments.listen),
        ("server.tls_cert", &arguments.tls_cert),
        ("server.tls_key", &arguments.tls_key),
        ("server.log_format", &arguments.log_format),
    ];
    let given = flags.into_iter().filter_map(|(key, value)| Some((key, value.clone()?)));
    let mut settings = embedded::settings_with(&arguments.settings, given)?;
    settings.query.planner.clone_from(&arguments.planner);
    Ok(settings)
}

/// The TLS of the settings; `None` for none.
///
/// # Errors
/// `InvalidInput` for one file without the other, and for files that are no certificate and its key.
fn acceptor(settings: &ServerSettings) -> Result<Option<TlsAcceptor>> {
    match (settings.tls_cert.is_empty(), settings.tls_key.is_empty()) {
        (true, true) => Ok(None),
        (false, false) => tls::acceptor(Path::new(&settings.tls_cert), Path::new(&settings.tls_key)).map(Some),
        _ => Err(Error::invalid(
            "TLS needs a certificate and its key: give both --tls-cert and --tls-key (settings server.tls_cert, server.tls_key)",
        )),
    }
}

/// The default workspace is opened before anybody is told of the server, if need be after a writer that was killed.
async fn open_default(workspaces: &Workspaces) -> Result<()> {
    let name = WorkspaceName::default();
    match workspaces.get_after_predecessor(&name).await {
        Err(error) if error.kind() == Kind::NotFound => Ok(()),
        Err(error) if error.kind() == Kind::Busy => {
            // Its words are for a caller of the server, those of the writer's lock for who sends events.
            let of_lock = error.source().and_then(|source| source.downcast_ref::<Error>()).map(Error::repeat);
            embedded::explain_in_use(workspaces, &name, Err(of_lock.unwrap_or(error)), ONE_SERVER).await
        }
        outcome => outcome.map(drop),
    }
}

/// What to do where another process writes to the folder that is to be served.
pub(super) const ONE_SERVER: &str = "a data folder has one server: go on with the one that runs, stop it and start this \
                                     one again, or serve another folder with --data";

/// Workspaces that are still to be opened; where they cannot be listed, each is opened when it is asked for.
async fn unopened(workspaces: &Workspaces) -> Vec<WorkspaceName> {
    let names = workspaces.unopened().await;
    names
        .inspect_err(|error| tracing::warn!(%error, "workspaces are opened when they are asked for"))
        .unwrap_or_default()
}

/// Opens the workspaces that it is told of, one after the other. Only one process writes to a workspace, and readers of a
/// server must see what it writes: so it is the writer of all of them.
async fn open_others(workspaces: Workspaces, names: oneshot::Receiver<Vec<WorkspaceName>>) {
    if let Ok(names) = names.await {
        workspaces.open_each(names).await;
    }
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
             give --tls-cert and --tls-key, listen on 127.0.0.1, or say --insecure"
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
