//! Certificates of a TLS listener: chosen by the name that a client asks for, and read again when their files change.

mod folder;
mod issued;
mod names;
mod pair;
mod sources;
#[cfg(test)]
mod tests;
mod validity;

use arc_swap::ArcSwap;
use names::Names;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sources::Sources;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use vitrine_core::config::{CertificateFiles, Tls};
use vitrine_core::limits::CERTIFICATE_POLL_MS;
use vitrine_core::telemetry::Metrics;

pub use issued::{Challenge, Issued, Shown};
pub use pair::{Pair, roots};

/// Why a certificate can't be served.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file can't be read or is not what it should be.
    #[error("{}: {problem}", path.display())]
    Unusable {
        /// File.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
        /// Cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The TLS library.
    #[error("this build supports no safe TLS version")]
    Versions(#[source] rustls::Error),
}

/// The certificates of one listener.
#[derive(Debug)]
pub struct Certificates {
    sources: Mutex<Sources>,
    served: ArcSwap<Served>,
    issued: Option<Arc<Issued>>,
    metrics: Arc<Metrics>,
}

/// Certificates that are served now.
#[derive(Debug)]
struct Served {
    names: Names,
    pairs: Vec<Pair>,
    /// For clients that ask for no name that one of them has.
    default: Option<Arc<CertifiedKey>>,
}

impl Certificates {
    /// Reads a pair of files.
    ///
    /// # Errors
    /// [`CertificateError`] names the file that is missing, unreadable, or not what it should be.
    pub fn load(files: CertificateFiles, metrics: Arc<Metrics>) -> Result<Arc<Self>, CertificateError> {
        Ok(Self::of(Sources::load(vec![files], None, true, &metrics)?, None, metrics))
    }

    /// Reads those of the public side; those that an authority issues come after them. One of the folder that can't be used is told in the log and left out, unless all are wanted.
    ///
    /// # Errors
    /// As [`Certificates::load`]; and nothing in the folder can be used.
    pub fn of_listener(
        tls: &Tls,
        wants_all: bool,
        issued: Option<Arc<Issued>>,
        metrics: Arc<Metrics>,
    ) -> Result<Arc<Self>, CertificateError> {
        let sources = Sources::load(tls.files(), tls.folder.clone(), wants_all, &metrics)?;
        Ok(Self::of(sources, issued, metrics))
    }

    fn of(sources: Sources, issued: Option<Arc<Issued>>, metrics: Arc<Metrics>) -> Arc<Self> {
        let served = ArcSwap::from_pointee(sources.served());
        Arc::new(Self { sources: Mutex::new(sources), served, issued, metrics })
    }

    /// Whether a certificate in files is for this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.served.load().names.find(name).is_some()
    }

    /// What a listener speaks with them: TLS 1.2 and 1.3, and these protocols.
    ///
    /// # Errors
    /// [`CertificateError::Versions`].
    pub fn server_config(
        self: &Arc<Self>,
        protocols: &[&[u8]],
    ) -> Result<Arc<ServerConfig>, CertificateError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(CertificateError::Versions)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        let of_authority = self.issued.iter().map(|_| issued::PROTOCOL);
        config.alpn_protocols = protocols.iter().copied().chain(of_authority).map(<[u8]>::to_vec).collect();
        Ok(Arc::new(config))
    }

    /// The first DNS name of the first certificate, as far as it is one's own: no wildcard.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let served = self.served.load();
        served.pairs.first()?.names.iter().find(|name| !name.starts_with('*')).cloned()
    }

    /// Looks for changed files as long as it is polled. One that can't be used is told in the log and counted; what was served before
    /// is served on.
    pub async fn keep_fresh(self: Arc<Self>) {
        loop {
            tokio::time::sleep(Duration::from_millis(CERTIFICATE_POLL_MS)).await;
            let certificates = Arc::clone(&self);
            // A file system may take its time.
            let _ = tokio::task::spawn_blocking(move || certificates.refresh()).await;
        }
    }

    fn refresh(&self) {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if sources.refresh(&self.metrics) {
            self.served.store(Arc::new(sources.served()));
        }
    }
}

/// Every pair of the public side that can't be used.
#[must_use]
pub fn problems(tls: &Tls) -> Vec<CertificateError> {
    let listed = tls.folder.as_deref().map(folder::pairs).transpose();
    let (listed, problem) = match listed {
        Ok(listed) => (listed.unwrap_or_default(), None),
        Err(error) => (Vec::new(), Some(error)),
    };
    let broken = |files| Pair::load(&files).err();
    tls.files().into_iter().chain(listed).filter_map(broken).chain(problem).collect()
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let (name, served) = (hello.server_name(), self.served.load());
        if issued::is_of_authority(&hello) {
            return self.issued.as_ref()?.shown_to_authority(name?);
        }
        match name.and_then(|name| served.names.find(name)) {
            Some(position) => served.pairs.get(position).map(|pair| Arc::clone(&pair.key)),
            None => {
                let issued = self.issued.as_ref().zip(name).and_then(|(issued, name)| issued.find(name));
                issued.or_else(|| served.default.clone())
            }
        }
    }
}
