//! Which files a bundle has, and that they can lie beside each other.

use super::BundleError;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashSet};
use vitrine_core::id::Digest;
use vitrine_core::limits::{BUNDLE_BYTES_MAX, BUNDLE_FILES_MAX, BUNDLE_FOLDERS_MAX};

/// One file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileFacts {
    pub digest: Digest,
    pub bytes: u64,
}

/// Files by path, and the folders that they need.
#[derive(Debug, Default)]
pub(super) struct Tree {
    files: BTreeMap<String, FileFacts>,
    folders: HashSet<String>,
    bytes: u64,
}

impl Tree {
    pub(super) const fn files(&self) -> &BTreeMap<String, FileFacts> {
        &self.files
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether a file may be added; gives the folders that it needs and that were not needed before, outermost first.
    pub(super) fn admit(&mut self, path: &str, bytes: u64) -> Result<Vec<String>, BundleError> {
        if self.files.contains_key(path) {
            return Err(BundleError::Duplicate { path: path.into() });
        }
        if self.folders.contains(path) {
            return Err(BundleError::FileAndFolder { path: path.into() });
        }
        if self.files.len() >= BUNDLE_FILES_MAX {
            return Err(BundleError::TooManyFiles { max: BUNDLE_FILES_MAX });
        }
        if bytes > BUNDLE_BYTES_MAX - self.bytes {
            return Err(BundleError::TooLarge { path: path.into(), max_bytes: BUNDLE_BYTES_MAX });
        }
        let parent = path.rfind('/').map_or("", |end| &path[..end]);
        self.admit_folder(parent)
    }

    /// Whether a folder may be there; gives what [`Tree::admit`] gives.
    pub(super) fn admit_folder(&mut self, path: &str) -> Result<Vec<String>, BundleError> {
        let mut added = Vec::new();
        let ends = path.match_indices('/').map(|(end, _)| end);
        for end in ends.chain((!path.is_empty()).then_some(path.len())) {
            let folder = &path[..end];
            if self.files.contains_key(folder) {
                return Err(BundleError::FileAndFolder { path: folder.into() });
            }
            if !self.folders.contains(folder) {
                if self.folders.len() >= BUNDLE_FOLDERS_MAX {
                    return Err(BundleError::TooManyFiles { max: BUNDLE_FILES_MAX });
                }
                self.folders.insert(folder.into());
                added.push(folder.into());
            }
        }
        Ok(added)
    }

    /// Adds a file that was admitted.
    pub(super) fn add(&mut self, path: String, facts: FileFacts) {
        self.bytes += facts.bytes;
        self.files.insert(path, facts);
    }

    /// The bundle's identity: SHA-256 over one line a file, sorted by path as bytes, each the file's SHA-256 in
    /// hexadecimal, two spaces, the path, a line feed. This is what `sha256sum` prints, so a person can check it:
    ///
    /// ```text
    /// cd BUNDLE && find * .[!.]* -type f | LC_ALL=C sort | xargs -d '\n' sha256sum | sha256sum
    /// ```
    pub(super) fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        for (path, facts) in &self.files {
            hash.update(format!("{}  {path}\n", facts.digest));
        }
        Digest(hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(bytes: u64) -> FileFacts {
        FileFacts { digest: Digest::of(b""), bytes }
    }

    #[test]
    fn files_and_folders_keep_apart() {
        let mut tree = Tree::default();
        assert_eq!(tree.admit("a/b/c", 1).unwrap(), ["a", "a/b"]);
        tree.add("a/b/c".into(), facts(1));
        assert!(tree.admit("a/d", 1).unwrap().is_empty());
        assert!(matches!(tree.admit("a/b/c", 1), Err(BundleError::Duplicate { .. })));
        assert!(matches!(tree.admit("a/b", 1), Err(BundleError::FileAndFolder { path }) if path == "a/b"));
        assert!(
            matches!(tree.admit("a/b/c/d", 1), Err(BundleError::FileAndFolder { path }) if path == "a/b/c")
        );
        assert!(matches!(tree.admit_folder("a/b/c"), Err(BundleError::FileAndFolder { .. })));
    }

    #[test]
    fn the_sum_of_sizes_is_bounded_without_overflow() {
        let mut tree = Tree::default();
        tree.admit("a", BUNDLE_BYTES_MAX).unwrap();
        tree.add("a".into(), facts(BUNDLE_BYTES_MAX));
        assert!(tree.admit("empty", 0).is_ok());
        assert!(matches!(tree.admit("b", 1), Err(BundleError::TooLarge { .. })));
        assert!(matches!(tree.admit("b", u64::MAX), Err(BundleError::TooLarge { .. })));
    }

    #[test]
    fn deep_paths_do_not_make_millions_of_folders() {
        let mut tree = Tree::default();
        let deep = "a/".repeat(400);
        let refused = (0..100).find_map(|number| tree.admit(&format!("{number}/{deep}f"), 1).err());
        assert!(matches!(refused, Some(BundleError::TooManyFiles { .. })));
    }

    #[test]
    fn the_digest_is_that_of_sha256sum_lines() {
        let mut tree = Tree::default();
        for (path, content) in [("b.txt", "two\n"), ("a/x", "one\n")] {
            tree.add(path.into(), FileFacts { digest: Digest::of(content.as_bytes()), bytes: 4 });
        }
        // printf 'one\n' >a/x; printf 'two\n' >b.txt; sha256sum a/x b.txt | sha256sum
        let expected = "2a7fce037fc7194feeda622f92e7dbbc315c41590061b252de5ebe6dc1a5177f";
        assert_eq!(tree.digest().to_string(), expected);
    }
}
