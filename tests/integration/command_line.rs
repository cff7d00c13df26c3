//! What the command line says and how it exits, as far as no host is needed.

use std::time::Duration;
use vitrine_test_support::archive::{bundle_dir, fixture};
use vitrine_test_support::cli::Cli;
use vitrine_test_support::host::Host;
use vitrine_test_support::snapshot::assert_same;
use vitrine_test_support::wait::wait_until;

#[test]
fn the_help_of_every_verb_is_the_reviewed_one() {
    assert_same("help/vitrine.txt", &Cli::new(&["--help"]).ok().stdout);
    let verbs = [
        "serve",
        "solo",
        "deploy",
        "promote",
        "rollback",
        "scale",
        "releases",
        "status",
        "remove",
        "restore",
        "env",
        "env set",
        "env import",
        "env unset",
        "env grant",
        "env list",
        "logs",
        "routes",
        "purge",
        "cache",
        "cache why",
        "cache stats",
        "routes get",
        "routes set",
        "routes explain",
        "routes rollback",
        "routes reset",
        "routes link",
        "token",
        "token create",
        "token list",
        "token revoke",
        "audit",
        "audit list",
        "audit verify",
        "key",
        "key rotate",
        "key forget",
        "backup",
        "healthcheck",
        "image",
        "doctor",
        "upgrade",
        "config",
        "config print",
        "config check",
        "completions",
    ];
    for verb in verbs {
        let args: Vec<&str> = verb.split(' ').chain(["--help"]).collect();
        assert_same(&format!("help/{}.txt", verb.replace(' ', "-")), &Cli::new(&args).ok().stdout);
    }
    assert!(Cli::new(&["serve", "--help"]).ok().stdout.contains("trusted_proxies"));
}

#[test]
fn what_is_not_built_or_not_known_is_wrong_usage_and_named() {
    let wrong: [(&[&str], &str); 25] = [
        (&["doctor", "--utc"], "--utc"),
        (&["doctor", "--host", "8081"], "--host"),
        (&["key", "forget", "--host", "8081"], "--host"),
        (&["restore"], "--from <FILE>"),
        (&["restore", "shop", "--from", "f", "--data", "d"], "--from"),
        (&["restore", "shop", "--data", "d"], "--data"),
        (&["restore", "--from", "f"], "--data"),
        (&["status", "--host", "99999"], "1 to 65535"),
        (&["deploy", "shop", ".", "--dry-run", "--signature", "s"], "--signature"),
        (&["promote", "shop", "v1", "--weight", "0"], "--weight"),
        (&["profile", "shop"], "profile"),
        (&["purge", "shop"], "purge"),
        (&["token", "create", "ci"], "--app"),
        (&["token", "create", "ci", "--app", "shop", "--verb", "fly"], "`fly`"),
        (&["token", "create", "root", "--app", "shop", "--verb", "read"], "`root`"),
        (&["deploy", "Shop", "."], "`Shop`"),
        (&["deploy", "shop", ".", "--version", "a/b"], "`a/b`"),
        (&["deploy", "shop", ".", "--ttl", "1h"], "--preview"),
        (&["deploy", "shop", ".", "--wait", "0"], "--wait"),
        (&["rollback", "shop", "--two", "v1"], "--two"),
        (&["remove", "shop@"], "``"),
        (&["logs", "shop", "--since", "yesterday"], "--since"),
        (&["logs", "shop", "--since", "abc"], "`abc` is not a duration; write 30s, 5m, 2h or 7d"),
        (
            &["deploy", "shop", ".", "--preview", "x", "--ttl", "5x"],
            "`5x` is not a duration; write 30s, 5m, 2h or 7d",
        ),
        (&["serve", "--isolation", "none"], "--isolation"),
    ];
    for (args, word) in wrong {
        Cli::new(args).fails(2, &[word]);
    }
    Cli::new(&[]).fails(2, &["Usage"]);
    for args in [&["--json"][..], &["env", "--json"], &["--json", "env"]] {
        let told = Cli::new(args).fails(2, &["a verb is missing"]).stderr;
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    // It is read before anything else, and there is no such folder either.
    Cli::new(&["deploy", "shop", "/nope", "--signature", "/no/signature"]).fails(1, &["/no/signature"]);
}

#[test]
fn no_failure_of_a_health_check_is_exit_2() {
    for args in [
        &["healthcheck", "--nope"][..],
        &["--color", "never", "healthcheck", "--url", "nonsense"],
        &["healthcheck", "--url", "https://127.0.0.1:1"],
        &["healthcheck", "--url", "http://user:s3cr3t@127.0.0.1:1"],
        &["healthcheck", "--host", "8081"],
    ] {
        let told = Cli::new(args).fails(1, &[]).stderr;
        assert!(!told.is_empty() && !told.contains("s3cr3t"), "{told}");
    }
    assert!(Cli::new(&["healthcheck", "--nope", "--json"]).fails(1, &[]).stderr.contains("\"exit\":1"));
    Cli::new(&["logs", "healthcheck", "--nope"]).fails(2, &["--nope"]);
}

#[test]
fn a_host_that_is_not_there_is_exit_3() {
    // Port 1 is reserved: nothing listens there.
    let gone =
        |args: &[&str]| Cli::new(args).env("VITRINE_ADMIN", "http://127.0.0.1:1").fails(3, &["127.0.0.1:1"]);
    gone(&["status"]);
    gone(&["releases", "shop"]);
    gone(&["promote", "shop", "v1"]);
    gone(&["logs", "shop", "--follow"]);
    gone(&["deploy", "shop", fixture("fetch-hello").to_str().unwrap()]);
    Cli::new(&["status"]).env("VITRINE_ADMIN", "localhost").fails(2, &["VITRINE_ADMIN"]);
    Cli::new(&["healthcheck"])
        .env("VITRINE_HEALTHCHECK_URL", "http://127.0.0.1:1/x")
        .fails(1, &["health", "http://127.0.0.1:1/x"]);
}

#[test]
fn what_the_environment_names_and_can_not_be_used_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let bundle = fixture("fetch-hello");
    let serve =
        ["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    let solo = ["solo", "--listen", "127.0.0.1:0", "--bundle", bundle.to_str().unwrap()];
    for (variable, value) in [
        ("DOCKER_HOST", "tcp://127.0.0.1:2375"),
        ("DOCKER_HOST", "ssh://docker.example"),
        ("VITRINE_WORKER", "/nope"),
    ] {
        for args in [&serve[..], &solo[..]] {
            Cli::new(args).env(variable, value).fails(1, &[variable, value]);
        }
        let told = Cli::new(&["doctor"]).env(variable, value).run();
        assert!(told.code == 1 && told.stdout.contains(variable) && told.stdout.contains(value), "{told:?}");
    }
}

#[test]
fn a_dry_run_needs_no_host_and_says_what_would_be_sent() {
    let bundle = fixture("fetch-hello");
    let run = |more: &[&str]| {
        let args = [&["deploy", "shop", bundle.to_str().unwrap(), "--dry-run"], more].concat();
        Cli::new(&args).env("VITRINE_ADMIN", "http://127.0.0.1:1").ok()
    };
    let facts = run(&["--json"]).json();
    let digest = facts["digest"].as_str().unwrap();
    assert_eq!(digest.len(), 64);
    assert_eq!(facts["version"], digest[..12]);
    assert_eq!((&facts["contract"], &facts["entry"]), (&"fetch".into(), &"server/index.js".into()));
    assert!(facts["bytes"].as_u64().unwrap() > 0);
    let text = run(&["--version", "v7"]).stdout;
    assert!(text.contains("version       v7\n") && text.contains(digest), "{text}");
}

#[test]
fn a_dry_run_says_which_files_of_a_build_are_not_sent() {
    let app = ("dist/server/index.js", "const app = { fetch() {} }; export { app as default };");
    let template = ("dist/client/index.html", "<div id=app><!--app-html--></div>");
    let run = |files: &[(&str, &str)]| {
        let project = bundle_dir(&[&[("package.json", "{}"), app], files].concat());
        let ran = Cli::new(&["deploy", "shop", project.path().to_str().unwrap(), "--dry-run"]).ok();
        (ran.stdout, ran.stderr)
    };
    let (told, warned) = run(&[template, ("dist/client/a.js", "")]);
    assert!(told.contains("dist/client: 1 files and 0 pages") && !told.contains("\npages "), "{told}");
    assert!(told.contains("left out      index.html (a template: it has <!--app-html-->)"), "{told}");
    assert!(warned.contains("left out: index.html"), "{warned}");
    let (told, warned) = run(&[("dist/web/a.js", "")]);
    let none = "none: no folder client/, browser/, public/ or static/ beside server/";
    assert!(told.contains(&format!("client        {none}")), "{told}");
    assert!(
        warned.contains("warning: no files for the browser are sent") && warned.contains(none),
        "{warned}"
    );

    let bundle =
        bundle_dir(&[("server/index.js", "export default () => new Response('hi');"), ("public/a.js", "")]);
    let ran = Cli::new(&["deploy", "shop", bundle.path().to_str().unwrap(), "--dry-run"]).ok();
    assert!(ran.stdout.contains("none: no file below client/, and public/ is not served"), "{ran:?}");
    assert!(ran.stderr.contains("warning: no files for the browser are sent"), "{ran:?}");
}

#[test]
fn a_dry_run_of_a_server_says_which_folders_it_finds_nothing_in() {
    let server = "import data from './lib/data.js';\nimport { createServer } from 'node:http';\n\
                  createServer((request, response) => response.end(data)).listen(3000);";
    let project = bundle_dir(&[
        ("package.json", r#"{"type":"module","scripts":{"start":"node server.js"}}"#),
        ("server.js", server),
        ("lib/data.js", "export default 'x';"),
        ("public/a.css", ""),
        ("data/products.json", "[]"),
        ("node_modules/x/index.js", ""),
        ("vitrine.json", r#"{"env":["API_URL"]}"#),
    ]);
    let ran = Cli::new(&["deploy", "shop", project.path().to_str().unwrap(), "--dry-run"]).ok();
    for line in [
        "\nnot sent      data/\n",
        "\nenv           API_URL\n",
        "\negress        none: calls to other origins are denied\n",
    ] {
        assert!(ran.stdout.contains(line), "{line}: {ran:?}");
    }
    assert!(
        !ran.stderr.contains("warning") && ran.stderr.contains("the server sends its files itself"),
        "{ran:?}"
    );

    let nothing = bundle_dir(&[("package.json", "{}"), ("src/main.js", "console.log(1)")]);
    let nothing = nothing.path().to_str().unwrap();
    Cli::new(&["deploy", "shop", nothing, "--dry-run"])
        .fails(1, &["without a script `build`", "vitrine deploy APP DIR"]);
}

#[test]
fn a_host_that_is_not_there_is_told_before_anything_is_looked_at() {
    for (admin, code, words) in [
        ("127.0.0.1:1", 3, "http://127.0.0.1:1"),
        ("1", 3, "http://127.0.0.1:1"),
        ("host:name", 2, "HOST:PORT, or a port"),
    ] {
        let ran = Cli::new(&["deploy", "shop", "/nowhere"]).env("VITRINE_ADMIN", admin).fails(code, &[words]);
        assert!(!ran.stderr.contains("/nowhere"), "{ran:?}");
    }
}

#[test]
fn a_deploy_warns_of_a_source_that_was_changed_after_the_build() {
    let handler = "export default () => new Response('hi');";
    let project = bundle_dir(&[
        ("package.json", "{}"),
        ("src/App.jsx", ""),
        ("src/server.js", ""),
        ("dist/vitrine.json", "{}"),
        ("dist/server/index.js", handler),
    ]);
    let deploy = || Cli::new(&["deploy", "shop", project.path().to_str().unwrap(), "--dry-run"]).ok().stderr;
    assert!(!deploy().contains("was changed after"), "{}", deploy());
    let later = std::time::SystemTime::now() + Duration::from_secs(60);
    let source = std::fs::File::options().write(true).open(project.path().join("src/App.jsx")).unwrap();
    source.set_modified(later).unwrap();
    let warned = deploy();
    let expected = "warning: src/App.jsx was changed after dist/ was built; `npm run build` builds it anew\n";
    assert!(warned.contains(expected), "{warned}");
}

/// Packing and checking it takes a second, and no compressor makes it smaller.
fn large_file() -> Vec<u8> {
    let next = |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    std::iter::successors(Some(1_u64), next).take(6 << 20).flat_map(u64::to_be_bytes).collect()
}

#[test]
fn a_deploy_that_is_interrupted_while_it_packs_leaves_no_scratch_folder() {
    let dir = bundle_dir(&[("server/index.js", "export default () => new Response('hi');")]);
    std::fs::create_dir(dir.path().join("client")).unwrap();
    std::fs::write(dir.path().join("client/film.bin"), large_file()).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let is_empty = || std::fs::read_dir(scratch.path()).unwrap().next().is_none();
    // What a pipeline sends that is cancelled, too.
    for signal in ["-INT", "-TERM", "-HUP"] {
        let deploy = Cli::new(&["deploy", "shop", dir.path().to_str().unwrap(), "--dry-run"])
            .env("TMPDIR", scratch.path().to_str().unwrap());
        let packing = || wait_until("packing", Duration::from_secs(20), || (!is_empty()).then_some(()));
        let ran = deploy.signalled_when(signal, packing);
        assert_eq!((ran.code, ran.stdout.as_str()), (130, ""), "{ran:?}");
        assert!(ran.stderr.contains("nothing was sent"), "{ran:?}");
        assert!(is_empty());
    }
}

#[test]
fn words_of_other_tools_lead_to_the_verb() {
    for (args, tip) in [
        (&["login"][..], "`vitrine token create`"),
        (&["secret", "put", "shop", "KEY"], "vitrine env set APP NAME --secret"),
        (&["tail", "shop"], "vitrine logs APP --follow"),
        (&["destroy", "shop"], "vitrine remove APP"),
        (&["ps"], "vitrine status"),
        (&["env", "rm", "shop", "KEY"], "vitrine env unset APP NAME"),
        (&["--json", "token", "ls"], "vitrine token list"),
        (&["rollbak", "shop"], "'rollback'"),
    ] {
        let told = Cli::new(args).fails(2, &[tip]);
        assert!(!told.stderr.contains("engine"), "{told:?}");
    }
    Cli::new(&["engin"]).fails(2, &["'engin'"]);
}

#[test]
fn a_data_folder_that_is_not_there_is_told() {
    Cli::new(&["upgrade", "--data", "/nope"]).fails(1, &["there is no folder /nope", "--data"]);
    let told = Cli::new(&["doctor", "--data", "/nope"]).run();
    assert!(told.stdout.contains("/nope is not there"), "{told:?}");
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().to_str().unwrap();
    assert!(!Cli::new(&["doctor", "--data", there]).run().stdout.contains("is not there"));
    // A folder without a host in it: none of what names another admin side applies.
    let told = Cli::new(&["upgrade", "--data", there]).fails(3, &["upgrade.sock", "--data"]);
    assert!(!told.stderr.contains("VITRINE_ADMIN"), "{told:?}");
}

#[test]
fn a_health_check_finds_the_host_that_runs() {
    let host = Host::start();
    host.cli(&["healthcheck"]).ok();
    let told = host.cli(&["healthcheck", "--json"]).ok().json();
    assert_eq!(told["url"], format!("http://{}/_vitrine/readyz", host.edge));
    let (folder, runtime) =
        (host.data().parent().unwrap().to_owned(), host.data().parent().unwrap().to_owned());
    let environment = [("XDG_RUNTIME_DIR", runtime.to_str().unwrap())];
    let other = Host::try_start(Host::folder_anew(), &["--isolation", "process"], &environment).unwrap();
    let ask = || Cli::new(&["healthcheck", "--json"]).env("XDG_RUNTIME_DIR", folder.to_str().unwrap());
    let both = [host.edge, other.edge].map(|edge| format!("http://{edge}/"));
    ask().fails(1, &["2 hosts run here", &both[0], &both[1], "--url"]);
    let told = ask().env("VITRINE_DATA", other.data().to_str().unwrap()).ok().json();
    assert_eq!(told["url"], format!("http://{}/_vitrine/readyz", other.edge));
    drop(other);
    host.cli(&["healthcheck"]).ok();
}

#[test]
fn mistyped_apps_and_versions_are_told_with_what_was_probably_meant() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1.10"]);
    host.deploy("shop", "two", &["--version", "v1.11"]);
    for (args, meant) in [
        (&["status", "shpo"][..], "did you mean `shop`?"),
        (&["promote", "shpo", "v1.10"], "did you mean `shop`?"),
        (&["promote", "shop", "v1.01"], "did you mean `shop@v1.1"),
        (&["rollback", "shpo"], "did you mean `shop`?"),
        (&["rollback", "shop", "--to", "v1.01"], "did you mean `shop@v1.1"),
        (&["remove", "shpo", "--yes"], "did you mean `shop`?"),
        (&["remove", "shop@v1.1"], "did you mean `shop@v1.1"),
    ] {
        host.cli(args).fails(4, &[meant]);
    }
    let far = host.cli(&["status", "blog"]).fails(4, &["blog"]);
    assert!(!far.stderr.contains("did you mean"), "{far:?}");
    host.cli(&["rollback", "shop", "v1.10"]).fails(2, &["`vitrine rollback shop --to v1.10`"]);
}
