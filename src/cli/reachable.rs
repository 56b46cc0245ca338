//! The address by which a server is reached from other machines, for those that it keeps from writing.

use std::net::SocketAddr;

use nix::unistd::gethostname;

/// The scheme, and where the server listens; who listens on all addresses of a machine is reached by its name.
pub(super) fn address(scheme: &str, listens_on: SocketAddr) -> String {
    let host = gethostname().ok().and_then(|host| host.into_string().ok());
    address_on(scheme, listens_on, &host.unwrap_or_default())
}

fn address_on(scheme: &str, listens_on: SocketAddr, host: &str) -> String {
    let is_name =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    match listens_on.ip().is_unspecified() && host.split('.').all(is_name) {
        true => format!("{scheme}://{host}:{}", listens_on.port()),
        false => format!("{scheme}://{listens_on}"),
    }
}

#[cfg(test)]
mod tests;
