//! Accepts connections until the server stops. What one client does wrong never stops the listener.
//!
//! Must not know what is served.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream as Connections;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use super::connection::{Connection, Stream};
use crate::metrics::Metrics;

/// A TLS handshake that takes longer is given up.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes at once; further connections wait in the kernel's queue.
const HANDSHAKES: usize = 256;
/// After a failed accept, which is mostly "too many open files".
const PAUSE: Duration = Duration::from_millis(100);
/// Connections accepted ahead of the server.
const AHEAD: usize = 16;

/// An address that is listened on, with or without TLS.
pub struct Listening {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
}

impl Listening {
    pub fn with_tls(listener: TcpListener, tls: Option<TlsAcceptor>) -> Self {
        Self { listener, tls }
    }
}

impl From<TcpListener> for Listening {
    fn from(listener: TcpListener) -> Self {
        Self { listener, tls: None }
    }
}

/// All connections, until `stopped` says true; from then on the address refuses.
pub(super) fn connections(
    listening: Listening,
    metrics: Arc<Metrics>,
    mut stopped: watch::Receiver<bool>,
) -> impl Connections<Item = std::io::Result<Connection>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let task = tokio::spawn(async move {
        tokio::select! {
            () = accept_all(listening, metrics, sender) => {}
            // An error means that nobody is left to say when.
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    });
    Accepted { receiver, task: task.abort_handle() }
}

async fn accept_all(listening: Listening, metrics: Arc<Metrics>, sender: mpsc::Sender<Connection>) {
    let places = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        let stream = match listening.listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // A client that is gone already shows when it is read from.
        stream.set_nodelay(true).ok();
        let Some(tls) = listening.tls.clone() else {
            if sender.send(Connection::new(Stream::Plain(stream), Arc::clone(&metrics))).await.is_err() {
                return;
            }
            continue;
        };
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let (metrics, sender) = (Arc::clone(&metrics), sender.clone());
        tokio::spawn(async move {
            let stream = handshake(&tls, stream, &metrics).await;
            drop(place);
            if let Some(stream) = stream {
                // Nobody takes it when the server has stopped in between.
                sender.send(Connection::new(stream, metrics)).await.ok();
            }
        });
    }
}

async fn handshake(tls: &TlsAcceptor, stream: TcpStream, metrics: &Metrics) -> Option<Stream> {
    let peer = stream.peer_addr().ok();
    let error = match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
        Ok(Ok(stream)) => return Some(Stream::Tls(Box::new(stream))),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it took too long".to_owned(),
    };
    metrics.handshakes_failed.inc();
    tracing::debug!(?peer, error, "a TLS handshake failed");
    None
}

struct Accepted {
    receiver: mpsc::Receiver<Connection>,
    task: AbortHandle,
}

impl Connections for Accepted {
    type Item = std::io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.receiver.poll_recv(context).map(|connection| connection.map(Ok))
    }
}

impl Drop for Accepted {
    fn drop(&mut self) {
        self.task.abort();
    }
}
