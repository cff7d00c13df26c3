//! TLS of both sides: listeners, certificates, and what plain HTTP is told.

use super::check::{Problem, problem};
use super::listen;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;

/// A certificate and its key, as files. Both are read again when they change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateFiles {
    /// PEM file with the chain, leaf first.
    pub certificate: PathBuf,
    /// PEM file with the key.
    pub key: PathBuf,
}

/// The TLS listener of the public side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Address of the TLS listener.
    #[serde(deserialize_with = "listen::address")]
    pub listen: SocketAddr,
    /// PEM file with the chain, leaf first, for clients that ask for no name that another certificate has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// PEM file with its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Folder of certificates and keys; each is for the DNS names in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// Further certificates; each is for the DNS names in it.
    #[serde(default)]
    pub certificates: Vec<CertificateFiles>,
    /// Port at which clients reach the TLS listener, if that is another one than its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_port: Option<NonZeroU16>,
    /// Whether the plain listener sends clients to the TLS one.
    #[serde(default = "yes")]
    pub redirect: bool,
    /// How long browsers are to use HTTPS alone, in seconds; 0 is not said.
    #[serde(default)]
    pub hsts_max_age_s: u64,
    /// Whether that is said for all subdomains, too.
    #[serde(default)]
    pub hsts_include_subdomains: bool,
}

const fn yes() -> bool {
    true
}

impl Tls {
    /// A listener with one certificate, and defaults otherwise.
    #[must_use]
    pub fn new(listen: SocketAddr, files: CertificateFiles) -> Self {
        let CertificateFiles { certificate, key } = files;
        Self {
            listen,
            certificate: Some(certificate),
            key: Some(key),
            folder: None,
            certificates: Vec::new(),
            public_port: None,
            redirect: true,
            hsts_max_age_s: 0,
            hsts_include_subdomains: false,
        }
    }

    /// The port for URLs: where clients reach the listener that is bound to this one.
    #[must_use]
    pub fn port_of_clients(&self, bound: u16) -> u16 {
        self.public_port.map_or(bound, NonZeroU16::get)
    }

    /// Every certificate that is named by its files, that of nameless clients first.
    #[must_use]
    pub fn files(&self) -> Vec<CertificateFiles> {
        let first = self.certificate.clone().zip(self.key.clone());
        let first = first.map(|(certificate, key)| CertificateFiles { certificate, key });
        first.into_iter().chain(self.certificates.iter().cloned()).collect()
    }

    /// Certificates may come from an authority instead of files.
    pub(super) fn problem(&self, has_authority: bool) -> Option<Problem> {
        match (&self.certificate, &self.key) {
            (Some(_), None) => {
                return problem("tls.key", "is missing: write the file of the certificate's key");
            }
            (None, Some(_)) => {
                return problem("tls.certificate", "is missing: write the file of the key's chain");
            }
            (None, None) if !has_authority && self.folder.is_none() && self.certificates.is_empty() => {
                let message =
                    "has no certificate: write `certificate` and `key`, or `folder`, or a table `[acme]`";
                return problem("tls", message);
            }
            _ => {}
        }
        if self.hsts_include_subdomains && self.hsts_max_age_s == 0 {
            let message = "is true and `tls.hsts_max_age_s` is 0: nothing would be said; write for how long";
            return problem("tls.hsts_include_subdomains", message);
        }
        None
    }
}
