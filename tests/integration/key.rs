//! The key under which values are encrypted: where it lies, what is without it, and another one in its place.

use std::fs;
use vitrine_test_support::archive::fixture;
use vitrine_test_support::cli::Cli;
use vitrine_test_support::host::Host;

const PROCESS: [&str; 2] = ["--isolation", "process"];
const SECRET: &str = "s3cr3t-Jw8pL3-key";

fn with_secret(host: &Host) {
    host.deploy_folder("shop", &fixture("env-echo"), &["--version", "v1"]);
    host.cli(&["env", "set", "shop", "SECRET", "--secret"]).stdin(SECRET).ok();
}

fn secret_of(host: &Host) -> serde_json::Value {
    host.get("shop", "/").send().json()["env"]["SECRET"].clone()
}

#[test]
fn a_key_that_is_gone_lets_no_successor_take_over_and_no_host_start() {
    let host = Host::start_with(&PROCESS);
    with_secret(&host);
    let (key, aside) = (host.data().join("vitrine.key"), host.data().join("aside"));
    fs::rename(&key, &aside).unwrap();
    host.cli(&["upgrade", "--data", host.data().to_str().unwrap()]).fails(1, &["vitrine.key", "under key"]);
    assert_eq!(secret_of(&host), SECRET);
    let (folder, clean) = host.stop();
    assert!(clean);
    let folder = Host::try_start(folder, &PROCESS, &[]).map(|_| "it starts").unwrap_err();
    let log = fs::read_to_string(folder.path().join("host.log")).unwrap();
    assert!(log.contains("vitrine.key") && log.contains("vitrine key forget"), "{log}");
    let data = folder.path().join("data");
    let forget = |yes: &[&str]| {
        let args = [&["key", "forget", "--data", data.to_str().unwrap()], yes].concat();
        vitrine_test_support::cli::Cli::new(&args)
    };
    forget(&[]).fails(2, &["can't be restored", "--yes"]);
    let args = ["key", "forget", "--data", data.to_str().unwrap()];
    let asked = Cli::at_terminal(&args).stdin("n\n").run();
    assert!(asked.code == 1 && asked.stdout.contains("nothing was changed"), "{asked:?}");
    fs::rename(&aside, &key).unwrap();
    assert!(forget(&["--yes"]).ok().stdout.starts_with("0 values"), "none is lost");
    let host = Host::start_in(folder, &PROCESS);
    assert_eq!(secret_of(&host), SECRET);
    // Lost for good: the host starts again without its values.
    let (folder, _) = host.stop();
    fs::remove_file(&key).unwrap();
    assert!(!forget(&["--yes"]).ok().stdout.starts_with("0 values"));
    let host = Host::start_in(folder, &PROCESS);
    assert_eq!(secret_of(&host), serde_json::Value::Null);
    host.cli(&["env", "set", "shop", "SECRET", "--secret"]).stdin(SECRET).ok();
    assert_eq!(secret_of(&host), SECRET);
}

#[test]
fn a_host_takes_its_key_from_where_it_is_told_and_gets_another_one_while_it_serves() {
    let folder = Host::configured("[secrets]\nkey_file = \"elsewhere.key\"\n");
    let key = folder.path().join("elsewhere.key");
    let host = Host::start_in(folder, &PROCESS);
    with_secret(&host);
    assert!(!host.data().join("vitrine.key").exists());
    let before = fs::read_to_string(&key).unwrap();
    let token =
        host.cli(&["token", "create", "all", "--app", "*", "--verb", "read,deploy,promote,env"]).ok().stdout;
    host.cli(&["key", "rotate"]).env("VITRINE_TOKEN", token.trim()).fails(1, &["host's own token"]);
    let told = host.cli(&["key", "rotate", "--json"]).ok().json();
    assert_ne!(told["from"], told["to"]);
    let after = fs::read_to_string(&key).unwrap();
    assert!(after != before && after.trim().len() == 64, "one key, and another");
    host.cli(&["env", "set", "shop", "GREETING"]).stdin("hello").ok();
    assert_eq!(secret_of(&host), SECRET);
    let host = Host::start_in(host.kill(), &PROCESS);
    assert_eq!(secret_of(&host), SECRET);
    let what = host.cli(&["audit", "list", "--json"]).ok().stdout;
    assert!(what.contains("key_rotate"), "{what}");
}

#[test]
fn a_host_takes_its_key_from_what_systemd_gives_it() {
    let folder = Host::folder_anew();
    let credentials = folder.path().join("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::write(credentials.join("vitrine.key"), "5".repeat(64)).unwrap();
    let environment = [("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap())];
    let host = Host::try_start(folder, &PROCESS, &environment).unwrap();
    with_secret(&host);
    assert_eq!(secret_of(&host), SECRET);
    assert!(!host.data().join("vitrine.key").exists());
    host.cli(&["key", "rotate"]).fails(1, &["given to the host by the system"]);
    // A new key in front of the old one: the next start encrypts all values under it.
    fs::write(credentials.join("vitrine.key"), format!("{}\n{}\n", "6".repeat(64), "5".repeat(64))).unwrap();
    host.cli(&["upgrade", "--data", host.data().to_str().unwrap()]).ok();
    let folder = host.kill();
    fs::write(credentials.join("vitrine.key"), "6".repeat(64)).unwrap();
    let host = Host::try_start(folder, &PROCESS, &environment).unwrap();
    assert_eq!(secret_of(&host), SECRET);
}

#[test]
fn a_rotation_that_a_kill_breaks_off_loses_no_value() {
    // The first start makes a key, by the same steps.
    for fault in ["key.rename=1*off->return(kill)", "key.both=return(kill)", "key.resealed=return(kill)"] {
        let host = Host::start_broken(Host::folder_anew(), &PROCESS, fault);
        with_secret(&host);
        let ran = host.cli(&["key", "rotate"]).run();
        assert_ne!(ran.code, 0, "{fault}: {ran:?}");
        let host = Host::start_in(host.kill(), &PROCESS);
        assert_eq!(secret_of(&host), SECRET, "{fault}");
        host.cli(&["key", "rotate"]).ok();
        assert_eq!(secret_of(&host), SECRET, "{fault}");
        let key = fs::read_to_string(host.data().join("vitrine.key")).unwrap();
        assert_eq!(key.lines().count(), 1, "{fault}");
    }
}

/// A rotation drops the old key from the file: without every key in use nothing would open what it had sealed.
#[test]
fn a_rotation_without_the_key_that_values_lie_under_changes_nothing() {
    let host = Host::start_with(&PROCESS);
    with_secret(&host);
    let (key, aside) = (host.data().join("vitrine.key"), host.data().join("aside"));
    fs::rename(&key, &aside).unwrap();
    host.cli(&["key", "rotate"]).fails(1, &["vitrine.key", "under key"]);
    assert!(!key.exists(), "none is made in its place");
    let other = "7".repeat(64) + "\n";
    fs::write(&key, &other).unwrap();
    fs::set_permissions(&key, fs::metadata(&aside).unwrap().permissions()).unwrap();
    host.cli(&["key", "rotate"]).fails(1, &["under key"]);
    assert_eq!(fs::read_to_string(&key).unwrap(), other, "nor is another one changed");
    host.cli(&["env", "set", "shop", "GREETING"]).stdin("hello").ok();
    assert_eq!(secret_of(&host), SECRET);
    fs::rename(&aside, &key).unwrap();
    host.cli(&["key", "rotate"]).ok();
    let host = Host::start_in(host.kill(), &PROCESS);
    assert_eq!(secret_of(&host), SECRET);
}
