//! `vitrine config`, and a host with what it prints.

use crate::harness::cli::Cli;
use crate::harness::host::Host;

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
    use std::os::unix::fs::PermissionsExt as _;
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
