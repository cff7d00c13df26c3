//! Several hosts of one user on one machine: which one a command is about.

use serde_json::json;
use std::fs::File;
use std::path::Path;
use std::time::SystemTime;
use vitrine_test_support::archive::bundle_dir;
use vitrine_test_support::cli::Cli;
use vitrine_test_support::host::Host;

const APP: (&str, &str) = ("server/index.js", "export default () => new Response('hi');");

#[test]
fn the_newest_host_is_meant_and_named_and_notes_of_dead_ones_go() {
    let host = Host::start();
    let folder = host.data().parent().unwrap().join("vitrine");
    let leave = |port: u16, pid: u32| {
        let path = folder.join(format!("host-{port}.json"));
        let note = json!({"admin": format!("127.0.0.1:{port}"), "token_file": "/nowhere", "pid": pid});
        std::fs::write(&path, note.to_string()).unwrap();
        File::open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        path
    };
    assert_eq!(host.cli(&["status"]).ok().stderr, "");
    // No process has this id: it is above the kernel's largest.
    let dead = leave(1, 1 << 23);
    assert_eq!(host.cli(&["status"]).ok().stderr, "");
    assert!(!dead.exists());
    // This test is a process that lives.
    leave(2, std::process::id());
    let told = host.cli(&["status"]).ok().stderr;
    assert!(told.contains("2 hosts run here") && told.contains(&format!("http://{}", host.admin)), "{told}");
    let named = host.cli(&["status"]).env("VITRINE_ADMIN", &format!("http://{}", host.admin));
    assert_eq!(named.ok().stderr, "");
    // An upgrade changes something: it is never that of a host which was not named.
    host.cli(&["upgrade"]).fails(2, &["2 hosts run here", "--host"]);
    host.cli(&["upgrade", "--host", host.data().to_str().unwrap()]).ok();
    host.upgrade().ok();
    let edge = host.cli(&["status"]).env("VITRINE_ADMIN", &format!("http://{}", host.edge));
    edge.fails(1, &["admin side", "`admin=`"]);
}

/// A second host that the same user runs.
fn beside(host: &Host) -> Host {
    let runtime = host.data().parent().unwrap().to_owned();
    let environment = [("XDG_RUNTIME_DIR", runtime.to_str().unwrap())];
    Host::try_start(Host::folder_anew(), &["--isolation", "process"], &environment)
        .unwrap_or_else(|folder| panic!("no `ready` in {}", folder.path().display()))
}

#[test]
fn no_command_changes_a_host_by_a_guess() {
    let one = Host::start();
    let other = beside(&one);
    let bundle = bundle_dir(&[APP]);
    let bundle = bundle.path().to_str().unwrap();
    let both = |host: &Host| [format!("http://{}", host.admin), host.data().display().to_string()];
    let [[one_url, one_data], [other_url, other_data]] = [both(&one), both(&other)];
    let changing: [&[&str]; 11] = [
        &["deploy", "shop", bundle],
        &["promote", "shop", "v1"],
        &["rollback", "shop"],
        &["remove", "shop@v1"],
        &["remove", "shop", "--yes"],
        &["restore", "shop"],
        &["env", "set", "shop", "NAME"],
        &["env", "unset", "shop", "NAME"],
        &["token", "create", "ci", "--app", "*", "--verb", "*"],
        &["token", "revoke", "ci"],
        &["upgrade"],
    ];
    for args in changing {
        let ran = one.cli(args).stdin("value").fails(2, &["2 hosts run here", "--host", "since 20"]);
        for word in [&one_url, &one_data, &other_url, &other_data] {
            assert!(ran.stderr.contains(word.as_str()), "{args:?}: no `{word}` in {}", ran.stderr);
        }
    }
    for host in [&one, &other] {
        assert_eq!(host.call("GET", "/v1/apps").send().json(), json!([]), "it was changed");
        assert_eq!(host.call("GET", "/v1/tokens").send().json(), json!([]), "it was changed");
    }

    // Each way to name one, and the answer says which it was.
    for named in [&one_url, &one_data, &one.admin.port().to_string()] {
        let ran = one.cli(&["deploy", "shop", bundle, "--version", "v1", "--host", named]).ok();
        assert!(ran.stderr.contains(&format!("host {one_url} ({one_data})")), "{ran:?}");
    }
    let ran = one.cli(&["--host", &other_data, "deploy", "shop", bundle, "--version", "v2", "--json"]).ok();
    assert_eq!(ran.json()["host"], other_url.as_str());
    let named = |host: &Host| {
        one.cli(&["promote", "shop", "v2"]).env("VITRINE_ADMIN", &format!("http://{}", host.admin))
    };
    named(&one).fails(4, &["shop@v2"]);
    assert!(named(&other).ok().stderr.contains(&other_url));
    one.cli(&["promote", "shop", "v1"]).env("VITRINE_DATA", &one_data).ok();
    one.cli(&["serve", "--host", &one_url]).fails(2, &["--host"]);
}

#[test]
fn a_projects_first_deploy_says_which_host_its_commands_go_to() {
    let one = Host::start();
    let project = bundle_dir(&[("package.json", "{}"), ("dist/server/index.js", APP.1)]);
    // What lies above it is another project's.
    std::fs::create_dir(project.path().join(".git")).unwrap();
    let within = |host: &Host, folder: &Path, args: &[&str]| -> Cli { host.cli(args).within(folder) };
    let deployed = within(&one, project.path(), &["deploy", "shop", "dist", "--version", "v1"]).ok();
    let file = project.path().join(".vitrine");
    assert!(deployed.stderr.contains("wrote ") && deployed.stderr.contains(".vitrine"), "{deployed:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(one.data().to_str().unwrap()) && !text.contains(&one.token()), "{text}");

    let other = beside(&one);
    let dist = project.path().join("dist");
    within(&one, &dist, &["promote", "shop", "v1"]).ok();
    assert_eq!(within(&one, &dist, &["status", "shop", "--json"]).ok().json()["live"], "v1");
    // Who names another host means it.
    let url = format!("http://{}", other.admin);
    within(&one, &dist, &["promote", "shop", "v1", "--host", &url]).fails(4, &["shop"]);
    within(&one, &dist, &["promote", "shop", "v1"]).env("VITRINE_ADMIN", &url).fails(4, &["shop"]);
    // It does not run: the other one, which does, is no stand-in.
    let data = one.data();
    let (folder, _) = one.stop();
    let file = file.canonicalize().unwrap();
    for args in [&["promote", "shop", "v1"][..], &["status"]] {
        let ran = within(&other, &dist, args).env("XDG_RUNTIME_DIR", folder.path().to_str().unwrap());
        ran.fails(3, &[data.to_str().unwrap(), file.to_str().unwrap(), "--host"]);
    }
    std::fs::write(&file, "version = 1\nhost = \"8081\"\ntoken = \"x\"\n").unwrap();
    within(&other, &dist, &["status"]).fails(2, &["token", ".vitrine"]);
    // It can't be used, and something else names the host.
    let data = other.data().display().to_string();
    let of =
        |args: &[&str]| within(&other, &dist, args).env("XDG_RUNTIME_DIR", folder.path().to_str().unwrap());
    assert_eq!(of(&["status"]).env("VITRINE_DATA", &data).ok().stderr, "");
    of(&["status", "--host", &data]).env("VITRINE_ADMIN", "nonsense").ok();
    // No running host is known there: the default address is asked, with the token of that folder.
    let gone = within(&other, &dist, &["status"]).env("VITRINE_DATA", "/nowhere").run();
    assert!(gone.code != 2 && gone.stderr.contains("VITRINE_DATA names the host"), "{gone:?}");
}

#[test]
fn a_cloned_project_sends_no_token_to_the_host_that_it_names() {
    let clone = tempfile::tempdir().unwrap();
    let state = tempfile::tempdir().unwrap();
    let dir = state.path().to_str().unwrap().to_owned();
    let of = |cli: Cli| {
        let cli = cli.within(clone.path()).env("VITRINE_TOKEN", "vt_secret").env("XDG_STATE_HOME", &dir);
        cli.env("XDG_RUNTIME_DIR", &dir)
    };
    let name = |host: &str| {
        let text = format!("version = 1\nhost = \"{host}\"\n");
        std::fs::write(clone.path().join(".vitrine"), text).unwrap();
    };
    // No loopback address by its form; nothing listens there.
    let url = "http://[::ffff:127.0.0.1]:1";
    name(url);
    for args in [&["status"][..], &["promote", "shop", "v1"]] {
        of(Cli::new(args)).fails(2, &[".vitrine", "nothing was sent", "--host", "VITRINE_ADMIN"]);
    }
    of(Cli::new(&["status", "--host", url])).fails(3, &["can't be reached"]);
    of(Cli::new(&["status"])).env("VITRINE_ADMIN", url).fails(3, &["can't be reached"]);
    let refused = of(Cli::at_terminal(&["status"])).stdin("n\n").run();
    assert!(refused.code == 1 && refused.stdout.contains("nothing was sent"), "{refused:?}");
    let trusted = of(Cli::at_terminal(&["status"])).stdin("y\n").run();
    assert!(trusted.code == 3 && trusted.stdout.contains("Send it your token"), "{trusted:?}");
    of(Cli::new(&["promote", "shop", "v1"])).fails(3, &["can't be reached"]);
    name("https://[::ffff:127.0.0.1]:1");
    of(Cli::new(&["status"])).fails(2, &["nothing was sent"]);
}

#[test]
fn commands_that_are_suggested_go_to_the_host_that_was_named() {
    let one = Host::start();
    let other = beside(&one);
    let manifest = ("vitrine.json", r#"{"env":["API_URL"]}"#);
    let bundle = bundle_dir(&[APP, manifest]);
    let url = format!("http://{}", other.admin);
    let told = one.cli(&["--host", &url, "deploy", "shop", bundle.path().to_str().unwrap()]).ok().stderr;
    assert!(told.contains(&format!("\n  vitrine --host {url} env set shop API_URL")), "{told}");
    drop(other);
    let told = one.cli(&["deploy", "shop", bundle.path().to_str().unwrap()]).ok().stderr;
    assert!(told.contains("\n  vitrine env set shop API_URL"), "{told}");
}
