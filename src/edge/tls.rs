//! The TLS listener's certificate and key.

#[cfg(test)]
pub(super) mod tests;

use super::EdgeError;
use crate::config::Tls;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;

/// Reads both files. TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
///
/// # Errors
/// [`EdgeError::Tls`] names the file that is missing, unreadable, or not what it should be.
pub fn config(tls: &Tls) -> Result<Arc<ServerConfig>, EdgeError> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| broken(&tls.certificate, "the certificate chain can't be read as PEM", error))?;
    if chain.is_empty() {
        let none = std::io::Error::other("no BEGIN CERTIFICATE section");
        return Err(broken(&tls.certificate, "there is no certificate in this file", none));
    }
    let key = PrivateKeyDer::from_pem_file(&tls.key)
        .map_err(|error| broken(&tls.key, "the private key can't be read as PEM", error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| broken(&tls.certificate, "this build supports no safe TLS version", error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| broken(&tls.key, "the key does not fit the certificate", error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn broken(
    path: &Path,
    problem: &'static str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> EdgeError {
    EdgeError::Tls { path: path.to_owned(), problem, source: Box::new(source) }
}
