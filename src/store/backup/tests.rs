//! A folder to an archive and back, and archives that are none.

use super::*;
use crate::{EnvScope, EnvValue, InstanceRecord, ReleaseRecord, ReleaseState, Store};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use vitrine_core::id::{AppName, InstanceId};

/// Of a file that no other could write.
fn restore(archive: impl std::io::Read, data: &Path) -> Result<Restored, BackupError> {
    super::restore(archive, data, &Proof::None)
}

const VALUE: &str = "s3cr3t-in-a-backup";

/// A store with a value and two releases; the bundle of one has a larger file, and the other's is missing if that is asked for.
fn filled(data: &Path, is_whole: bool) -> Store {
    let store = Store::open(data).unwrap();
    let shop: AppName = "shop".parse().unwrap();
    let value =
        EnvValue { name: "KEY".into(), value: VALUE.into(), secret: true, updated_ms: 5, granted: false };
    store.set_env(&shop, EnvScope::Production, &[value]).unwrap();
    store.set_meta("host_id", "of-this-machine").unwrap();
    for (version, has_bundle) in [("v1", true), ("v2", is_whole)] {
        let digest = Digest::of(version.as_bytes());
        let record = ReleaseRecord {
            id: format!("shop@{version}").parse().unwrap(),
            digest,
            config_revision: 1,
            env_scope: EnvScope::Production,
            preview: None,
            expires_ms: None,
            created_ms: 1,
            promoted_ms: None,
            rolled_back: false,
            spec_hash: Digest::of(b"spec"),
            state: ReleaseState::Ready,
        };
        store.insert_release(&record).unwrap();
        let instance = InstanceRecord {
            id: InstanceId::random(),
            spec_hash: record.spec_hash,
            config_revision: record.config_revision,
            env_scope: record.env_scope,
        };
        store.add_instance(&record.id, &instance).unwrap();
        if has_bundle {
            fs::write(data.join(format!("blobs/{digest}")), format!("list of {version}")).unwrap();
            fs::create_dir(data.join(format!("kept/{digest}"))).unwrap();
            let large = Digest::of(b"large");
            fs::write(data.join(format!("kept/{digest}/{large}")), "large").unwrap();
        }
    }
    store
}

fn archive_of(store: &Store, with_key: bool) -> Vec<u8> {
    let mut archive = Vec::new();
    store.picture(with_key).unwrap().write(&mut archive, 7).unwrap();
    assert_eq!(fs::read_dir(store.layout().staging()).unwrap().count(), 0, "the picture is gone");
    archive
}

fn holds(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return holds(&path, text);
        }
        fs::read(path).unwrap().windows(text.len()).any(|part| part == text.as_bytes())
    })
}

#[test]
fn what_is_restored_is_what_was_backed_up_and_no_part_of_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("new/to"));
    let store = filled(&from, true);
    let archive = archive_of(&store, true);
    let manifest = check(&archive[..]).unwrap();
    assert_eq!((manifest.apps, manifest.releases, manifest.made_ms), (1, 2, 7));
    assert!(manifest.with_key && manifest.missing.is_empty());
    let restored = restore(&archive[..], &to).unwrap();
    assert_eq!((&restored.manifest, &restored.keys), (&manifest, &vec![manifest.key.clone()]));
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(to.join("vitrine.key")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!to.join("admin.token").exists());
    assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 1, "nothing is left beside it");
    let again = Store::open(&to).unwrap();
    let shop = "shop".parse().unwrap();
    assert_eq!(again.env(&shop, 1, EnvScope::Production).unwrap()[0].value, VALUE);
    assert_eq!(again.meta("host_id").unwrap(), None, "beside the other one it would end that one's workers");
    for (old, new) in store.releases(&shop).unwrap().into_iter().zip(again.releases(&shop).unwrap()) {
        assert_eq!(old, new);
        assert_eq!(again.instances(&new.id).unwrap(), [], "they are the other host's");
        let blob = format!("blobs/{}", old.digest);
        assert_eq!(fs::read(from.join(&blob)).unwrap(), fs::read(to.join(&blob)).unwrap());
        let large = format!("kept/{}/{}", old.digest, Digest::of(b"large"));
        assert_eq!(fs::read_to_string(to.join(large)).unwrap(), "large");
    }
    assert!(matches!(restore(&archive[..], &to), Err(BackupError::Exists(_))));
}

/// It may be a mount point: no folder can take its place, and what is beside it may lie on another disk.
#[test]
fn an_empty_folder_is_filled_and_stays_the_same_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("from"), true);
    let archive = archive_of(&store, true);
    let to = folder.path().join("mounted");
    fs::create_dir_all(to.join("lost+found")).unwrap();
    fs::set_permissions(&to, fs::Permissions::from_mode(0o750)).unwrap();
    let identity = || (fs::metadata(&to).unwrap().ino(), fs::metadata(&to).unwrap().mode());
    let names = || {
        let mut names: Vec<_> = fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = identity();
    restore(&archive[..archive.len() / 2], &to).unwrap_err();
    assert_eq!(names(), ["lost+found"], "nothing is left of one that failed");
    restore(&archive[..], &to).unwrap();
    assert_eq!(identity(), before);
    assert_eq!(names(), ["blobs", "kept", "lost+found", "vitrine.db", "vitrine.key"]);
    assert_eq!(
        Store::open(&to).unwrap().env(&"shop".parse().unwrap(), 1, EnvScope::Production).unwrap()[0].value,
        VALUE
    );
    assert!(matches!(restore(&archive[..], &to), Err(BackupError::Exists(_))));
}

#[test]
fn without_the_key_no_value_can_be_read_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let store = filled(&from, true);
    let manifest = restore(&archive_of(&store, false)[..], &to).unwrap().manifest;
    assert!(!manifest.with_key && !to.join("vitrine.key").exists() && !holds(&to, VALUE));
    let refused = Store::open(&to).unwrap_err().to_string();
    assert!(refused.contains(&manifest.key) && refused.contains("vitrine.key"), "{refused}");
    fs::copy(from.join("vitrine.key"), to.join("vitrine.key")).unwrap();
    let shop = "shop".parse().unwrap();
    assert_eq!(Store::open(&to).unwrap().env(&shop, 1, EnvScope::Production).unwrap()[0].value, VALUE);
}

#[test]
fn a_bundle_that_is_gone_is_told_and_the_rest_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("from"), false);
    let manifest = check(&archive_of(&store, false)[..]).unwrap();
    assert_eq!(manifest.missing, [Digest::of(b"v2")]);
    assert!(manifest.files.contains_key(&format!("blobs/{}", Digest::of(b"v1"))));
}

#[test]
fn what_is_cut_off_or_changed_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("from"), true);
    let archive = archive_of(&store, true);
    let to = folder.path().join("new/to");
    let refused = |archive: &[u8]| {
        assert!(check(archive).is_err());
        let error = restore(archive, &to).unwrap_err();
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 0, "{error}");
        error
    };
    for cut in [0, 1, archive.len() / 2, archive.len() - 5] {
        assert!(matches!(refused(&archive[..cut]), BackupError::Broken(_)), "{cut}");
    }
    let mut changed = archive.clone();
    changed[archive.len() / 2] ^= 1;
    refused(&changed);
    refused(b"no archive at all");
}

/// An archive of these files with a manifest that names them all.
fn made_of(files: &[(&str, &str)], format: u32) -> Vec<u8> {
    let mut archive = tar::Builder::new(zstd::Encoder::new(Vec::new(), 1).unwrap());
    let mut add = |name: &str, text: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        // Unlike `append_data`, this takes any name.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_mode(0o600);
        header.set_cksum();
        archive.append(&header, text.as_bytes()).unwrap();
    };
    let named = files.iter().map(|(name, text)| ((*name).to_owned(), Digest::of(text.as_bytes())));
    let manifest = Manifest {
        format,
        vitrine: "9".into(),
        made_ms: 1,
        key: String::new(),
        with_key: false,
        apps: 0,
        releases: 0,
        missing: Vec::new(),
        files: named.collect(),
    };
    files.iter().for_each(|(name, text)| add(name, text));
    add(MANIFEST, &serde_json::to_string(&manifest).unwrap());
    if format > 1 {
        add(CODE, "of another key");
    }
    archive.into_inner().unwrap().finish().unwrap()
}

#[test]
fn only_files_that_a_backup_has_are_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("to");
    let digest = Digest::of(b"x").to_string();
    for name in [
        "../outside",
        "/tmp/outside",
        "admin.token",
        "blobs/../x",
        &format!("kept/{digest}/../../x"),
        "bundles/x",
    ] {
        let error = restore(&made_of(&[(name, "x")], FORMAT)[..], &to).unwrap_err();
        assert!(matches!(&error, BackupError::Strange(strange) if strange == name), "{name}: {error}");
    }
    let twice = made_of(&[("vitrine.db", "x"), ("vitrine.db", "x")], FORMAT);
    assert!(matches!(restore(&twice[..], &to), Err(BackupError::Strange(_))));
    let newer = restore(&made_of(&[], FORMAT + 1)[..], &to).unwrap_err();
    assert!(matches!(newer, BackupError::Newer { .. }), "{newer}");
    let no_database = restore(&made_of(&[], FORMAT)[..], &to).unwrap_err();
    assert!(matches!(no_database, BackupError::Damaged(_)), "{no_database}");
    let damaged = restore(&made_of(&[("vitrine.db", "no database")], FORMAT)[..], &to).unwrap_err();
    assert!(matches!(damaged, BackupError::Store(_)), "{damaged}");
    assert!(!to.exists());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_database_with_a_hand_in_later_statements_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (at, forged) in [
        "CREATE TRIGGER evil AFTER INSERT ON apps BEGIN DELETE FROM tokens; END",
        "CREATE VIEW evil AS SELECT * FROM tokens",
        "CREATE TABLE evil (name TEXT)",
        "DROP INDEX promotions_of_app",
    ]
    .into_iter()
    .enumerate()
    {
        let from = folder.path().join(format!("from{at}"));
        let store = filled(&from, true);
        rusqlite::Connection::open(from.join(DATABASE)).unwrap().execute_batch(forged).unwrap();
        let to = folder.path().join("to");
        let refused = restore(&archive_of(&store, true)[..], &to).unwrap_err();
        assert!(
            matches!(refused, BackupError::Store(crate::StoreError::Corrupt { .. })),
            "{forged}: {refused}"
        );
        assert!(!to.exists());
    }
}

#[test]
fn the_code_of_a_backup_shows_that_it_is_as_its_host_saved_it() {
    let folder = tempfile::tempdir().unwrap();
    let (from, other) = (folder.path().join("from"), folder.path().join("other"));
    let (store, _other) = (filled(&from, true), filled(&other, true));
    let archive = archive_of(&store, true);
    let with = |archive: &[u8], key: &Path| {
        let to = folder.path().join("to");
        let proof = Proof::Keys(HostKeys::read(key).unwrap());
        let restored = super::restore(archive, &to, &proof);
        assert_eq!(to.exists(), restored.is_ok());
        let _ = fs::remove_dir_all(to);
        restored.map(drop)
    };
    let key = from.join("vitrine.key");
    with(&archive, &key).unwrap();
    // The key in the archive itself shows nothing, and what another host has fits no better.
    let not_its = with(&archive, &other.join("vitrine.key"));
    assert!(matches!(not_its, Err(BackupError::OtherKey(_))), "{not_its:?}");
    let no_code = with(&made_of(&[("vitrine.db", "x")], 1), &key);
    assert!(matches!(no_code, Err(BackupError::NoCode)), "{no_code:?}");
    let cut_off = with(&without_code(&archive), &key);
    assert!(matches!(cut_off, Err(BackupError::Broken(_))), "{cut_off:?}");
    assert!(check(&without_code(&archive)[..]).is_err());
    // A key that came later opens nothing earlier, but its file may hold both.
    let saved = fs::read_to_string(&key).unwrap();
    store.rotate_key().unwrap();
    assert!(matches!(with(&archive, &key), Err(BackupError::OtherKey(_))));
    let both = fs::read_to_string(&key).unwrap() + &saved;
    fs::write(&key, both).unwrap();
    with(&archive, &key).unwrap();
    assert!(HostKeys::read(&folder.path().join("nowhere")).is_err());
}

/// The same archive without its last file.
fn without_code(archive: &[u8]) -> Vec<u8> {
    let mut from = tar::Archive::new(zstd::Decoder::new(archive).unwrap());
    let mut to = tar::Builder::new(zstd::Encoder::new(Vec::new(), 1).unwrap());
    for entry in from.entries().unwrap() {
        let entry = entry.unwrap();
        let (mut header, path) = (entry.header().clone(), entry.path().unwrap().into_owned());
        if path != Path::new(CODE) {
            to.append_data(&mut header, path, entry).unwrap();
        }
    }
    to.into_inner().unwrap().finish().unwrap()
}

#[test]
fn a_name_of_any_length_is_not_taken_into_memory() {
    let mut archive = tar::Builder::new(zstd::Encoder::new(Vec::new(), 1).unwrap());
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    archive.append_data(&mut header, "x".repeat(1 << 20), &b""[..]).unwrap();
    let archive = archive.into_inner().unwrap().finish().unwrap();
    let refused = check(&archive[..]).unwrap_err();
    assert!(refused.to_string().contains("a name that is too long"), "{refused}");
}
