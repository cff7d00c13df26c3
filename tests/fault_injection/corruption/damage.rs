//! Files that were changed while the host was down.
//!
//! What is promised: a database whose form is damaged, or whose rows do not fit each other, is refused, named and left as it is. A log that
//! was cut or changed gives a state that was acknowledged once: its pages are checked one by one, up to the first that is not
//! what was written. That acknowledged changes behind it are lost, nobody can know. A value changed within a row of the
//! database (SQLite keeps no checksum of pages) shows only where something else has to fit it; such seeds are counted.

use super::{PROCESS, page, two_releases};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use vitrine_core::id::{Digest, ReleaseId};
use vitrine_store::{PromotionKind, ReleaseRecord, ReleaseState, Store, StoreError};
use vitrine_test_support::host::Host;

/// Damaged copies of a database that a quick run opens, and a long one.
const QUICK_SEEDS: u64 = 150;
const LONG_SEEDS: u64 = 5_000;
/// Changes that lie in the log.
const CHANGES: u64 = 24;

/// Everything that a start reads to know what to serve.
fn state_of(store: &Store) -> Result<String, StoreError> {
    let mut told = String::new();
    for app in store.apps()? {
        told += &format!(
            "{app} {:?} {:?} {:?}\n",
            store.live(&app)?,
            store.releases(&app)?,
            store.history(&app)?
        );
    }
    Ok(told)
}

fn release(version: &str) -> ReleaseId {
    format!("shop@{version}").parse().unwrap()
}

fn fill(store: &Store) {
    for version in ["v1", "v2", "v3"] {
        let record = ReleaseRecord {
            id: release(version),
            digest: Digest::of(version.as_bytes()),
            config_revision: 0,
            env_scope: vitrine_store::EnvScope::Production,
            preview: None,
            expires_ms: None,
            created_ms: 1,
            promoted_ms: None,
            rolled_back: false,
            spec_hash: Digest::of(b"spec"),
            state: ReleaseState::Ready,
        };
        store.insert_release(&record).unwrap();
        store.record_promotion(&record.id, PromotionKind::Promote, 2, None).unwrap();
    }
    // An archive: a database of nothing beside it is no first start.
    fs::write(store.layout().blobs().join(Digest::of(b"v1").to_string()), "archive").unwrap();
}

/// Damages these bytes in some way; which.
fn wound(bytes: &mut Vec<u8>, random: &mut StdRng) -> &'static str {
    let at = random.random_range(0..bytes.len());
    match random.random_range(0..5) {
        0 => {
            bytes.truncate(if random.random_bool(0.1) { 0 } else { at });
            "cut"
        }
        1 => {
            let at = random.random_range(0..100.min(bytes.len()));
            bytes[at] ^= random.random_range(1..=u8::MAX);
            "header"
        }
        2 => {
            let end = bytes.len().min(at + 512);
            random.fill(&mut bytes[at..end]);
            "sector"
        }
        3 => {
            let names: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"shop")).collect();
            bytes[names[random.random_range(0..names.len())]] ^= 1 << random.random_range(0..8);
            "name"
        }
        _ => {
            bytes[at] ^= 1 << random.random_range(0..8);
            "bit"
        }
    }
}

/// Opens damaged copies of a database; how many came to which end, and what must not be.
fn open_damaged(seeds: u64) -> (BTreeMap<String, usize>, Vec<String>) {
    let whole = tempfile::tempdir().unwrap();
    let store = Store::open(whole.path()).unwrap();
    fill(&store);
    let state = state_of(&store).unwrap();
    drop(store);
    let database = fs::read(whole.path().join("vitrine.db")).unwrap();
    let (mut ends, mut faults) = (BTreeMap::new(), Vec::new());
    let folder = tempfile::tempdir().unwrap();
    // Its values are of no use without their key.
    fs::copy(whole.path().join("vitrine.key"), folder.path().join("vitrine.key")).unwrap();
    fs::create_dir(folder.path().join("blobs")).unwrap();
    fs::write(folder.path().join("blobs").join(Digest::of(b"v1").to_string()), "archive").unwrap();
    for seed in 0..seeds {
        let mut bytes = database.clone();
        let how = wound(&mut bytes, &mut StdRng::seed_from_u64(seed));
        let path = folder.path().join("vitrine.db");
        for name in ["vitrine.db-wal", "vitrine.db-shm"] {
            let _ = fs::remove_file(folder.path().join(name));
        }
        fs::write(&path, &bytes).unwrap();
        let end = match Store::open(folder.path()).and_then(|store| state_of(&store)) {
            Ok(found) if found == state => "as before",
            Ok(found) if found.starts_with("shop Some(") => "another value",
            Ok(found) => {
                faults.push(format!("seed {seed} ({how}): serves nothing of what was recorded: {found:?}"));
                "nothing"
            }
            Err(error) => {
                if !error.to_string().contains("vitrine.db") {
                    faults.push(format!("seed {seed} ({how}): does not name the file: {error}"));
                }
                "refused"
            }
        };
        *ends.entry(format!("{how} {end}")).or_default() += 1;
    }
    (ends, faults)
}

fn damaged_databases(seeds: u64) {
    let (ends, faults) = open_damaged(seeds);
    println!("{seeds} damaged databases: {ends:?}, {} faults", faults.len());
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(ends.keys().any(|end| end.ends_with("refused")), "{ends:?}");
}

#[test]
fn a_damaged_database_is_refused_by_name_or_has_what_was_recorded() {
    damaged_databases(QUICK_SEEDS);
}

#[test]
#[ignore = "minutes: many thousand databases"]
fn damaged_databases_many_times() {
    damaged_databases(LONG_SEEDS);
}

/// Whether this log (cut or changed) behind this database gives one of these states; which.
fn state_behind(database: &Path, log: &[u8], states: &[String]) -> Result<usize, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(database, folder.path().join("vitrine.db")).unwrap();
    fs::copy(database.with_file_name("vitrine.key"), folder.path().join("vitrine.key")).unwrap();
    fs::write(folder.path().join("vitrine.db-wal"), log).unwrap();
    let found =
        Store::open(folder.path()).and_then(|store| state_of(&store)).map_err(|error| error.to_string())?;
    states.iter().position(|state| *state == found).ok_or(found)
}

#[test]
fn a_torn_or_damaged_log_gives_a_state_that_was_acknowledged_once() {
    let folder = tempfile::tempdir().unwrap();
    fill(&Store::open(folder.path()).unwrap());
    let store = Store::open(folder.path()).unwrap();
    let mut states = vec![state_of(&store).unwrap()];
    for change in 0..CHANGES {
        let to = release(["v1", "v2", "v3"][change as usize % 3]);
        store.record_promotion(&to, PromotionKind::Promote, 3 + change, None).unwrap();
        states.push(state_of(&store).unwrap());
    }
    // As a kill leaves them: nothing is written back.
    let left = tempfile::tempdir().unwrap();
    for name in ["vitrine.db", "vitrine.db-wal", "vitrine.key"] {
        fs::copy(folder.path().join(name), left.path().join(name)).unwrap();
    }
    drop(store);
    let (database, log) =
        (left.path().join("vitrine.db"), fs::read(left.path().join("vitrine.db-wal")).unwrap());
    assert_eq!(state_behind(&database, &log, &states), Ok(states.len() - 1), "whole, it has everything");
    let mut last = 0;
    let mut seen = vec![0; states.len()];
    for bytes in (0..log.len()).step_by(1_500) {
        let at = state_behind(&database, &log[..bytes], &states);
        let at = at.unwrap_or_else(|found| panic!("cut at {bytes}: never was acknowledged: {found}"));
        assert!(at >= last, "cut at {bytes}: less than a shorter log gave");
        (last, seen[at]) = (at, seen[at] + 1);
    }
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..60 {
        let (mut changed, at) = (log.clone(), random.random_range(0..log.len()));
        changed[at] ^= 1 << random.random_range(0..8);
        let found = state_behind(&database, &changed, &states);
        seen[found.unwrap_or_else(|found| panic!("changed at {at}: never was acknowledged: {found}"))] += 1;
    }
    let reached = seen.iter().filter(|count| **count > 0).count();
    println!("{} torn and damaged logs: {reached} of {} states", seen.iter().sum::<usize>(), states.len());
    assert!(reached > states.len() / 2, "{seen:?}");
}

/// What a host says that does not start on this, or what users of one that does start get. Neither removes a bundle.
fn start_on(damage: impl FnOnce(&Path), failpoints: &str) -> Result<String, String> {
    let folder = two_releases();
    let data = folder.path().join("data");
    damage(&data);
    fs::remove_file(folder.path().join("host.log")).unwrap();
    let folder = Host::try_start(folder, &PROCESS, &[("FAILPOINTS", failpoints)])
        .map_or_else(Ok, |host| Err(page(&host)))?;
    for name in ["bundles", "blobs"] {
        assert_eq!(fs::read_dir(data.join(name)).unwrap().count(), 2, "{name} are somebody's");
    }
    Ok(fs::read_to_string(folder.path().join("host.log")).unwrap())
}

fn refusal_of(damage: impl FnOnce(&Path)) -> String {
    start_on(damage, "").unwrap_or_else(|page| panic!("it starts, and users get {page}"))
}

/// As a bit that changed in the name of the app.
fn rename_app(data: &Path) {
    let database = Connection::open(data.join("vitrine.db")).unwrap();
    database.execute_batch("PRAGMA foreign_keys = OFF; UPDATE apps SET name = 'shoq'").unwrap();
}

#[test]
fn a_host_that_can_not_read_its_state_says_so_and_removes_nothing() {
    let database = |bytes: Vec<u8>| move |data: &Path| fs::write(data.join("vitrine.db"), bytes).unwrap();
    let said = [vec![0x5a; 8192], Vec::new()].map(|bytes| refusal_of(database(bytes)));
    for said in said.into_iter().chain([refusal_of(rename_app)]) {
        assert!(said.contains("vitrine.db is damaged") && said.contains("backup"), "{said}");
    }
    for text in ["", "vt_0123", "\u{0}\u{1}garbage"] {
        let said = refusal_of(|data| fs::write(data.join("admin.token"), text).unwrap());
        assert!(said.contains("admin.token does not hold a token") && said.contains("remove it"), "{said}");
    }
}

#[test]
fn control_a_host_that_does_not_check_its_state_is_noticed() {
    let page = start_on(rename_app, "store.check=return(skip)").expect_err("it starts on anything");
    assert!(page.starts_with("404"), "{page}");
}
