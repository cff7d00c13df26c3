//! Certificates by ACME at rest.

use super::*;

const VALUE: &[u8] = b"-----BEGIN PRIVATE KEY-----";

fn read(store: &Store) -> Vec<(String, Vec<u8>)> {
    store.acme_records().unwrap()
}

#[test]
fn certificates_outlive_a_restart_and_a_rotation_and_lie_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.keep_acme("a.example", b"old").unwrap();
    store.keep_acme("a.example", VALUE).unwrap();
    store.keep_acme("b.example", b"b").unwrap();
    store.forget_acme("b.example").unwrap();
    let kept = vec![("a.example".to_owned(), VALUE.to_vec())];
    assert_eq!(read(&store), kept);
    store.rotate_key().unwrap();
    assert_eq!(read(&store), kept);
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(read(&store), kept);
    for entry in std::fs::read_dir(folder.path()).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        let bytes = std::fs::read(entry.path()).unwrap();
        assert!(!bytes.windows(VALUE.len()).any(|part| part == VALUE), "{:?}", entry.path());
    }
    // Moved to another name, it is no value there.
    drop(store);
    let connection = rusqlite::Connection::open(folder.path().join("vitrine.db")).unwrap();
    connection.execute("UPDATE acme SET name = 'evil.example'", []).unwrap();
    drop(connection);
    assert_eq!(read(&Store::open(folder.path()).unwrap()), []);
}
