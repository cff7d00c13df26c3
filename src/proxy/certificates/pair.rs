//! One certificate with its key, read from its files.

use super::CertificateError;
use super::validity::validity_s;
use rustls::RootCertStore;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use vitrine_core::config::CertificateFiles;

/// A certificate that can be served.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The chain and its key.
    pub key: Arc<CertifiedKey>,
    /// DNS names that it is for, lower case; `*.` in front stands for one label.
    pub names: Vec<String>,
    /// When it begins, in seconds since the Unix epoch.
    pub begins_s: i64,
    /// When it ends, in seconds since the Unix epoch.
    pub expires_s: i64,
}

impl Pair {
    /// Reads both files and checks that they fit each other.
    pub(super) fn load(files: &CertificateFiles) -> Result<Self, CertificateError> {
        // Read first: a file that this user may not read is told from one that is no PEM.
        let read = |path| std::fs::read(path).map_err(|error| broken(path, "the file can't be read", error));
        let chain = read(&files.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?)
            .map_err(|error| broken(&files.key, "the private key can't be read as PEM", error));
        Self::of(files, &chain, key)
    }

    /// Checks what an authority issued under a name: a chain in PEM and its key in PKCS #8.
    ///
    /// # Errors
    /// [`CertificateError::Unusable`].
    pub fn issued(name: &str, chain: &[u8], key: Vec<u8>) -> Result<Self, CertificateError> {
        let files = CertificateFiles { certificate: name.into(), key: name.into() };
        Self::of(&files, chain, Ok(PrivatePkcs8KeyDer::from(key).into()))
    }

    fn of(
        files: &CertificateFiles,
        chain: &[u8],
        key: Result<PrivateKeyDer<'static>, CertificateError>,
    ) -> Result<Self, CertificateError> {
        let path = files.certificate.as_path();
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<_, _>>()
            .map_err(|error| broken(path, "the certificate chain can't be read as PEM", error))?;
        let Some(leaf) = chain.first() else {
            return Err(no_certificate(path));
        };
        let parsed = webpki::EndEntityCert::try_from(leaf)
            .map_err(|error| broken(path, "the first certificate can't be read", error))?;
        let names = parsed.valid_dns_names().map(str::to_ascii_lowercase).collect();
        let (begins_s, expires_s) = validity_s(leaf).ok_or_else(|| {
            broken(path, "the first certificate can't be read", std::io::Error::other("it has no validity"))
        })?;
        let provider = rustls::crypto::ring::default_provider();
        let key = CertifiedKey::from_der(chain, key?, &provider)
            .map_err(|error| broken(&files.key, "the key does not fit the certificate", error))?;
        Ok(Self { key: Arc::new(key), names, begins_s, expires_s })
    }

    /// What it is called in metrics and logs.
    pub(super) fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }
}

/// Reads the certificates of authorities from a PEM file.
///
/// # Errors
/// [`CertificateError`] names the file that can't be read, or has none in it.
pub fn roots(path: &Path) -> Result<RootCertStore, CertificateError> {
    let text = std::fs::read(path).map_err(|error| broken(path, "the file can't be read", error))?;
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(&text) {
        let root = root.map_err(|error| broken(path, "the certificates can't be read as PEM", error))?;
        roots.add(root).map_err(|error| broken(path, "a certificate in it can't be used", error))?;
    }
    if roots.is_empty() {
        return Err(no_certificate(path));
    }
    Ok(roots)
}

fn no_certificate(path: &Path) -> CertificateError {
    broken(
        path,
        "there is no certificate in this file",
        std::io::Error::other("no BEGIN CERTIFICATE section"),
    )
}

fn broken(
    path: &Path,
    problem: &'static str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> CertificateError {
    CertificateError::Unusable { path: path.to_owned(), problem, source: Box::new(source) }
}

/// What changes when a file is written or replaced: device, inode, size, seconds and nanoseconds. Nothing of one that is not there.
type FileStamp = Option<(u64, u64, u64, i64, i64)>;

/// See [`stamp`].
pub(super) type Stamp = [FileStamp; 2];

/// That of a pair of which nothing is there.
pub(super) const GONE: Stamp = [None, None];

/// What both files of a pair are now; links are followed.
pub(super) fn stamp(files: &CertificateFiles) -> Stamp {
    [&files.certificate, &files.key].map(|path| {
        let data = std::fs::metadata(path).ok()?;
        Some((data.dev(), data.ino(), data.size(), data.mtime(), data.mtime_nsec()))
    })
}
