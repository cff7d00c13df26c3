//! Values at rest: nothing that lies on the disk beside the key tells one.

use super::*;
use rusqlite::Connection;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

const VALUE: &str = "s3cr3t-at-rest";
/// Steps of the schema in which values lay in the database as they are.
const PLAIN_STEPS: usize = 10;

fn secret(name: &str, text: &str) -> EnvValue {
    EnvValue { secret: true, ..value(name, text) }
}

/// Files of a data folder that hold a text.
fn holding(folder: &Path, text: &str) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().flatten().filter(|entry| entry.path().is_file());
    let holds = |bytes: Vec<u8>| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    let found = files.filter(|entry| holds(fs::read(entry.path()).unwrap()));
    found.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn edit(folder: &Path, sql: &str) {
    let connection = Connection::open(folder.join("vitrine.db")).unwrap();
    assert!(connection.execute(sql, []).unwrap() > 0, "{sql}");
}

fn edit_whole(folder: &Path, sql: &str) {
    Connection::open(folder.join("vitrine.db")).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn no_file_holds_a_value_not_even_one_that_was_replaced_or_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let shop = app("shop");
    store.set_env(&shop, PRODUCTION, &[secret("KEY", VALUE)]).unwrap();
    store.set_env(&shop, EnvScope::Preview, &[value("PLAIN", VALUE)]).unwrap();
    store.insert_release(&record("shop@v1", 2)).unwrap();
    store.set_env(&shop, PRODUCTION, &[secret("KEY", "another")]).unwrap();
    store.unset_env(&shop, EnvScope::Preview, "PLAIN").unwrap();
    assert_eq!(holding(folder.path(), VALUE), Vec::<String>::new(), "with its log");
    store.release_to_successor().unwrap();
    assert_eq!(holding(folder.path(), VALUE), Vec::<String>::new(), "with the copy for a successor");
    store.reclaim().unwrap();
    assert_eq!(store.env(&shop, 2, EnvScope::Preview).unwrap(), vec![value("PLAIN", VALUE)]);
    // The digest of a request with a value in it, by which a short one could be found.
    let request = Digest::of(VALUE.as_bytes());
    assert_eq!(store.begin_idempotent("k", request, 1).unwrap(), Begun::New);
    assert_eq!(holding(folder.path(), &request.to_string()), Vec::<String>::new());
    let key = fs::metadata(folder.path().join("vitrine.key")).unwrap().permissions().mode();
    assert_eq!(key & 0o777, 0o600);
    assert!(!holding(folder.path(), "PLAIN").is_empty(), "the search finds what is there");
}

#[test]
fn values_of_an_earlier_version_are_encrypted_at_the_first_start_and_leave_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vitrine.db");
    let mut connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    schema::make_earlier(&mut connection, PLAIN_STEPS);
    let filler = "x".repeat(2_000);
    connection
        .execute_batch(&format!(
            "INSERT INTO apps (name, env_revision) VALUES ('shop', 4);
             INSERT INTO env VALUES ('shop', 4, 'production', 'KEY', '{VALUE}', 1, 5);
             INSERT INTO env VALUES ('shop', 4, 'preview', 'KEY', '{VALUE}-of-previews', 0, 6);
             INSERT INTO env VALUES ('shop', 3, 'production', 'OLD', '{VALUE}{filler}', 0, 6);
             DELETE FROM env WHERE revision = 3;"
        ))
        .unwrap();
    drop(connection);
    assert!(!holding(folder.path(), VALUE).is_empty(), "they lie there as they are");
    let store = Store::open(folder.path()).unwrap();
    let read = |store: &Store| {
        let of = |scope| store.env(&app("shop"), 4, scope).unwrap();
        (of(PRODUCTION), of(EnvScope::Preview))
    };
    let production = vec![secret("KEY", VALUE)];
    let preview = vec![EnvValue { updated_ms: 6, ..value("KEY", &format!("{VALUE}-of-previews")) }];
    assert_eq!(read(&store), (production.clone(), preview.clone()));
    assert_eq!(holding(folder.path(), VALUE), Vec::<String>::new());
    assert_eq!(store.meta("scrub").unwrap(), None);
    drop(store);
    assert_eq!(read(&Store::open(folder.path()).unwrap()), (production, preview));
    assert_eq!(holding(folder.path(), VALUE), Vec::<String>::new());
}

#[test]
fn values_of_the_version_before_grants_are_granted_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vitrine.db");
    let mut connection = Connection::open(&path).unwrap();
    schema::make_earlier(&mut connection, 12);
    let rows = "INSERT INTO apps (name, env_revision) VALUES ('shop', 1);
                INSERT INTO env VALUES ('shop', 1, 'preview', 'KEY', CAST('plain' AS BLOB), '', 0, 5)";
    connection.execute_batch(rows).unwrap();
    drop(connection);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.env(&app("shop"), 1, EnvScope::Preview).unwrap(), [value("KEY", "plain")]);
}

#[test]
fn what_a_start_did_not_finish_the_next_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.set_env(&app("shop"), PRODUCTION, &[value("KEY", "x")]).unwrap();
    // As after a kill between the change and the removal of what was there before.
    let filler = format!("{VALUE}{}", "x".repeat(2_000));
    store.set_meta("filler", &filler).unwrap();
    store.set_meta("scrub", "1").unwrap();
    drop(store);
    edit(folder.path(), "DELETE FROM meta WHERE key = 'filler'");
    assert_eq!(holding(folder.path(), VALUE), ["vitrine.db"]);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(holding(folder.path(), VALUE), Vec::<String>::new());
    assert_eq!(store.meta("scrub").unwrap(), None);
}

#[test]
fn a_value_that_was_moved_or_changed_is_refused_and_names_its_place() {
    for change in [
        "UPDATE env SET name = 'OTHER'",
        "UPDATE env SET scope = 'preview'",
        "UPDATE env SET revision = 7",
        "UPDATE env SET secret = 0",
        "UPDATE env SET granted = 1",
        "UPDATE env SET value = randomblob(40)",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.set_env(&app("shop"), PRODUCTION, &[secret("KEY", VALUE)]).unwrap();
        drop(store);
        edit(folder.path(), change);
        let store = Store::open(folder.path()).unwrap();
        let read = [(1, PRODUCTION), (1, EnvScope::Preview), (7, PRODUCTION)]
            .map(|(revision, scope)| store.env(&app("shop"), revision, scope));
        let errors: Vec<String> =
            read.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect();
        assert_eq!(errors.len(), 1, "{change}");
        assert!(errors[0].contains("vitrine.db is damaged") && errors[0].contains("of `shop`"), "{errors:?}");
    }
}

#[test]
fn without_its_key_a_folder_is_refused_and_says_which_one_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let (data, key) = (folder.path().join("data"), folder.path().join("data/vitrine.key"));
    let store = Store::open(&data).unwrap();
    store.set_env(&app("shop"), PRODUCTION, &[secret("KEY", VALUE)]).unwrap();
    drop(store);
    let aside = folder.path().join("aside");
    fs::rename(&key, &aside).unwrap();
    let refused = || Store::open(&data).unwrap_err().to_string();
    let text = refused();
    assert!(text.contains("vitrine.key") && text.contains("no such file"), "{text}");
    assert!(!key.exists(), "no other key is made in its place");
    fs::write(&key, "0".repeat(64)).unwrap();
    assert!(refused().contains("chmod 600"), "it can be read by others");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let other = refused();
    assert!(other.contains("under key") && !other.contains("no such file"), "{other}");
    fs::write(&key, "not a key").unwrap();
    assert!(refused().contains("line 1"));
    // It may lie anywhere.
    let store = Store::open_with(&data, KeySource::File(aside.clone())).unwrap();
    assert_eq!(store.env(&app("shop"), 1, PRODUCTION).unwrap(), vec![secret("KEY", VALUE)]);
    let credential = KeySource::Credential(aside);
    drop(store);
    let store = Store::open_with(&data, credential).unwrap();
    let error = store.rotate_key().unwrap_err().to_string();
    assert!(error.contains("given to the host by the system"), "{error}");
}

#[test]
fn a_rotation_leaves_nothing_under_the_old_key() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("vitrine.key");
    let store = Store::open(folder.path()).unwrap();
    store.set_env(&app("shop"), PRODUCTION, &[secret("KEY", VALUE)]).unwrap();
    let old = fs::read_to_string(&key).unwrap();
    let rotated = store.rotate_key().unwrap();
    assert_ne!(rotated.from, rotated.to);
    let new = fs::read_to_string(&key).unwrap();
    assert!(new.lines().count() == 1 && new != old, "one key, and another");
    assert_eq!(store.env(&app("shop"), 1, PRODUCTION).unwrap(), vec![secret("KEY", VALUE)]);
    store.set_env(&app("shop"), PRODUCTION, &[secret("B", "later")]).unwrap();
    let under_old = "SELECT (SELECT count(*) FROM env WHERE key = ?1) + (SELECT count(*) FROM meta WHERE instr(value, ?1))";
    let count: i64 = store.connection().query_row(under_old, [&rotated.from], |row| row.get(0)).unwrap();
    assert_eq!(count, 0, "the audit log alone names it");
    drop(store);
    assert_eq!(Store::open(folder.path()).unwrap().env(&app("shop"), 2, PRODUCTION).unwrap().len(), 2);
    // One that a kill broke off has both keys in the file; the next start finishes it.
    fs::write(&key, format!("{old}{new}")).unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.env(&app("shop"), 2, PRODUCTION).unwrap().len(), 2);
    drop(store);
    fs::write(&key, &old).unwrap();
    assert_eq!(Store::open(folder.path()).unwrap().env(&app("shop"), 2, PRODUCTION).unwrap().len(), 2);
}

#[test]
fn values_whose_key_is_lost_are_forgotten_only_when_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.set_env(&app("shop"), PRODUCTION, &[secret("KEY", VALUE)]).unwrap();
    store.set_env(&app("shop"), PRODUCTION, &[secret("B", "b")]).unwrap();
    let source = KeySource::default();
    assert!(matches!(Store::forget_lost_values(folder.path(), &source), Err(StoreError::Locked { .. })));
    drop(store);
    assert_eq!(Store::forget_lost_values(folder.path(), &source).unwrap(), 0, "none is lost");
    fs::remove_file(folder.path().join("vitrine.key")).unwrap();
    assert_eq!(Store::forget_lost_values(folder.path(), &source).unwrap(), 2);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.env(&app("shop"), 2, PRODUCTION).unwrap(), vec![]);
    assert_eq!(store.set_env(&app("shop"), PRODUCTION, &[secret("KEY", "anew")]).unwrap(), 3);
    assert!(Store::forget_lost_values(&folder.path().join("nowhere"), &source).is_err());
}

/// The host would go on with a key that lies nowhere, and the next start would have lost every value.
#[test]
fn a_rotation_without_the_key_that_is_in_use_writes_nothing() {
    for (replaced, is_set) in
        [(None, true), (None, false), (Some("5".repeat(64)), true), (Some("5".repeat(64)), false)]
    {
        let folder = tempfile::tempdir().unwrap();
        let (key, aside) = (folder.path().join("vitrine.key"), folder.path().join("aside"));
        let store = Store::open(folder.path()).unwrap();
        if is_set {
            store.set_env(&app("shop"), PRODUCTION, &[secret("KEY", VALUE)]).unwrap();
        }
        fs::rename(&key, &aside).unwrap();
        if let Some(text) = &replaced {
            fs::write(&key, text).unwrap();
            fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        }
        for refused in [store.rotate_key().map(drop), store.picture(true).map(drop)] {
            let is_lacking = matches!(&refused, Err(StoreError::Key(KeyError::Lacking { .. })));
            assert!(is_lacking, "{replaced:?}, {is_set}: {refused:?}");
        }
        assert_eq!(fs::read_to_string(&key).ok(), replaced, "the file is as it was");
        fs::rename(&aside, &key).unwrap();
        store.rotate_key().unwrap();
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.env(&app("shop"), 1, PRODUCTION).unwrap().len(), usize::from(is_set));
    }
}

#[test]
fn a_request_that_comes_again_is_known_after_a_rotation_and_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let request = Digest::of(b"request");
    assert_eq!(store.begin_idempotent("k", request, 1).unwrap(), Begun::New);
    store.finish_idempotent("k", 201, b"{}").unwrap();
    let done = Begun::Done { status: 201, body: b"{}".to_vec() };
    store.rotate_key().unwrap();
    assert_eq!(store.begin_idempotent("k", request, 2).unwrap(), done);
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.begin_idempotent("k", request, 3).unwrap(), done);
    // A key that the operator puts in front of the others, as for a file that the system gives.
    drop(store);
    let key = folder.path().join("vitrine.key");
    let both = format!("{}\n{}", "6".repeat(64), fs::read_to_string(&key).unwrap());
    fs::write(&key, both).unwrap();
    drop(Store::open(folder.path()).unwrap());
    fs::write(&key, "6".repeat(64)).unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.begin_idempotent("k", request, 4).unwrap(), done);
    // Without the key that seals it, requests are recorded under another one, and the host starts all the same.
    drop(store);
    fs::remove_file(&key).unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.begin_idempotent("k2", request, 5).unwrap(), Begun::New);
}

fn recorded(store: &Store) -> Vec<(String, Option<String>)> {
    store.audit(0).unwrap().0.into_iter().map(|record| (record.what, record.detail)).collect()
}

#[test]
fn a_rotation_and_its_record_are_one_change_and_so_are_lost_values_and_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("vitrine.key");
    let store = Store::open(folder.path()).unwrap();
    store.set_env(&app("shop"), PRODUCTION, &[secret("KEY", VALUE)]).unwrap();
    let old = fs::read_to_string(&key).unwrap();
    edit_whole(
        folder.path(),
        "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'full'); END",
    );
    store.rotate_key().unwrap_err();
    assert!(fs::read_to_string(&key).unwrap().contains(&old), "the values are under the old key still");
    assert_eq!(store.env(&app("shop"), 1, PRODUCTION).unwrap(), vec![secret("KEY", VALUE)]);
    drop(store);
    let lost = folder.path().join("lost");
    fs::rename(&key, &lost).unwrap();
    let source = KeySource::default();
    Store::forget_lost_values(folder.path(), &source).unwrap_err();
    edit_whole(folder.path(), "DROP TRIGGER full");
    assert_eq!(Store::forget_lost_values(folder.path(), &source).unwrap(), 1);
    let store = Store::open(folder.path()).unwrap();
    let told = recorded(&store);
    let (what, detail) = told.last().unwrap();
    assert_eq!(what, "key_forget");
    assert!(detail.as_ref().is_some_and(|detail| detail.starts_with("1 values under key ")), "{told:?}");
    let rotated = store.rotate_key().unwrap();
    let detail = Some(format!("from {} to {}", rotated.from, rotated.to));
    assert_eq!(recorded(&store).last().unwrap(), &("key_rotate".to_owned(), detail));
}
