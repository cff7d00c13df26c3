//! An admin side that speaks HTTPS alone.

use crate::tls_edge::pem;
use vitrine_test_support::cli::Cli;
use vitrine_test_support::host::Host;

#[test]
fn the_command_line_reaches_it_by_the_authority_that_it_is_told() {
    let toml = format!(
        "[admin_tls]\ncertificate = {:?}\nkey = {:?}\n",
        pem("localhost.pem"),
        pem("localhost.key.pem")
    );
    let host = Host::start_in(Host::configured(&toml), &["--isolation", "process"]);
    let ca = pem("root.pem");
    let ca = ca.to_str().unwrap();
    // On the host's own machine, by the note that it leaves.
    host.cli(&["status"]).env("VITRINE_CA", ca).ok();
    host.cli(&["status"]).fails(3, &["https://localhost:", "certificate", "VITRINE_CA=FILE names"]);
    // From elsewhere, by a URL and a token.
    let url = format!("https://localhost:{}", host.admin.port());
    let named = |token: &str| Cli::new(&["status"]).env("VITRINE_ADMIN", &url).env("VITRINE_TOKEN", token);
    named(&host.token()).env("VITRINE_CA", ca).ok();
    named("vt_wrong").env("VITRINE_CA", ca).fails(1, &["token"]);
    named(&host.token()).env("VITRINE_CA", "nowhere.pem").fails(2, &["VITRINE_CA", "nowhere.pem"]);
    let plain = format!("http://localhost:{}", host.admin.port());
    Cli::new(&["status"])
        .env("VITRINE_ADMIN", &plain)
        .env("VITRINE_TOKEN", "x")
        .fails(3, &["speaks HTTPS alone: use https://localhost:"]);
    // It is handed over as every listener is.
    host.upgrade().ok();
    host.cli(&["status"]).env("VITRINE_CA", ca).ok();
}

#[test]
fn plain_http_to_other_machines_is_warned_of() {
    let folder = Host::folder_anew();
    let host = Host::start_at(
        folder,
        [([127, 0, 0, 1], 0).into(), ([0, 0, 0, 0], 0).into()],
        &["--isolation", "process"],
    );
    let log = host.log();
    assert!(log.contains("[admin_tls]") && log.contains("tokens can be read"), "{log}");
    let quiet = Host::start();
    assert!(!quiet.log().contains("[admin_tls]"));
}

#[test]
fn a_self_made_certificate_works_as_documented_and_one_marked_as_an_authority_is_told() {
    let folder = Host::folder_anew();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let make = |name: &str, further: &[&str]| {
        let (certificate, key) = (at(&format!("{name}.pem")), at(&format!("{name}.key.pem")));
        let mut openssl = std::process::Command::new("openssl");
        openssl.args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ]);
        openssl.args(["-addext", "subjectAltName=DNS:localhost", "-keyout", &key, "-out", &certificate]);
        assert!(openssl.args(further).output().unwrap().status.success());
        (
            certificate,
            format!("[admin_tls]\ncertificate = {:?}\nkey = {:?}\n", at(&format!("{name}.pem")), key),
        )
    };
    let (plain, plain_toml) = make("plain", &[]);
    let (leaf, leaf_toml) = make("leaf", &["-addext", "basicConstraints=critical,CA:FALSE"]);
    let host = Host::start_in(Host::configured(&plain_toml), &["--isolation", "process"]);
    host.cli(&["status"])
        .env("VITRINE_CA", &plain)
        .fails(3, &["-addext basicConstraints=critical,CA:FALSE", "docs/production.md"]);
    let host = Host::start_in(Host::configured(&leaf_toml), &["--isolation", "process"]);
    host.cli(&["status"]).env("VITRINE_CA", &leaf).ok();
    let manual = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/production.md")).unwrap();
    assert!(manual.contains("-addext basicConstraints=critical,CA:FALSE"));
}
