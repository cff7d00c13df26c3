//! Certificates of a TLS listener: chosen by the name that a client asks for, and read again when their files change.

mod names;
mod pair;
#[cfg(test)]
mod tests;
mod validity;

use arc_swap::ArcSwap;
use names::Names;
use pair::{Pair, Stamp, stamp};
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use vitrine_core::config::CertificateFiles;
use vitrine_core::limits::CERTIFICATE_POLL_MS;
use vitrine_core::telemetry::{Metrics, error_chain};

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
    files: Vec<CertificateFiles>,
    served: ArcSwap<Served>,
    stamps: Mutex<Vec<Stamp>>,
    metrics: Arc<Metrics>,
}

/// What is served now: a pair for each entry of the files.
#[derive(Debug)]
struct Served {
    names: Names,
    pairs: Vec<Pair>,
}

impl Served {
    fn of(pairs: Vec<Pair>) -> Self {
        Self { names: Names::of(pairs.iter().map(|pair| &*pair.names)), pairs }
    }
}

impl Certificates {
    /// Reads them; the first is for clients that ask for no name that another one has.
    ///
    /// # Errors
    /// [`CertificateError`] names the file that is missing, unreadable, or not what it should be.
    pub fn load(files: Vec<CertificateFiles>, metrics: Arc<Metrics>) -> Result<Arc<Self>, CertificateError> {
        let stamps = files.iter().map(stamp).collect();
        let pairs = files.iter().map(Pair::load).collect::<Result<Vec<_>, _>>()?;
        for (files, pair) in files.iter().zip(&pairs) {
            metrics.certificates.served(&files.certificate, pair.name(), pair.expires_s);
        }
        let served = ArcSwap::from_pointee(Served::of(pairs));
        Ok(Arc::new(Self { files, served, stamps: Mutex::new(stamps), metrics }))
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
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
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
        let mut stamps = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pairs = None;
        for (index, (files, known)) in self.files.iter().zip(stamps.iter_mut()).enumerate() {
            // Taken before the files are read: what is written meanwhile is seen at the next look.
            let now = stamp(files);
            if *known == now {
                continue;
            }
            *known = now;
            if let Some(pair) = self.read_again(files) {
                pairs.get_or_insert_with(|| self.served.load().pairs.clone())[index] = pair;
            }
        }
        if let Some(pairs) = pairs {
            self.served.store(Arc::new(Served::of(pairs)));
        }
    }

    fn read_again(&self, files: &CertificateFiles) -> Option<Pair> {
        let file = files.certificate.display();
        match Pair::load(files) {
            Ok(pair) => {
                self.metrics.certificates.served(&files.certificate, pair.name(), pair.expires_s);
                let expires = jiff::Timestamp::from_second(pair.expires_s).unwrap_or_default();
                tracing::info!(%file, name = pair.name(), %expires, "a changed certificate is served from now on");
                Some(pair)
            }
            Err(error) => {
                self.metrics.certificates.reload_failed(&files.certificate);
                let error = error_chain(&error);
                tracing::error!(%file, error, "a changed certificate can't be used; the one before it is served on");
                None
            }
        }
    }
}

impl Pair {
    /// What it is called in metrics and logs.
    fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let served = self.served.load();
        let position = hello.server_name().and_then(|name| served.names.find(name)).unwrap_or_default();
        served.pairs.get(position).map(|pair| Arc::clone(&pair.key))
    }
}
