//! Bundles: the fixtures, and archives that no honest tool writes.

use std::io::{Read, Write as _};
use std::path::PathBuf;
use tar::{EntryType, Header};

/// Folder of a fixture bundle.
pub fn fixture(name: &str) -> PathBuf {
    crate::repository().join("tests/fixtures/bundles").join(name)
}

/// A server entry that answers with this text.
pub fn hello(text: &str) -> String {
    format!("export default {{ fetch: () => new Response({text:?}) }};\n")
}

/// A tar archive, entry by entry, with whatever names.
pub struct Archive {
    tar: tar::Builder<Vec<u8>>,
}

impl Archive {
    /// An archive without entries.
    pub fn empty() -> Self {
        Self { tar: tar::Builder::new(Vec::new()) }
    }

    /// An archive that would be a good bundle if nothing else came in.
    pub fn good(text: &str) -> Self {
        Self::empty().file("server/index.js", hello(text).as_bytes())
    }

    /// Adds a file.
    pub fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(EntryType::Regular, name, "", content.len() as u64, content)
    }

    /// Adds a link.
    pub fn link(self, kind: EntryType, name: &str, target: &str) -> Self {
        self.entry(kind, name, target, 0, std::io::empty())
    }

    /// Adds an entry. Names go into the header as they are, below 100 bytes.
    pub fn entry(
        mut self,
        kind: EntryType,
        name: &str,
        target: &str,
        bytes: u64,
        content: impl Read,
    ) -> Self {
        let mut header = Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_gnu_mut().unwrap().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_entry_type(kind);
        header.set_size(bytes);
        header.set_mode(0o644);
        if matches!(kind, EntryType::Char | EntryType::Block) {
            header.set_device_major(1).unwrap();
            header.set_device_minor(3).unwrap();
        }
        header.set_cksum();
        self.tar.append(&header, content).unwrap();
        self
    }

    /// As .tar.zst.
    pub fn zst(self) -> Vec<u8> {
        zstd::encode_all(self.tar.into_inner().unwrap().as_slice(), 1).unwrap()
    }

    /// As .tar.gz.
    pub fn gz(self) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&self.tar.into_inner().unwrap()).unwrap();
        encoder.finish().unwrap()
    }
}

/// A small .tar.zst with one file of `bytes` zeros (whole mebibytes, and more zeros where its end marker should be).
pub fn bomb(bytes: u64) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    let mut header = Header::new_gnu();
    header.set_path("client/zeros.bin").unwrap();
    header.set_size(bytes);
    header.set_mode(0o644);
    header.set_cksum();
    encoder.write_all(header.as_bytes()).unwrap();
    let zeros = vec![0; 1 << 20];
    (0..=bytes >> 20).for_each(|_| encoder.write_all(&zeros).unwrap());
    encoder.finish().unwrap()
}

/// A bundle folder with these files.
pub fn bundle_dir(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    dir
}
