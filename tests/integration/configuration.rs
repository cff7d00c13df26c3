//! `vitrine config`, and a host with what it prints.

use crate::tls_edge::pem;
use std::fs::{Permissions, create_dir, set_permissions, write};
use std::os::unix::fs::PermissionsExt as _;
use vitrine_test_support::cli::Cli;
use vitrine_test_support::host::Host;

#[test]
fn what_config_prints_can_be_written_to_a_file_and_served() {
    let printed = Cli::new(&["config", "print"]).ok().stdout;
    assert!(printed.contains("# Address of the public side.\nlisten = "), "{printed}");
    let folder = Host::configured(&printed);
    let file = folder.path().join("vitrine.toml");
    let file = file.to_str().unwrap().to_owned();
    let told = Cli::new(&["config", "check", &file]).ok();
    assert!(told.stderr.contains("can be used") && told.stdout.is_empty(), "{told:?}");
    let host = Host::start_in(folder, &["--config", &file, "--isolation", "process"]);
    assert_eq!(host.call("GET", "/healthz").send().status, 200);
}

#[test]
fn a_mistake_is_told_as_serve_tells_it() {
    for (toml, place, word) in [
        ("listen = \"127.0.0.1:8080\"\nlimit = 1\n", ":2:1:", "limit"),
        ("[limits]\n\ncpu_ms = 0\n", ":3:10:", "limits.cpu_ms"),
        ("listen = [\n", ":1:", "listen"),
    ] {
        let folder = Host::configured(toml);
        let file = folder.path().join("vitrine.toml");
        let file = file.to_str().unwrap();
        let checked = Cli::new(&["config", "check", file]).fails(1, &[&format!("{file}{place}"), word]);
        let served = Cli::new(&["serve", "--config", file]).fails(1, &[]);
        assert_eq!(checked.stderr, served.stderr);
        assert!(checked.stderr.starts_with(&format!("error: {file}{place}")), "{checked:?}");
        let forgotten = Cli::new(&["key", "forget", "--yes", "--config", file]).fails(1, &[]);
        assert_eq!(checked.stderr, forgotten.stderr);
        let alone = Cli::new(&["solo", "--bundle", "/nope", "--config", file]).fails(1, &[]);
        assert_eq!(checked.stderr, alone.stderr);
    }
    Cli::new(&["config", "check", "/nope.toml"]).fails(1, &["/nope.toml", "No such file"]);
}

#[test]
fn the_help_of_serve_points_there() {
    let help = Cli::new(&["serve", "--help"]).ok().stdout;
    assert!(help.contains("vitrine config print") && help.contains("[limits] cpu_ms wall_ms"), "{help}");
    assert!(help.contains("[health.healthCheck] interval timeout retries startPeriod"), "{help}");
    assert!(!help.contains("Address of the public side.\n"), "{help}");
}

#[test]
fn files_that_serve_refuses_are_refused_by_the_check_too() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let key = "0".repeat(63) + "1";
    std::fs::create_dir(at("data")).unwrap();
    let files = [
        ("password", "a long password 1"),
        ("keys", key.as_str()),
        ("data/admin.token", &format!("vt_{key}")),
    ];
    for (name, text) in files {
        std::fs::write(at(name), text).unwrap();
        std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let toml = format!(
        "data = {:?}\n[secrets]\nkey_file = {:?}\n[previews]\npassword_file = {:?}\n",
        at("data"),
        at("keys"),
        at("password")
    );
    std::fs::write(at("vitrine.toml"), toml).unwrap();
    let file = at("vitrine.toml");
    let check = || Cli::new(&["config", "check", file.to_str().unwrap()]);
    check().ok();
    for (name, _) in files {
        std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(0o644)).unwrap();
        check().fails(1, &[at(name).to_str().unwrap(), "644"]);
        std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    check().ok();
}

#[test]
fn what_serve_would_refuse_is_told_by_the_check_at_once() {
    let folder = Host::configured("");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let configure = |toml: &str| write(at("vitrine.toml"), toml).unwrap();
    let (data, file) = (at("data-to-check"), at("vitrine.toml"));
    let check = || Cli::new(&["config", "check", &file]);
    let addresses = "listen = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n";
    configure(&format!("{addresses}data = {data:?}\n"));
    // One that is missing can be made, and is not.
    let told = check().ok();
    assert!(!told.stderr.contains("warning") && !std::path::Path::new(&data).exists(), "{told:?}");

    create_dir(&data).unwrap();
    set_permissions(&data, Permissions::from_mode(0o777)).unwrap();
    let [certificate, key, none] = [pem("shop.pem"), pem("shop.key.pem"), "/nope.pem".into()];
    configure(&format!(
        "{addresses}data = {data:?}\n[tls]\nlisten = \"127.0.0.1:0\"\ncertificate = {certificate:?}\nkey = {none:?}\n\
         [admin_tls]\ncertificate = {key:?}\nkey = {key:?}\n"
    ));
    let told = check().fails(1, &[&data, "mode 777", "/nope.pem", "No such file", "no BEGIN CERTIFICATE"]);
    let served = Cli::new(&["serve", "--config", &file]).fails(1, &["mode 777"]);
    let refused = served.stderr.trim().rsplit("because: ").next().unwrap();
    assert!(told.stderr.contains(refused), "{refused:?} in {told:?}");

    set_permissions(&data, Permissions::from_mode(0o700)).unwrap();
    write(format!("{data}/vitrine.db"), "SQLite format 3, but not for long ").unwrap();
    check().fails(1, &["vitrine.db"]);
    configure(&format!("{addresses}data = {file:?}\n"));
    check().fails(1, &[&file]);
    configure("listen = \"192.0.2.1:80\"\nadmin = \"127.0.0.1:0\"\n");
    check().fails(1, &["192.0.2.1:80", "--listen"]);
}

#[test]
fn addresses_that_others_use_and_apps_that_are_not_there_are_warned_of() {
    let host = Host::start();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap();
    host.deploy("shop", "one", &["--version", "v1"]);
    let data = host.data();
    let before = files_of(&data);
    let toml = format!(
        "listen = \"{}\"\nadmin = \"{taken}\"\n[[routes]]\nhost = \"a.example\"\napp = \"shop\"\n\
         [apps.shpo.egress]\nallow_private = []\n",
        host.edge
    );
    let folder = Host::configured(&toml);
    let file = folder.path().join("vitrine.toml").display().to_string();
    let args = ["config", "check", &file, "--data", data.to_str().unwrap()];
    let told = Cli::new(&args).ok();
    let warnings: Vec<&str> = told.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert_eq!(warnings.len(), 2, "{told:?}");
    assert!(warnings[0].contains(&format!("`admin` is {taken}")), "the host itself is no other: {told:?}");
    assert!(warnings[1].contains("apps.shpo") && warnings[1].contains("`shop`?"), "{told:?}");
    let told = Cli::new(&[&args[..], &["--json"]].concat()).ok().json();
    assert_eq!(told["warnings"].as_array().unwrap().len(), 2, "{told}");
    // The host serves on, and its folder has no file more.
    assert_eq!(host.get("shop", "/").send().status, 200);
    assert_eq!(files_of(&data), before);
    // Nor has that of a host that has ended.
    let (_folder, _) = host.stop();
    let before = files_of(&data);
    Cli::new(&args).ok();
    assert_eq!(files_of(&data), before);
}

/// Names of the files that a data folder holds itself.
fn files_of(data: &std::path::Path) -> Vec<std::ffi::OsString> {
    let mut names: Vec<_> =
        std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}
