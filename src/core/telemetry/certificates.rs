//! When certificates end, and which could not be read again.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServedLabels {
    name: String,
    file: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FileLabels {
    file: String,
}

/// Metrics of certificates.
#[derive(Debug, Default)]
pub struct CertificateSeries {
    expiry: Family<ServedLabels, Gauge>,
    failures: Family<FileLabels, Counter>,
    /// The name that each file is told under.
    names: Mutex<HashMap<PathBuf, String>>,
}

impl CertificateSeries {
    pub(super) fn register(&self, registry: &mut Registry) {
        let expiry = self.expiry.clone();
        registry.register("certificate_expiry_seconds", "When a certificate ends, as Unix time", expiry);
        let failures = self.failures.clone();
        let help = "Changed certificates that could not be used";
        registry.register("certificate_reload_failures", help, failures);
    }

    /// The certificate of a file is served; it ends then, in seconds since the Unix epoch.
    pub fn served(&self, file: &Path, name: &str, expires_s: i64) {
        let labels = |name: &str| ServedLabels { name: name.to_owned(), file: file.display().to_string() };
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = names.insert(file.to_owned(), name.to_owned()).filter(|before| before != name) {
            self.expiry.remove(&labels(&before));
        }
        self.expiry.get_or_create(&labels(name)).set(expires_s);
        // A counter that is there from the start can be watched for its first step.
        self.failures.get_or_create(&FileLabels { file: file.display().to_string() }).inc_by(0);
    }

    /// The certificate of a file can't be used.
    pub fn reload_failed(&self, file: &Path) {
        self.failures.get_or_create(&FileLabels { file: file.display().to_string() }).inc();
    }
}
