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
