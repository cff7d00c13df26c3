//! What a project that was cloned gets of the user who tries it out with `deploy --dry-run`.

use std::fs;
use std::path::Path;
use std::process::Command;
use vitrine_test_support::archive::bundle_dir;
use vitrine_test_support::cli::Cli;

/// Tells what it has, in the error that a dry run shows.
const TELLS: &str = r#"
    const called = await fetch("http://127.0.0.1:9/").catch((error) => error.message);
    throw new Error(`has ${Object.values(process.env)} and ${called}`);
"#;

#[test]
fn a_bundle_gets_the_values_that_the_user_names_and_calls_nothing() {
    let manifest = r#"{"env": ["GREETING", "AWS_SECRET_ACCESS_KEY", "VITRINE_TOKEN"], "egress": ["http://127.0.0.1:9"]}"#;
    let bundle = bundle_dir(&[("server/index.js", TELLS), ("vitrine.json", manifest)]);
    let args = ["deploy", "shop", bundle.path().to_str().unwrap(), "--dry-run"];
    let dry_run = |more: &[&str]| {
        let with = Cli::new(&[&args[..], more].concat()).env("GREETING", "greeting-value");
        with.env("AWS_SECRET_ACCESS_KEY", "aws-value").env("VITRINE_TOKEN", "vt_value")
    };
    for (more, has) in [(&[][..], false), (&["--env", "GREETING"], true)] {
        let told = dry_run(more)
            .fails(1, &["no host would take this bundle", "is not in the bundle's `egress` list"]);
        assert_eq!(told.stderr.contains("greeting-value"), has, "{told:?}");
        assert!(!told.stderr.contains("aws-value") && !told.stderr.contains("vt_value"), "{told:?}");
        assert!(told.stderr.contains("a dry run makes no calls"), "{told:?}");
    }
    dry_run(&["--env", "VITRINE_TOKEN"]).fails(2, &["VITRINE_TOKEN"]);
}

/// A package that is taken for a bundler, and fails with what it has.
fn fake_bundler(above: &Path) {
    let package = above.join("node_modules/rolldown");
    fs::create_dir_all(&package).unwrap();
    fs::write(package.join("package.json"), r#"{"name":"rolldown","version":"1.0.0","type":"module","exports":{".":"./i.js","./plugins":"./i.js"}}"#).unwrap();
    let tells = "export const esmExternalRequirePlugin = () => ({});
        export const rolldown = () => { throw new Error(`the fake one has ${Object.keys(process.env)}`); };";
    fs::write(package.join("i.js"), tells).unwrap();
}

fn project(at: &Path) {
    fs::create_dir_all(at.join("dist/server")).unwrap();
    fs::write(at.join("package.json"), "{}").unwrap();
    let server = "import x from 'foreign'; export default { fetch: () => new Response(x) };";
    fs::write(at.join("dist/server/index.js"), server).unwrap();
}

#[test]
fn the_projects_bundler_gets_no_token_and_that_of_another_user_is_not_run() {
    if !Command::new("node").arg("--version").output().is_ok_and(|ran| ran.status.success()) {
        return;
    }
    let above = tempfile::tempdir().unwrap();
    let at = above.path().join("project");
    project(&at);
    fake_bundler(above.path());
    // None is in the cache, and none can be fetched.
    let cache = above.path().join("cache");
    let dry_run = || {
        let cli =
            Cli::new(&["deploy", "shop", at.to_str().unwrap(), "--dry-run"]).env("VITRINE_TOKEN", "vt_x");
        cli.env("XDG_CACHE_HOME", cache.to_str().unwrap()).env("npm_config_registry", "http://127.0.0.1:9/")
    };
    let told = dry_run().env("AWS_SECRET_ACCESS_KEY", "x").fails(1, &["the fake one has", "PATH"]);
    assert!(!told.stderr.contains("VITRINE_TOKEN") && !told.stderr.contains("AWS_"), "{told:?}");
    // As root the test can give it to another user.
    if std::os::unix::fs::chown(above.path().join("node_modules"), Some(65534), None).is_ok() {
        dry_run().fails(1, &["no bundler was found"]);
        std::os::unix::fs::chown(above.path().join("node_modules"), Some(0), None).unwrap();
    }
    // A repository's packages lie in it.
    fs::create_dir(at.join(".git")).unwrap();
    dry_run().fails(1, &["no bundler was found"]);
}
