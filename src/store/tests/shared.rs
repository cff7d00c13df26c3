//! What bundles have in common: it is on the disk once, compressed once, and damage to it stays where it is.

use super::*;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use vitrine_bundle::{Bundle, BundleDir};

/// Text that compresses, and is another one for each number.
fn text(number: usize) -> String {
    (0..2000).map(|line| format!("export const value{line} = {};\n", line * (number + 7) % 1009)).collect()
}

fn files(changed: &str) -> Vec<(String, String)> {
    let mut files: Vec<_> =
        (0..8).map(|number| (format!("client/assets/file{number}.js"), text(number))).collect();
    files.push(("client/assets/changed.js".into(), format!("{}// {changed}", text(100))));
    files.push(("server/index.js".into(), format!("// {changed}")));
    files
}

async fn installed(store: &Store, files: &[(String, String)]) -> (BundleDir, Bundle) {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let (into, kept) = (store.layout().stage(), store.bundles().kept());
    let (dir, bundle) = vitrine_bundle::receive_dir(folder.path(), &into, &kept).unwrap();
    (store.bundles().install(dir, bundle.digest).await.unwrap(), bundle)
}

/// Bytes that the data folder takes, each file once.
fn bytes_on_disk(folder: &Path) -> u64 {
    fn visit(folder: &Path, seen: &mut BTreeMap<u64, u64>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let facts = entry.metadata().unwrap();
            if facts.is_dir() {
                visit(&entry.path(), seen);
            } else {
                seen.insert(facts.ino(), facts.len());
            }
        }
    }
    let mut seen = BTreeMap::new();
    visit(folder, &mut seen);
    seen.values().sum()
}

/// Files that lie among the shared contents.
fn shared(store: &Store) -> BTreeMap<String, PathBuf> {
    let entries = std::fs::read_dir(store.layout().files()).unwrap().flatten();
    entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.path())).collect()
}

fn marker(digest: &str) -> String {
    format!("compressed before: {digest}")
}

/// Puts a text in the place of each kept variant: a bundle that has it did not compress the file. Gives how many files have one.
fn mark_variants(store: &Store) -> usize {
    let records: Vec<_> = shared(store).into_iter().filter(|(name, _)| name.ends_with(".json")).collect();
    for (name, record) in &records {
        let digest = name.trim_end_matches(".json");
        let text = marker(digest);
        let facts = format!(
            r#"{{"encoders":1,"variants":{{"br":[{},"{}"]}}}}"#,
            text.len(),
            Digest::of(text.as_bytes())
        );
        for (place, content) in
            [(record.with_file_name(format!("{digest}.br")), text), (record.clone(), facts)]
        {
            // Bundles have a link to the one that was here.
            std::fs::remove_file(&place).unwrap();
            std::fs::write(place, content).unwrap();
        }
    }
    records.len()
}

fn inode(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().ino()
}

#[tokio::test]
async fn a_bundle_with_one_changed_file_compresses_and_stores_that_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (one, first) = installed(&store, &files("one")).await;
    let disk = bytes_on_disk(folder.path());
    assert_eq!(mark_variants(&store), 9, "each file of the client was compressed");

    let (two, second) = installed(&store, &files("two")).await;
    for (path, digest) in second.contents.iter().filter(|(path, _)| path.starts_with("client/")) {
        let variant = std::fs::read(two.encoded().join(format!("{digest}.br"))).unwrap();
        let was_compressed = variant != marker(&digest.to_string()).as_bytes();
        assert_eq!(was_compressed, path.ends_with("/changed.js"), "{path}");
    }
    for path in first.contents.keys().filter(|path| path.contains("/file")) {
        assert_eq!(inode(&one.files().join(path)), inode(&two.files().join(path)), "{path}");
    }
    let grown = bytes_on_disk(folder.path()) - disk;
    assert!(grown < disk / 5, "{grown} bytes more than {disk}");
    for bundle in [&first, &second] {
        assert_eq!(&store.bundles().ensure(bundle.digest).await.unwrap().1, bundle);
    }
}

#[tokio::test]
async fn what_no_bundle_has_any_more_is_removed_also_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (_, first) = installed(&store, &files("one")).await;
    let (dir, second) = installed(&store, &files("two")).await;
    store.bundles().remove(first.digest).await.unwrap();
    assert_eq!(store.bundles().ensure(second.digest).await.unwrap().1, second);
    let mut expected: Vec<String> = second.contents.values().map(Digest::to_string).collect();
    expected.extend(second.variants.keys().cloned());
    let is_large = |path: &&String| std::fs::metadata(dir.files().join(path)).unwrap().len() >= 4096;
    expected.extend(
        second.contents.keys().filter(is_large).map(|path| format!("{}.kept", second.contents[path])),
    );
    expected.sort();
    assert_eq!(shared(&store).into_keys().collect::<Vec<_>>(), expected);

    // As if the host had died after it removed the folders.
    std::fs::remove_dir_all(&dir.0).unwrap();
    std::fs::remove_dir_all(store.layout().kept_dir(second.digest)).unwrap();
    store.bundles().sweep_shared().await.unwrap();
    assert_eq!(shared(&store).len(), 0);
}

#[tokio::test]
async fn damage_to_a_shared_content_is_found_and_stays_with_the_bundles_that_have_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (one, first) = installed(&store, &files("one")).await;
    let path = "client/assets/file3.js";
    let digest = first.contents[path];
    for name in
        [digest.to_string(), format!("{digest}.br"), format!("{digest}.json"), format!("{digest}.kept")]
    {
        // In place, so that every link to it has the damage.
        let place = store.layout().files().join(&name);
        let mut bytes = std::fs::read(&place).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&place, &bytes).unwrap();
        let (two, second) = installed(&store, &files(&name)).await;
        assert_eq!(store.bundles().ensure(second.digest).await.unwrap().1, second);
        assert_eq!(std::fs::read_to_string(two.files().join(path)).unwrap(), text(3), "{name}");
        std::fs::remove_dir_all(&two.0).unwrap();
        assert_eq!(
            store.bundles().ensure(second.digest).await.unwrap().1,
            second,
            "{name}: what is kept is whole"
        );
        store.bundles().remove(second.digest).await.unwrap();
    }
    // The first bundle's own are the damaged ones: its file comes from what is kept, and that is damaged too.
    let error = store.bundles().ensure(first.digest).await.unwrap_err();
    assert!(format!("{error:?}").contains(path), "{error:?}");
    assert!(one.0.is_dir());
}

#[tokio::test]
async fn a_bundle_of_an_earlier_host_comes_back_from_its_archive() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (dir, bundle) = installed(&store, &files("one")).await;
    let archive = folder.path().join("archive");
    vitrine_bundle::pack(&dir.files(), std::fs::File::create(&archive).unwrap()).unwrap();
    store.bundles().blobs().put(bundle.digest, &archive).await.unwrap();
    for gone in [&dir.0, &store.layout().kept_dir(bundle.digest)] {
        std::fs::remove_dir_all(gone).unwrap();
    }
    assert_eq!(store.bundles().ensure(bundle.digest).await.unwrap().1, bundle);
}
