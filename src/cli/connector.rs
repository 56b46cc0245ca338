//! TLS of the client: connects to `https://` addresses. tonic's own would need a feature that builds much again.

use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore, crypto};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::codegen::Service;
use tonic::codegen::http::Uri;

use crate::error::{Error, Result};
use crate::server::tls;

const HTTPS_PORT: u16 = 443;
/// How long an answer of a TLS server is waited for, when only that it speaks TLS is asked.
const PROBE: Duration = Duration::from_secs(5);

/// Whether a TLS server answers at the address, whatever its certificate.
pub(super) async fn speaks_tls(address: Uri) -> bool {
    let Ok(connector) = Connector::new(None) else { return false };
    match tokio::time::timeout(PROBE, connector.connect(address)).await {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => tls_error(&error).is_some_and(|error| !is_no_tls(error)),
        Err(_) => false,
    }
}

/// Whether the connection failed because the server's first bytes were no TLS.
pub(super) fn answered_without_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    tls_error(error).is_some_and(is_no_tls)
}

fn is_no_tls(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::InvalidMessage(_))
}

/// What rustls said somewhere below the error.
fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let mut cause = Some(error);
    while let Some(held) = cause {
        // An I/O error gives the source of what it holds, not that itself.
        let inner = held.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Some(found);
        }
        cause = held.source();
    }
    None
}

/// Makes connections that are checked against a set of authorities.
#[derive(Clone)]
pub(super) struct Connector {
    tls: TlsConnector,
}

impl Connector {
    /// Trusts the authorities in `file`, or else those of the machine.
    ///
    /// # Errors
    /// `InvalidInput` for a file that holds no certificate.
    pub(super) fn new(file: Option<&Path>) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        match file {
            Some(file) => {
                for certificate in tls::certificates(file)? {
                    roots.add(certificate).map_err(|error| {
                        Error::invalid(format!("'{}' holds no certificate of an authority: {error}", file.display()))
                    })?;
                }
            }
            None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::internal("no TLS version is available").with_source(error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self { tls: TlsConnector::from(Arc::new(config)) })
    }

    async fn connect(self, uri: Uri) -> std::io::Result<TokioIo<TlsStream<TcpStream>>> {
        let invalid = |message: String| std::io::Error::new(std::io::ErrorKind::InvalidInput, message);
        let host = uri.host().ok_or_else(|| invalid("the address names no host".to_owned()))?;
        // An IPv6 address stands in brackets, but is looked up and checked without.
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host.clone()).map_err(|error| invalid(error.to_string()))?;
        let stream = TcpStream::connect((host.as_str(), uri.port_u16().unwrap_or(HTTPS_PORT))).await?;
        stream.set_nodelay(true)?;
        Ok(TokioIo::new(self.tls.connect(name, stream).await?))
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = std::io::Error;
    type Future = BoxFuture<'static, std::io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}
