//! One connection, plain or TLS, that closes without cutting its client off.
//!
//! A socket that is closed over unread bytes resets the connection, and the client loses what it has not read yet: the
//! last rows of a result, when a late window update of the client was still on its way. So the end is said first, and
//! what still comes is read and dropped until the client closes, too.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};
use tokio_rustls::server::TlsStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

use crate::metrics::Metrics;

/// A client that sends nothing for this long after the end was said is not waited for.
const SILENCE: Duration = Duration::from_secs(5);
/// A client that goes on sending is waited for this long.
const LINGER: Duration = Duration::from_secs(30);
const DISCARDED_AT_ONCE: usize = 8 * 1024;

/// A connection; counted as open while it lives.
pub(super) struct Connection {
    stream: Stream,
    info: TcpConnectInfo,
    metrics: Arc<Metrics>,
    closing: Option<Closing>,
}

pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// The end was said; the client has until these.
struct Closing {
    silence: Pin<Box<Sleep>>,
    deadline: Pin<Box<Sleep>>,
}

impl Connection {
    pub(super) fn new(stream: Stream, metrics: Arc<Metrics>) -> Self {
        let info = stream.tcp().connect_info();
        metrics.connections_open.inc();
        Self { stream, info, metrics, closing: None }
    }

    /// Reads and drops until the client closes or a limit is over. Its errors do not matter any more.
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let closing = self
            .closing
            .get_or_insert_with(|| Closing { silence: Box::pin(sleep(SILENCE)), deadline: Box::pin(sleep(LINGER)) });
        let mut space = [0_u8; DISCARDED_AT_ONCE];
        loop {
            if closing.silence.as_mut().poll(context).is_ready() || closing.deadline.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            let mut discarded = ReadBuf::new(&mut space);
            let read = ready!(Pin::new(self.stream.tcp_mut()).poll_read(context, &mut discarded));
            if read.is_err() || discarded.filled().is_empty() {
                return Poll::Ready(());
            }
            closing.silence.as_mut().reset(Instant::now() + SILENCE);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.metrics.connections_open.dec();
    }
}

impl Stream {
    fn tcp(&self) -> &TcpStream {
        match self {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => stream.get_ref().0,
        }
    }

    fn tcp_mut(&mut self) -> &mut TcpStream {
        match self {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => stream.get_mut().0,
        }
    }

    fn writer(&mut self) -> Pin<&mut (dyn AsyncWrite + Send + Unpin)> {
        match self {
            Stream::Plain(stream) => Pin::new(stream),
            Stream::Tls(stream) => Pin::new(&mut **stream),
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.info.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, space: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, space),
            Stream::Tls(stream) => Pin::new(&mut **stream).poll_read(context, space),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.writer().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.writer().poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.writer().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closing.is_none() {
            ready!(self.stream.writer().poll_shutdown(context))?;
        }
        self.poll_drain(context).map(Ok)
    }
}
