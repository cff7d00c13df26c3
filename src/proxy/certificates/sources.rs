//! Files that certificates come from, and what was read from them last.

use super::folder;
use super::names::Names;
use super::pair::{GONE, Pair, Stamp, stamp};
use super::{CertificateError, Served};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use vitrine_core::config::CertificateFiles;
use vitrine_core::telemetry::{Metrics, error_chain};

/// A pair of files, and the certificate that they held when they could be used last.
#[derive(Debug)]
struct Source {
    files: CertificateFiles,
    /// Of the files when they were read; none before that.
    stamp: Option<Stamp>,
    pair: Option<Pair>,
}

/// All of a listener.
#[derive(Debug)]
pub(super) struct Sources {
    named: Vec<Source>,
    folder: Option<PathBuf>,
    of_folder: Vec<Source>,
    /// Whether the folder could not be read when it was looked at last: that is told once.
    is_unreadable: bool,
}

impl Sources {
    /// Reads them. One of the folder that can't be used is left out, unless all are wanted.
    pub(super) fn load(
        named: Vec<CertificateFiles>,
        folder: Option<PathBuf>,
        wants_all: bool,
        metrics: &Metrics,
    ) -> Result<Self, CertificateError> {
        let named = named.into_iter().map(|files| Source::load(files, metrics));
        let named = named.collect::<Result<Vec<_>, _>>()?;
        let mut of_folder = Vec::new();
        for files in folder.as_deref().map(folder::pairs).transpose()?.unwrap_or_default() {
            let mut source = Source { files, stamp: None, pair: None };
            if wants_all {
                source = Source::load(source.files, metrics)?;
            } else {
                source.refresh(metrics);
            }
            of_folder.push(source);
        }
        let sources = Self { named, folder, of_folder, is_unreadable: false };
        match sources.folder.as_deref().filter(|_| sources.all().all(|source| source.pair.is_none())) {
            None => Ok(sources),
            Some(folder) => Err(CertificateError::Unusable {
                path: folder.to_owned(),
                problem: "no certificate in this folder can be used",
                source: "put NAME.pem and NAME.key.pem there, or the folders that certbot makes".into(),
            }),
        }
    }

    /// Looks at the files again. Whether other certificates are to be served.
    pub(super) fn refresh(&mut self, metrics: &Metrics) -> bool {
        self.look_into_folder(metrics);
        let before = self.of_folder.len();
        // A pair in a folder that can't be read now is not known to be gone.
        if !self.is_unreadable {
            self.of_folder.retain(|source| !source.is_gone(metrics));
        }
        let mut changed = self.of_folder.len() != before;
        for source in &mut self.named {
            changed |= source.refresh(metrics);
        }
        for source in &mut self.of_folder {
            // Absent for one look is being replaced.
            let now = stamp(&source.files);
            if now == GONE {
                source.stamp = Some(now);
            } else {
                changed |= source.refresh(metrics);
            }
        }
        changed
    }

    fn look_into_folder(&mut self, metrics: &Metrics) {
        let Some(folder) = &self.folder else { return };
        match folder::pairs(folder) {
            Err(error) => {
                if !std::mem::replace(&mut self.is_unreadable, true) {
                    metrics.certificates.reload_failed(folder);
                    let error = error_chain(&error);
                    tracing::error!(
                        error,
                        "the folder of certificates can't be read; what it held is served on"
                    );
                }
            }
            Ok(pairs) => {
                self.is_unreadable = false;
                let by_key = |source: Source| (source.files.key.clone(), source);
                let mut known: HashMap<_, _> = self.of_folder.drain(..).map(by_key).collect();
                for files in pairs {
                    let source = match known.remove(&files.key) {
                        Some(source) if source.files == files => source,
                        _ => Source { files, stamp: None, pair: None },
                    };
                    self.of_folder.push(source);
                }
                // Their own files tell what became of those that are not listed.
                self.of_folder.extend(known.into_values());
            }
        }
    }

    /// The certificates to serve now: named certificates come before those of the folder, and of these the one that lasts longest.
    pub(super) fn served(&self) -> Served {
        let pairs = |sources: &[Source]| sources.iter().filter_map(|source| source.pair.clone()).collect();
        let (mut pairs, mut of_folder): (Vec<Pair>, Vec<Pair>) = (pairs(&self.named), pairs(&self.of_folder));
        let default = pairs.first().or(of_folder.first()).map(|pair| Arc::clone(&pair.key));
        of_folder.sort_by_key(|pair| Reverse(pair.expires_s));
        pairs.append(&mut of_folder);
        Served { names: Names::of(pairs.iter().map(|pair| &*pair.names)), pairs, default }
    }

    fn all(&self) -> impl Iterator<Item = &Source> {
        self.named.iter().chain(&self.of_folder)
    }
}

impl Source {
    fn load(files: CertificateFiles, metrics: &Metrics) -> Result<Self, CertificateError> {
        let stamp = Some(stamp(&files));
        let pair = Pair::load(&files)?;
        metrics.certificates.served(&files.certificate, pair.name(), pair.expires_s);
        Ok(Self { files, stamp, pair: Some(pair) })
    }

    /// Reads the files if they changed. Whether another certificate is to be served.
    fn refresh(&mut self, metrics: &Metrics) -> bool {
        // Taken before the files are read: what is written meanwhile is seen at the next look.
        let now = Some(stamp(&self.files));
        if self.stamp == now {
            return false;
        }
        self.stamp = now;
        let file = self.files.certificate.display();
        match Pair::load(&self.files) {
            Ok(pair) => {
                metrics.certificates.served(&self.files.certificate, pair.name(), pair.expires_s);
                let expires = jiff::Timestamp::from_second(pair.expires_s).unwrap_or_default();
                tracing::info!(%file, name = pair.name(), %expires, "a new certificate is served from now on");
                self.pair = Some(pair);
                true
            }
            Err(error) => {
                metrics.certificates.reload_failed(&self.files.certificate);
                let error = error_chain(&error);
                let served =
                    if self.pair.is_some() { "the one before it is served on" } else { "it is left out" };
                tracing::error!(%file, error, "a certificate can't be used; {served}");
                false
            }
        }
    }

    /// Whether both files were absent at two looks.
    fn is_gone(&self, metrics: &Metrics) -> bool {
        let gone = self.stamp == Some(GONE) && stamp(&self.files) == GONE;
        if gone {
            metrics.certificates.removed(&self.files.certificate);
            let file = self.files.certificate.display();
            tracing::info!(%file, "a certificate was removed and is not served any more");
        }
        gone
    }
}
