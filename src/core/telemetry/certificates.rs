//! When certificates end, and which could not be read again.

use super::families::{counters, gauges};
use prometheus::{IntCounterVec, IntGaugeVec, Registry};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What stands for the file of a certificate that an authority issued.
const ISSUED: &str = "acme";

/// Metrics of certificates.
#[derive(Debug)]
pub struct CertificateSeries {
    expiry: IntGaugeVec,
    failures: IntCounterVec,
    orders: IntCounterVec,
    /// The name that each file is told under.
    names: Mutex<HashMap<PathBuf, String>>,
}

impl CertificateSeries {
    pub(super) fn new(registry: &Registry) -> Self {
        let help = "When a certificate ends, as Unix time";
        let expiry = gauges(registry, "certificate_expiry_seconds", help, &["name", "file"]);
        let help = "Changed certificates that could not be used";
        let failures = counters(registry, "certificate_reload_failures_total", help, &["file"]);
        let help = "Orders of certificates from an ACME authority, by how they ended";
        let orders = counters(registry, "acme_orders_total", help, &["outcome"]);
        Self { expiry, failures, orders, names: Mutex::default() }
    }

    /// A certificate that an authority issued is served; it ends then, in seconds since the Unix epoch.
    pub fn issued(&self, name: &str, expires_s: i64) {
        self.expiry.with_label_values(&[name, ISSUED]).set(expires_s);
    }

    /// A certificate that an authority issued is not served any more.
    pub fn withdrawn(&self, name: &str) {
        let _ = self.expiry.remove_label_values(&[name, ISSUED]);
    }

    /// An order ended.
    pub fn ordered(&self, is_issued: bool) {
        self.orders.with_label_values(&[if is_issued { "issued" } else { "failed" }]).inc();
    }

    /// The certificate of a file is served; it ends then, in seconds since the Unix epoch.
    pub fn served(&self, file: &Path, name: &str, expires_s: i64) {
        let path = file.display().to_string();
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = names.insert(file.to_owned(), name.to_owned()).filter(|before| before != name) {
            // It is there: it was made with the name before.
            let _ = self.expiry.remove_label_values(&[&before, &path]);
        }
        self.expiry.with_label_values(&[name, &path]).set(expires_s);
        // A counter that is there from the start can be watched for its first step.
        self.failures.with_label_values(&[&path]);
    }

    /// The certificate of a file is not served any more, and its file is gone.
    pub fn removed(&self, file: &Path) {
        let path = file.display().to_string();
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        // What is not there needs no removal.
        if let Some(name) = names.remove(file) {
            let _ = self.expiry.remove_label_values(&[&name, &path]);
        }
        let _ = self.failures.remove_label_values(&[&path]);
    }

    /// The certificate of a file can't be used.
    pub fn reload_failed(&self, file: &Path) {
        self.failures.with_label_values(&[&file.display().to_string()]).inc();
    }
}
