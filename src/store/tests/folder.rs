//! The data folder: whose it is, who holds it, and what is refused.

use super::*;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn the_data_folder_is_made_for_its_owner_alone_and_one_that_is_there_keeps_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let made = folder.path().join("made/data");
    drop(Store::open(&made).unwrap());
    assert_eq!(mode(&made), 0o700);
    std::fs::set_permissions(&made, std::fs::Permissions::from_mode(0o750)).unwrap();
    drop(Store::open(&made).unwrap());
    assert_eq!(mode(&made), 0o750);
}

#[test]
fn a_data_folder_that_others_may_write_or_have_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drop(Store::open(&data).unwrap());
    for mode in [0o770, 0o702, 0o1777] {
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(mode)).unwrap();
        let refused = Store::open(&data).unwrap_err();
        assert!(matches!(&refused, StoreError::Exposed { .. }), "{refused}");
        assert!(refused.to_string().contains(&format!("mode {mode:03o}")), "{refused}");
    }
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    drop(Store::open(&data).unwrap());
    if !nix::unistd::geteuid().is_root() {
        println!("SKIPPED: only root can give a folder away");
        return;
    }
    std::os::unix::fs::chown(&data, Some(65_534), None).unwrap();
    let refused = Store::open(&data).unwrap_err();
    assert!(refused.to_string().contains("belongs to user 65534"), "{refused}");
}

#[test]
fn a_folder_in_use_is_refused_and_says_by_whom() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }) && error.to_string().contains("VITRINE_DATA"));
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    let clone = store.clone();
    drop(store);
    assert!(Store::open(folder.path()).is_err(), "a clone holds it too");
    drop(clone);
    Store::open(folder.path()).unwrap();
}

#[test]
fn a_newer_schema_and_a_damaged_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let database = store.layout().database();
    assert_eq!(std::fs::metadata(&database).unwrap().permissions().mode() & 0o777, 0o600);
    store.0.connection.lock().unwrap().execute("INSERT INTO migrations VALUES (99, 0)", []).unwrap();
    drop(store);
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");

    std::fs::write(&database, vec![b'x'; 8192]).unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[test]
fn a_damaged_page_is_found_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for number in 0..200 {
        store.set_meta(&format!("key-{number}"), &"v".repeat(200)).unwrap();
    }
    let database = store.layout().database();
    drop(store);
    let mut bytes = std::fs::read(&database).unwrap();
    let pages = bytes.len() / 4096;
    assert!(pages > 12, "the log was written back when the database was closed");
    for page in 10..pages {
        bytes[page * 4096..page * 4096 + 64].fill(0xff);
    }
    std::fs::write(&database, bytes).unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[test]
fn staging_is_empty_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let left_over = store.layout().stage();
    std::fs::create_dir_all(left_over.join("files")).unwrap();
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert!(!left_over.exists());
    assert!(store.layout().staging().is_dir());
    assert!(store.layout().root().is_absolute());
}
