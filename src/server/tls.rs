//! TLS of the listener: certificate and key from PEM files, offered for HTTP/2 and HTTP/1.1.
//!
//! Ours because tonic's own offers HTTP/2 only. Must not know what is served.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, crypto};
use tokio_rustls::TlsAcceptor;

use crate::error::{Error, Result};

/// In the order of preference.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// An acceptor for the certificate chain in `certificate` and its `key`.
///
/// # Errors
/// `InvalidInput` for files that cannot be read, hold something else, or do not belong together.
pub fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor> {
    let chain = certificates(certificate)?;
    let text = read(key, "TLS key")?;
    let private = PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        Error::invalid(format!(
            "TLS key '{}' holds no unencrypted private key: give a PEM file with a line -----BEGIN PRIVATE KEY-----",
            key.display()
        ))
    })?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal("no TLS version is available").with_source(error))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| refused(&error, certificate, key))?;
    config.alpn_protocols = PROTOCOLS.iter().map(|name| name.to_vec()).collect();
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The certificates of a PEM file, at least one.
///
/// # Errors
/// `InvalidInput` for a file that cannot be read or holds none.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let text = read(path, "TLS certificate")?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| Error::invalid(format!("TLS certificate '{}' is damaged: {error}", path.display())))?;
    if found.is_empty() {
        return Err(Error::invalid(format!(
            "TLS certificate '{}' holds no certificate: give a PEM file with a line -----BEGIN CERTIFICATE-----",
            path.display()
        )));
    }
    Ok(found)
}

fn read(path: &Path, what: &str) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::invalid(format!("{what} '{}' cannot be read: {error}", path.display())))
}

fn refused(error: &rustls::Error, certificate: &Path, key: &Path) -> Error {
    let (certificate, key) = (certificate.display(), key.display());
    match error {
        rustls::Error::InconsistentKeys(_) => {
            Error::invalid(format!("TLS key '{key}' does not belong to the certificate in '{certificate}'"))
        }
        other => Error::invalid(format!("TLS certificate '{certificate}' with key '{key}': {other}")),
    }
}
