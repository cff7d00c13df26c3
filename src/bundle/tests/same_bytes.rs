//! The same files make the same bundle, however they come; damaged ones make none.

use super::*;
use proptest::prelude::*;

fn write_tree(root: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (path, content) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}

#[test]
fn a_folder_is_packed_to_the_same_bytes_and_refused_like_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("dist");
    let long = format!("client/{}/x.js", "d".repeat(200));
    let files = BTreeMap::from([(ENTRY.0.into(), ENTRY.1.to_vec()), (long.clone(), b"x".to_vec())]);
    write_tree(&root, &files);
    let (mut one, mut two) = (Vec::new(), Vec::new());
    pack(&root, &mut one).unwrap();
    pack(&root, &mut two).unwrap();
    assert_eq!(one, two);
    let (_, bundle) = receive_dir(&root, &folder.path().join("staged"), &Kept::default()).unwrap();
    assert_eq!(bundle.digest, digest_dir(&root).unwrap());
    assert!(bundle.contents.contains_key(&long), "a name that tar's header is too short for");

    std::os::unix::fs::symlink("server/index.js", root.join("link")).unwrap();
    assert!(matches!(pack(&root, io::sink()), Err(BundleError::Symlink { path }) if path == "link"));
    assert!(matches!(digest_dir(&root), Err(BundleError::Symlink { .. })));
    assert!(matches!(pack(&folder.path().join("none"), io::sink()), Err(BundleError::Io { .. })));
}

/// One archive of these files, with what a digest must not see drawn from `noise`.
fn archive_of(files: &[(String, Vec<u8>)], noise: u64) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = if noise & 1 == 0 { Header::new_gnu() } else { Header::new_ustar() };
        header.set_size(content.len() as u64);
        header.set_mode(0o600 + (noise % 0o70) as u32);
        header.set_mtime(noise);
        header.set_uid(noise % 1000);
        let name = if noise & 2 == 0 { path.clone() } else { format!("./{path}") };
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, content.as_slice()).unwrap();
    }
    let tar = builder.into_inner().unwrap();
    match noise % 3 {
        0 => tar,
        1 => gzip(&tar[..]),
        _ => zstd::encode_all(&tar[..], 1).unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_digest_sees_paths_and_contents_and_nothing_else(
        files in proptest::collection::btree_map("client/[a-z]{1,8}", proptest::collection::vec(any::<u8>(), 0..200), 1..8),
        noise in any::<[u64; 2]>(),
        changed in any::<proptest::sample::Index>(),
    ) {
        let mut files: BTreeMap<String, Vec<u8>> = files;
        files.insert(ENTRY.0.into(), ENTRY.1.to_vec());
        let mut list: Vec<_> = files.clone().into_iter().collect();
        let one = receive_bytes(&archive_of(&list, noise[0] >> 20)).unwrap();
        list.reverse();
        let two = receive_bytes(&archive_of(&list, noise[1] >> 20)).unwrap();
        prop_assert_eq!(&one, &two);
        let folder = tempfile::tempdir().unwrap();
        write_tree(folder.path(), &files);
        prop_assert_eq!(one.digest, digest_dir(folder.path()).unwrap());

        let at = changed.index(list.len());
        list[at].1.push(b'!');
        let other = receive_bytes(&archive_of(&list, noise[0] >> 20)).unwrap();
        prop_assert_ne!(one.digest, other.digest);
    }

    #[test]
    fn no_archive_however_damaged_escapes_or_leaves_anything(
        at in any::<proptest::sample::Index>(),
        bytes in proptest::collection::vec(any::<u8>(), 1..64),
    ) {
        let mut archive = tar(&[index_js(), file("client/a.txt", &[b'a'; 700]), file("vitrine.json", b"{}")]);
        let start = at.index(archive.len() - bytes.len());
        archive[start..start + bytes.len()].copy_from_slice(&bytes);
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let result = receive(&archive[..], &inner.join("staged"), &Kept::default());
        let around: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        prop_assert_eq!(around, vec![std::ffi::OsString::from("inner")]);
        prop_assert_eq!(inner.join("staged").exists(), result.is_ok());
    }
}
