//! The worker image: the two binaries and the libraries that they link, assembled on this host and handed to Docker.

use super::policy::{HOST_PATH, WORKER_PATH};
use bollard::Docker;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::TryStreamExt;
use lddtree::DependencyAnalyzer;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio_util::io::{ReaderStream, SyncIoBridge};
use vitrine_core::id::Digest;
use vitrine_core::limits::{IMAGE_FILE_BYTES_MAX, IMAGE_IMPORT_TIMEOUT_MS, IMAGE_PIPE_BYTES};

/// Name of every worker image; its tag is the digest of what is in it.
const REPOSITORY: &str = "vitrine-worker";
/// What the image runs when nothing else is said: the host binary, as an unprivileged user.
const CONFIGURATION: [&str; 3] = [
    "ENTRYPOINT [\"/bin/vitrine\"]",
    "USER 65532:65532",
    // Without a shell, so `--health-cmd` could not say it. Workers of a host have it switched off.
    "HEALTHCHECK CMD [\"/bin/vitrine\", \"healthcheck\"]",
];
/// Label of every worker image: what has another one is never removed.
pub(crate) const LABEL: &str = "vitrine.image=worker";
/// Folders that are mounted over; a read-only root has no place to make them.
const FOLDERS: [&str; 4] = ["bundle", "etc", "run/vitrine", "tmp"];
/// Certificate authorities that this host trusts, for what `vitrine solo` fetches: the first of these that exists.
const AUTHORITIES: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImageError {
    /// A binary can't be read.
    #[error("{path} can't be read for the worker image")]
    Read {
        /// File.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// A binary is no program of this machine.
    #[error("the libraries that {path} links can't be found out")]
    Analyze {
        /// File.
        path: PathBuf,
        /// Cause.
        #[source]
        source: lddtree::Error,
    },
    /// A library that a binary needs is not on this host.
    #[error("{path} needs the library {library}, which is not on this host")]
    Missing {
        /// Binary.
        path: PathBuf,
        /// Its library.
        library: String,
    },
    /// A file grew beyond what a binary may have.
    #[error("{path} has {bytes} bytes; the worker image takes files up to {IMAGE_FILE_BYTES_MAX}")]
    TooLarge {
        /// File.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// Docker did not take it.
    #[error("Docker did not take the worker image {tag}")]
    Import {
        /// Image.
        tag: String,
        /// Cause.
        #[source]
        source: bollard::errors::Error,
    },
    /// Docker took it and does not show it, or took too long.
    #[error("Docker did not finish the worker image {tag}")]
    Unfinished {
        /// Image.
        tag: String,
    },
}

/// A file as it was when the image was put together.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    source: PathBuf,
    mode: u32,
    bytes: u64,
    modified: SystemTime,
    digest: Digest,
}

/// What is in the image, by path without the leading `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    entries: BTreeMap<PathBuf, Entry>,
    digest: Digest,
}

impl Image {
    /// Finds everything that belongs into the image, and reads it once for its digest. Blocks for as long as reading
    /// the two binaries takes.
    ///
    /// # Errors
    /// See [`ImageError`].
    pub(crate) fn collect(worker: &Path, host: &Path) -> Result<Self, ImageError> {
        let mut sources = BTreeMap::from([
            (PathBuf::from(WORKER_PATH), worker.to_path_buf()),
            (PathBuf::from(HOST_PATH), host.to_path_buf()),
        ]);
        for binary in [worker, host] {
            sources.extend(libraries(binary)?);
        }
        if let Some(authorities) = AUTHORITIES.iter().map(Path::new).find(|path| path.is_file()) {
            sources.insert(AUTHORITIES[0].into(), authorities.into());
        }
        let mut entries = BTreeMap::new();
        for (target, source) in sources {
            let mode = if target.starts_with("/etc") { 0o644 } else { 0o755 };
            let target = target.strip_prefix("/").unwrap_or(&target).to_path_buf();
            entries.insert(target, Entry::read(source, mode)?);
        }
        Ok(Self { digest: digest(&entries), entries })
    }

    /// `vitrine-worker:` and the first digits of the digest of its contents.
    #[must_use]
    pub(crate) fn tag(&self) -> String {
        format!("{REPOSITORY}:{}", self.digest.short())
    }

    /// Size of its files, in bytes.
    #[must_use]
    pub(crate) fn bytes(&self) -> u64 {
        self.entries.values().map(|entry| entry.bytes).sum()
    }

    /// Writes it as a tar archive: the same bytes whenever its contents are the same.
    ///
    /// # Errors
    /// A file that can't be read or is not what it was, or the writer's own.
    pub(crate) fn write(&self, to: impl Write) -> io::Result<()> {
        let mut archive = tar::Builder::new(to);
        let mut folders: BTreeSet<&Path> = FOLDERS.iter().map(Path::new).collect();
        folders.extend(self.entries.keys().map(PathBuf::as_path));
        let parents: BTreeSet<&Path> = folders.iter().flat_map(|path| path.ancestors().skip(1)).collect();
        let own = FOLDERS.iter().map(Path::new);
        let all: BTreeSet<&Path> =
            parents.into_iter().chain(own).filter(|path| *path != Path::new("")).collect();
        for folder in all {
            let mode = if folder == Path::new("tmp") { 0o1777 } else { 0o755 };
            let mut header = header(tar::EntryType::Directory, mode, 0);
            archive.append_data(&mut header, folder, io::empty())?;
        }
        for (path, entry) in &self.entries {
            let file = entry.open()?;
            archive.append_data(&mut header(tar::EntryType::Regular, entry.mode, entry.bytes), path, file)?;
        }
        archive.into_inner()?.flush()
    }

    /// Hands it to Docker unless Docker has it; gives its id there.
    ///
    /// # Errors
    /// See [`ImageError`].
    pub(crate) async fn ensure(self, docker: &Docker) -> Result<String, ImageError> {
        let tag = self.tag();
        if let Some(id) = find(docker, &tag).await? {
            return Ok(id);
        }
        let bound = Duration::from_millis(IMAGE_IMPORT_TIMEOUT_MS);
        match tokio::time::timeout(bound, self.import(docker, &tag)).await {
            Ok(imported) => imported?,
            Err(_) => return Err(ImageError::Unfinished { tag }),
        }
        find(docker, &tag).await?.ok_or(ImageError::Unfinished { tag })
    }

    async fn import(self, docker: &Docker, tag: &str) -> Result<(), ImageError> {
        let (reader, writer) = tokio::io::duplex(IMAGE_PIPE_BYTES);
        let mut writer = SyncIoBridge::new(writer);
        let digest = self.digest.short();
        // A failed write ends the pipe early; Docker then refuses the archive that has no end.
        let writing = tokio::task::spawn_blocking(move || self.write(&mut writer));
        let options = CreateImageOptionsBuilder::default()
            .from_src("-")
            .repo(REPOSITORY)
            .tag(&digest)
            .changes(CONFIGURATION.map(String::from).into_iter().chain([format!("LABEL {LABEL}")]).collect())
            .build();
        let body = bollard::body_try_stream(ReaderStream::with_capacity(reader, IMAGE_PIPE_BYTES / 4));
        let imported = docker.create_image(Some(options), Some(body), None).try_collect::<Vec<_>>().await;
        let written = writing.await.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        let failed = |source| ImageError::Import { tag: tag.into(), source };
        imported.map_err(failed)?;
        written.map_err(|err| failed(err.into()))
    }
}

async fn find(docker: &Docker, tag: &str) -> Result<Option<String>, ImageError> {
    use bollard::errors::Error::DockerResponseServerError;
    match docker.inspect_image(tag).await {
        Ok(image) => Ok(image.id),
        Err(DockerResponseServerError { status_code: 404, .. }) => Ok(None),
        Err(source) => Err(ImageError::Import { tag: tag.into(), source }),
    }
}

impl Entry {
    fn read(source: PathBuf, mode: u32) -> Result<Self, ImageError> {
        let failed = |err| ImageError::Read { path: source.clone(), source: err };
        let mut file = File::open(&source).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let bytes = metadata.len();
        if bytes > IMAGE_FILE_BYTES_MAX {
            return Err(ImageError::TooLarge { path: source, bytes });
        }
        let digest = digest_of(&mut file).map_err(failed)?;
        let modified = metadata.modified().map_err(failed)?;
        Ok(Self { mode, bytes, modified, digest, source })
    }

    /// Opens it again, if it is still what was read.
    fn open(&self) -> io::Result<File> {
        let file = File::open(&self.source)?;
        let metadata = file.metadata()?;
        if metadata.len() == self.bytes && metadata.modified()? == self.modified {
            return Ok(file);
        }
        Err(io::Error::other(format!(
            "{} was changed while the worker image was made",
            self.source.display()
        )))
    }
}

fn digest_of(file: &mut File) -> io::Result<Digest> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Digest(hasher.finalize().into())),
            count => hasher.update(&buffer[..count]),
        }
    }
}

fn header(kind: tar::EntryType, mode: u32, bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(bytes);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

fn digest(entries: &BTreeMap<PathBuf, Entry>) -> Digest {
    let mut text = format!("{CONFIGURATION:?}\n{LABEL}\n{FOLDERS:?}\n");
    for (path, entry) in entries {
        text.push_str(&format!("{} {:o} {}\n", path.display(), entry.mode, entry.digest));
    }
    Digest::of(text.as_bytes())
}

/// The libraries of a binary by their path in the image: where the dynamic linker finds them on this host.
fn libraries(binary: &Path) -> Result<BTreeMap<PathBuf, PathBuf>, ImageError> {
    let tree = DependencyAnalyzer::default()
        .analyze(binary)
        .map_err(|source| ImageError::Analyze { path: binary.into(), source })?;
    let mut found: BTreeMap<PathBuf, PathBuf> =
        tree.interpreter.iter().map(|path| (path.into(), path.into())).collect();
    for library in tree.libraries.into_values() {
        match library.realpath {
            Some(real) => found.insert(library.path, real),
            None => return Err(ImageError::Missing { path: binary.into(), library: library.name }),
        };
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Image {
        let own = std::env::current_exe().unwrap();
        Image::collect(Path::new("/bin/cat"), &own).unwrap()
    }

    #[test]
    fn it_holds_both_binaries_and_what_they_link() {
        let image = image();
        let mut archive = Vec::new();
        image.write(&mut archive).unwrap();
        let mut archive = tar::Archive::new(&archive[..]);
        let paths: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        for wanted in ["bin/vitrine", "bin/vitrine-worker", "run/vitrine", "bundle", "tmp"] {
            assert!(paths.iter().any(|path| path.trim_end_matches('/') == wanted), "{wanted} in {paths:?}");
        }
        for wanted in ["/libc.so.6", "/libgcc_s.so.1", "ld-linux"] {
            assert!(paths.iter().any(|path| path.contains(wanted)), "{wanted} in {paths:?}");
        }
        assert!(!paths.iter().any(|path| path.ends_with("/sh")));
    }

    #[test]
    fn the_same_files_make_the_same_image() {
        let (one, two) = (image(), image());
        let (mut first, mut second) = (Vec::new(), Vec::new());
        one.write(&mut first).unwrap();
        two.write(&mut second).unwrap();
        assert!(first == second);
        assert_eq!(one.tag(), two.tag());
        let own = std::env::current_exe().unwrap();
        let other = Image::collect(Path::new("/bin/true"), &own).unwrap();
        assert_ne!(one.tag(), other.tag());
    }

    #[test]
    fn a_binary_that_is_none_or_changes_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("script");
        std::fs::write(&text, "#!/bin/sh\n").unwrap();
        let err = Image::collect(&text, Path::new("/bin/cat")).unwrap_err();
        assert!(err.to_string().contains("script"), "{err}");
        let copy = folder.path().join("copy");
        std::fs::copy("/bin/cat", &copy).unwrap();
        let image = Image::collect(&copy, Path::new("/bin/cat")).unwrap();
        std::fs::write(&copy, "shorter").unwrap();
        let err = image.write(Vec::new()).unwrap_err();
        assert!(err.to_string().contains("was changed"), "{err}");
    }
}
