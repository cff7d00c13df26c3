//! A picture as an archive.

use super::code::code_of;
use super::{BackupError, CODE, FORMAT, MANIFEST, Manifest, Picture};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::id::Digest;

/// Bundles are compressed already; the database is most of what this saves.
const ZSTD_LEVEL: i32 = 3;

/// Counts a file's digest while it is read.
pub(super) struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Hashing<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new() }
    }

    pub(super) fn digest(self) -> Digest {
        Digest(self.hash.finalize().into())
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        self.hash.update(&buffer[..bytes]);
        Ok(bytes)
    }
}

impl Picture {
    /// Writes the archive. Blocking.
    ///
    /// # Errors
    /// A file can't be read, or `out` fails.
    pub fn write(&self, out: impl Write, now_ms: u64) -> Result<(), BackupError> {
        let failed = BackupError::Broken;
        let mut encoder = zstd::Encoder::new(out, ZSTD_LEVEL).map_err(failed)?;
        encoder.include_checksum(true).map_err(failed)?;
        let mut archive = tar::Builder::new(encoder);
        let mut files = BTreeMap::new();
        for name in &self.files {
            if failpoint::at("backup.write") == Some(Fault::Error) {
                return Err(failed(io::ErrorKind::Other.into()));
            }
            let path = self.folder.join(name);
            let read = |source| BackupError::Io { operation: "read", path: path.clone(), source };
            let file = File::open(&path).map_err(read)?;
            let mut header = head(file.metadata().map_err(read)?.len());
            let mut content = Hashing::new(file);
            archive.append_data(&mut header, Path::new(name), &mut content).map_err(failed)?;
            files.insert(name.clone(), content.digest());
        }
        let manifest = Manifest {
            format: FORMAT,
            vitrine: env!("CARGO_PKG_VERSION").into(),
            made_ms: now_ms,
            key: self.key.clone(),
            with_key: self.with_key,
            apps: self.apps,
            releases: self.releases,
            missing: self.missing.clone(),
            files,
        };
        let text = serde_json::to_vec_pretty(&manifest).map_err(|error| failed(error.into()))?;
        archive.append_data(&mut head(text.len() as u64), MANIFEST, &*text).map_err(failed)?;
        let code = code_of(&self.code_key, &text);
        archive.append_data(&mut head(code.len() as u64), CODE, code.as_bytes()).map_err(failed)?;
        let encoder = archive.into_inner().map_err(failed)?;
        encoder.finish().and_then(|mut out| out.flush()).map_err(failed)
    }
}

fn head(bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o600);
    header
}
