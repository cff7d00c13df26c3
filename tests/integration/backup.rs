//! A host saved while it serves, and another one made of what was saved.

use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use vitrine_test_support::archive::{bundle_dir, fixture};
use vitrine_test_support::cli::Cli;
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

const PROCESS: [&str; 2] = ["--isolation", "process"];
const PATIENCE: Duration = Duration::from_secs(30);
const SECRET: &str = "s3cr3t-Hn4kT9-backup";

/// A host with two releases of an app that shows its environment, a secret and a token; gives the token.
fn saved_host() -> (Host, String) {
    let host = Host::start_with(&PROCESS);
    host.deploy_folder("shop", &fixture("env-echo"), &["--version", "v1"]);
    host.cli(&["env", "set", "shop", "SECRET", "--secret"]).stdin(SECRET).ok();
    let large = "x".repeat(200_000);
    host.deploy_files(
        "blog",
        &[("server/index.js", &vitrine_test_support::archive::hello("one")), ("client/large.txt", &large)],
        &["--version", "v1"],
    );
    host.deploy("blog", "two", &["--version", "v2"]);
    let token = host.cli(&["token", "create", "ci", "--app", "*", "--verb", "read"]).ok().stdout;
    (host, token.trim().to_owned())
}

/// Makes a data folder for [`Host::start_in`] of a backup that shows so much.
fn restored(file: &Path, proof: &[&str]) -> (TempDir, String) {
    let folder = Host::folder_anew();
    let ran = restore(file, &folder.path().join("data"), proof).ok();
    (folder, ran.stderr)
}

fn restore(file: &Path, data: &Path, proof: &[&str]) -> Cli {
    let args = ["restore", "--from", file.to_str().unwrap(), "--data", data.to_str().unwrap()];
    Cli::new(&[&args[..], proof].concat())
}

/// An archive as someone makes it of another one who can write files and has no key: with a change in its database or a file more,
/// and a manifest that fits.
fn forged(file: &Path, sql: &str, more: Option<&str>) -> PathBuf {
    let mut from = tar::Archive::new(zstd::Decoder::new(fs::File::open(file).unwrap()).unwrap());
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for entry in from.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        files.push((entry.path().unwrap().to_str().unwrap().to_owned(), content));
    }
    let database = file.with_extension("db");
    let place = files.iter().position(|(name, _)| name == "vitrine.db").unwrap();
    fs::write(&database, &files[place].1).unwrap();
    rusqlite::Connection::open(&database).unwrap().execute_batch(sql).unwrap();
    files[place].1 = fs::read(&database).unwrap();
    let at = files.iter().position(|(name, _)| name == "backup.json").unwrap();
    let mut manifest: serde_json::Value = serde_json::from_slice(&files[at].1).unwrap();
    let digest = |content: &[u8]| hex::encode(Sha256::digest(content));
    manifest["files"]["vitrine.db"] = digest(&files[place].1).into();
    if let Some(name) = more {
        manifest["files"][name] = digest(b"more").into();
        files.insert(0, (name.to_owned(), b"more".to_vec()));
    }
    files.iter_mut().find(|(name, _)| name == "backup.json").unwrap().1 =
        serde_json::to_vec(&manifest).unwrap();
    let to = file.with_extension("forged");
    let mut archive = tar::Builder::new(zstd::Encoder::new(fs::File::create(&to).unwrap(), 1).unwrap());
    for (name, content) in &files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        archive.append_data(&mut header, name, &content[..]).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap();
    to
}

fn secret_of(host: &Host) -> serde_json::Value {
    host.get("shop", "/").send().json()["env"]["SECRET"].clone()
}

/// Names in a folder.
fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// How far the backups came, by the audit log.
fn recorded(host: &Host) -> Vec<String> {
    let all = host.cli(&["audit", "list", "--json"]).ok().json();
    let backups = all.as_array().unwrap().iter().filter(|record| record["what"] == "backup");
    backups.map(|record| record["result"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_host_that_is_restored_serves_what_the_other_one_served() {
    let (host, token) = saved_host();
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("saved.tar.zst");
    let name = file.to_str().unwrap();
    let told = host.cli(&["backup", name, "--json"]).ok().json();
    assert_eq!(recorded(&host), ["begun", "done"]);
    assert_eq!(
        (&told["apps"], &told["with_key"], &told["missing"]),
        (&2.into(), &false.into(), &serde_json::json!([]))
    );
    let key = told["key"].as_str().unwrap();
    assert_eq!(names(scratch.path()), ["saved.tar.zst"]);
    host.cli(&["backup", name]).fails(1, &["exists"]);
    host.cli(&["backup", scratch.path().join("b").to_str().unwrap()])
        .env("VITRINE_TOKEN", &token)
        .fails(1, &["host's own token"]);
    assert_eq!(names(scratch.path()), ["saved.tar.zst"]);
    // Beside the host that it was made of.
    let key_file = host.data().join("vitrine.key");
    let (folder, said) = restored(&file, &["--key-file", key_file.to_str().unwrap()]);
    assert!(said.contains("is as a host saved it"), "{said}");
    assert!(said.contains(key) && said.contains("vitrine.key"), "{said}");
    let data = folder.path().join("data");
    let folder = Host::try_start(folder, &PROCESS, &[]).map(|_| "it starts without its key").unwrap_err();
    let log = fs::read_to_string(folder.path().join("host.log")).unwrap();
    assert!(log.contains(key) && log.contains("vitrine.key"), "{log}");
    fs::copy(host.data().join("vitrine.key"), data.join("vitrine.key")).unwrap();
    let again = Host::start_in(folder, &PROCESS);
    assert_eq!(secret_of(&again), SECRET);
    assert_eq!(again.get("blog", "/").send().text(), "two");
    assert_eq!(again.releases("blog").len(), 2);
    again.cli(&["rollback", "blog"]).ok();
    assert_eq!(again.get("blog", "/").send().text(), "one");
    assert_eq!(again.get("blog", "/large.txt").send().text().len(), 200_000);
    assert_ne!(again.token(), host.token());
    again.cli(&["status"]).env("VITRINE_TOKEN", &token).ok();
    again.cli(&["audit", "verify"]).ok();
    assert_eq!(
        (secret_of(&host), host.get("blog", "/").send().text().to_owned()),
        (SECRET.into(), "two".into())
    );
}

#[test]
fn with_its_key_a_backup_is_all_that_a_host_needs() {
    let (host, _) = saved_host();
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("saved.tar.zst");
    let ran = host.cli(&["backup", file.to_str().unwrap(), "--with-key"]).ok();
    assert!(ran.stdout.contains("that key is in it"), "{ran:?}");
    drop(host);
    let (folder, said) = restored(&file, &["--unauthenticated"]);
    assert!(said.contains("not authenticated"), "{said}");
    let again = Host::start_in(folder, &PROCESS);
    assert_eq!(secret_of(&again), SECRET);
    // Into a folder that is in use it is refused.
    let data = again.data();
    restore(&file, &data, &["--unauthenticated"]).fails(1, &["not empty"]);
    assert_eq!(secret_of(&again), SECRET);
}

#[test]
fn a_backup_that_is_interrupted_or_broken_off_leaves_no_file() {
    let rig = tempfile::tempdir().unwrap();
    let wish = rig.path().join("wish");
    let environment =
        [("FAILPOINT_FILE", wish.to_str().unwrap()), ("FAILPOINTS", "backup.write=1*off->return(error)")];
    let host = Host::start_with_environment(Host::folder_anew(), &PROCESS, &environment);
    host.deploy("shop", "one", &["--version", "v1"]);
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("saved.tar.zst");
    let args = ["backup", file.to_str().unwrap()];
    let refused = || {
        let other = scratch.path().join("other");
        host.cli(&["backup", other.to_str().unwrap()]).fails(1, &["another backup"]);
    };
    fs::write(&wish, "backup.copied hold").unwrap();
    let passed = wish.with_extension("passed");
    let is_held = || fs::read_to_string(&passed).unwrap().contains("backup.copied").then_some(());
    let ran = host.cli(&args).interrupted_when(|| {
        wait_until("the picture is taken", PATIENCE, is_held);
        refused();
    });
    assert_eq!((ran.code, names(scratch.path())), (130, vec![]), "{ran:?}");
    // The copy goes on without its reader, and is still the only one.
    refused();
    fs::write(&wish, "").unwrap();
    let broken_off = || {
        let ran = host.cli(&args).run();
        assert_eq!((ran.code, names(scratch.path())), (1, vec![]), "{ran:?}");
        ran.stderr.contains("broke the backup off").then_some(())
    };
    wait_until("the first one is given up", PATIENCE, broken_off);
    let is_empty = || names(&host.data().join("staging")).is_empty().then_some(());
    wait_until("nothing is left of either", PATIENCE, is_empty);
    let recorded = recorded(&host);
    assert!(recorded.len() > 1 && recorded.iter().all(|came| came == "begun"), "none is done: {recorded:?}");
}

#[test]
fn what_is_no_backup_makes_no_folder() {
    let scratch = bundle_dir(&[("saved.tar.zst", "no archive")]);
    let data = scratch.path().join("data");
    let restore = |name: &str, proof: &[&str]| restore(&scratch.path().join(name), &data, proof);
    restore("saved.tar.zst", &["--unauthenticated"]).fails(1, &["no whole backup"]);
    restore("nowhere", &["--unauthenticated"]).fails(1, &["nowhere"]);
    restore("saved.tar.zst", &[]).fails(2, &["--key-file FILE", "--unauthenticated"]);
    restore("saved.tar.zst", &["--key-file", "no-key"]).fails(1, &["no-key"]);
    assert_eq!(names(scratch.path()), ["saved.tar.zst"]);
}

#[test]
fn what_someone_put_into_a_backup_is_not_restored_unseen() {
    let host = Host::start_with(&PROCESS);
    host.deploy("shop", "one", &["--version", "v1"]);
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("saved.tar.zst");
    host.cli(&["backup", file.to_str().unwrap(), "--with-key"]).ok();
    let key_file = host.data().join("vitrine.key");
    let proof = ["--key-file", key_file.to_str().unwrap()];
    let data = scratch.path().join("data");
    let token = format!(
        "INSERT INTO tokens VALUES ('planted', '{}', '*', '*', 1, NULL)",
        hex::encode(Sha256::digest("vit_planted"))
    );
    let planted = forged(&file, &token, None);
    restore(&planted, &data, &proof).fails(1, &["changed after a host had saved it"]);
    // Whoever asks for no proof has it restored, and is told.
    let told = restore(&planted, &data, &["--unauthenticated", "--json"]).ok();
    assert_eq!(told.json()["authenticated"], false);
    fs::remove_dir_all(&data).unwrap();
    // What is no backup's is refused all the same.
    let trigger = "CREATE TRIGGER evil AFTER INSERT ON apps BEGIN DELETE FROM tokens; END";
    restore(&forged(&file, trigger, None), &data, &["--unauthenticated"])
        .fails(1, &["evil", "none that Vitrine makes"]);
    restore(&forged(&file, "", Some("admin.token")), &data, &["--unauthenticated"])
        .fails(1, &["admin.token"]);
    assert!(!data.exists());
    let told = restore(&file, &data, &[&proof[..], &["--json"]].concat()).ok();
    assert_eq!(told.json()["authenticated"], true);
}
