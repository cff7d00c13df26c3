//! Bundles on a disk that fills up, loses them, or has another one under their name.

use super::*;

/// A small file system of its own, when the test may mount one.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(folder: &'a Path) -> Option<Self> {
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=3m,mode=700", "vitrine-test"])
            .arg(folder)
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0).status();
    }
}

#[tokio::test]
async fn a_rollback_is_recorded_on_a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::mount(folder.path()) else {
        eprintln!("SKIPPED: mounting a small disk takes root");
        return;
    };
    let store = Store::open(folder.path()).unwrap();
    for text in ["shop@v1", "shop@v2"] {
        store.insert_release(&record(text, 0)).unwrap();
        store.record_promotion(&id(text), PromotionKind::Promote, 1, None).unwrap();
    }
    let filler = std::fs::File::create(folder.path().join("filler")).unwrap();
    while std::io::Write::write(&mut &filler, &[7; 512]).is_ok_and(|written| written > 0) {}
    assert!(store.layout().reserve().exists());
    // Enough switches that the log must grow.
    for round in 0..40 {
        store.record_promotion(&id("shop@v1"), PromotionKind::Rollback, 100 + round, None).unwrap();
    }
    assert!(!store.layout().reserve().exists(), "its room was needed");
    assert_eq!(store.live(&app("shop")).unwrap(), Some(version("v1")));

    // With the reserve used up, a write that does not fit is refused as what it is, and reading goes on.
    while std::io::Write::write(&mut &filler, &[7; 512]).is_ok_and(|written| written > 0) {}
    let large = "x".repeat(2 << 20);
    let error = store.set_meta("large", &large).unwrap_err();
    assert!(error.is_disk_full(), "{error:?}");
    assert_eq!(store.live(&app("shop")).unwrap(), Some(version("v1")));
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    elsewhere.as_file().set_len(2 << 20).unwrap();
    let error = store.bundles().blobs().put(Digest::of(b"x"), elsewhere.path()).await.unwrap_err();
    assert!(error.is_disk_full(), "{error:?}");
    assert_eq!(entries(&store.layout().blobs()), 0, "not a part of it stays");
    drop(store);
    drop(filler);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.live(&app("shop")).unwrap(), Some(version("v1")), "a host starts on a full disk too");
}

/// A bundle on its way in, from the archive of a folder.
fn staged(store: &Store, script: &str) -> (vitrine_bundle::BundleDir, vitrine_bundle::Bundle) {
    staged_of(store, &[("server/index.js", script), ("client/a.js", &"var a;\n".repeat(400))])
}

fn staged_of(store: &Store, files: &[(&str, &str)]) -> (vitrine_bundle::BundleDir, vitrine_bundle::Bundle) {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let (into, kept) = (store.layout().stage(), store.bundles().kept());
    vitrine_bundle::receive_dir(folder.path(), &into, &kept).unwrap()
}

fn entries(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[tokio::test]
async fn a_bundle_is_installed_once_and_comes_back_from_its_archive() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (dir, bundle) = staged(&store, "one");
    let installed = store.bundles().install(dir, bundle.digest).await.unwrap();
    assert_eq!(installed, store.layout().bundle_dir(bundle.digest));
    assert!(!installed.archive().exists(), "the archive is among the blobs");
    let (again, _) = staged(&store, "one");
    store.bundles().install(again, bundle.digest).await.unwrap();
    assert_eq!(entries(&store.layout().staging()), 0);
    assert_eq!(store.bundles().list().await.unwrap(), vec![bundle.digest]);
    assert_eq!(store.bundles().ensure(bundle.digest).await.unwrap(), (installed.clone(), bundle.clone()));

    // Power was lost before the files reached the disk: one is empty, then all are gone.
    std::fs::write(installed.files().join("server/index.js"), "").unwrap();
    assert_eq!(store.bundles().ensure(bundle.digest).await.unwrap().1, bundle);
    assert_eq!(std::fs::read(installed.files().join("server/index.js")).unwrap(), b"one");
    std::fs::remove_dir_all(&installed.0).unwrap();
    assert_eq!(store.bundles().ensure(bundle.digest).await.unwrap().1, bundle);
    assert!(!installed.archive().exists());
    assert_eq!(entries(&store.layout().staging()), 0);
}

#[tokio::test]
async fn a_bundle_that_is_gone_or_swapped_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (one, two) = (staged(&store, "one"), staged(&store, "two"));
    // The archive of another bundle under this one's name.
    store.bundles().install(two.0, one.1.digest).await.unwrap();
    let error = store.bundles().ensure(one.1.digest).await.unwrap_err();
    assert!(matches!(error, StoreError::Unpack { .. }), "{error:?}");
    assert_eq!(entries(&store.layout().staging()), 1, "only the one that is staged");

    let installed = store.bundles().install(one.0, one.1.digest).await.unwrap();
    store.bundles().remove(one.1.digest).await.unwrap();
    store.bundles().remove(one.1.digest).await.unwrap();
    assert!(!installed.0.exists());
    assert!(store.bundles().list().await.unwrap().is_empty());
    let error = store.bundles().ensure(one.1.digest).await.unwrap_err();
    assert!(matches!(error, StoreError::NoBlob(_)), "{error:?}");
    assert_eq!(entries(&store.layout().staging()), 0);
}

#[tokio::test]
async fn an_archive_that_cannot_be_stored_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (dir, bundle) = staged(&store, "one");
    std::fs::write(dir.archive(), "something lies where the list is to be written").unwrap();
    assert!(store.bundles().install(dir.clone(), bundle.digest).await.is_err());
    assert!(!dir.0.exists() && !store.layout().bundle_dir(bundle.digest).0.exists());
    assert_eq!(
        entries(&store.layout().blobs()) + entries(&store.layout().kept()),
        0,
        "not a part of one either"
    );
}

#[tokio::test]
async fn an_upload_that_fails_leaves_what_another_one_of_the_same_bundle_keeps() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let large = "var large;\n".repeat(20_000);
    let files = [("server/index.js", "one"), ("client/large.js", large.as_str())];
    let (dir, bundle) = staged_of(&store, &files);
    let (also, _) = staged_of(&store, &files);
    let kept = store.layout().kept_dir(bundle.digest);
    // The other one has kept its files and has not written its list: as far as it goes by itself before it waits for a place to write.
    let other = store.bundles().installing(bundle.digest).await;
    let blobs = store.layout().blobs();
    std::fs::remove_dir_all(&blobs).unwrap();
    std::fs::write(&blobs, "").unwrap();
    store.bundles().install(dir, bundle.digest).await.unwrap_err();
    assert!(entries(&kept) > 0, "they are the other one's, too");
    drop(other);
    store.bundles().install(also, bundle.digest).await.unwrap_err();
    assert!(!kept.exists(), "nobody has them any more");
}
