use super::super::{Detected, Framework, detect};
use super::*;
use std::fs;
use tempfile::TempDir;

const FETCH: &str = "export default { fetch() {} };";

/// A project with these files.
fn project(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [("package.json", "{}")].iter().chain(files) {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

/// The entry and the client's folder of a build for Cloudflare, below its project.
fn found(dir: &TempDir, deployed: &str) -> (String, Option<String>, Worker) {
    let root = dir.path().canonicalize().unwrap();
    let Detected::Build(build) = detect(&dir.path().join(deployed)).unwrap() else { panic!("a bundle") };
    assert_eq!((build.framework, &build.project), (Framework::Cloudflare, &root));
    let inside = |path: &Path| path.strip_prefix(&root).unwrap().display().to_string();
    (inside(&build.entry), build.client.folder().map(inside), *build.worker.unwrap())
}

fn refusal(files: &[(&str, &str)]) -> String {
    detect(project(files).path()).unwrap_err().to_string()
}

#[test]
fn a_wrangler_file_names_worker_and_files() {
    let text = r#"{ "name": "a", "main": "dist/worker.js", "assets": { "directory": "./dist/client/", "binding": "FILES" } }"#;
    let dir = project(&[("wrangler.jsonc", text), ("dist/worker.js", FETCH), ("dist/client/a.txt", "")]);
    for deployed in ["", "dist"] {
        let (entry, client, worker) = found(&dir, deployed);
        assert_eq!((entry.as_str(), client.as_deref()), ("dist/worker.js", Some("dist/client")));
        assert_eq!((worker.assets_binding.as_deref(), worker.is_of_pages), (Some("FILES"), false));
        assert_eq!(worker.first, WorkerFirst::All(false));
    }
    let source =
        project(&[("wrangler.toml", "main = 'src/index.ts'"), ("src/index.ts", FETCH), ("public/a.txt", "")]);
    let (entry, client, _) = found(&source, "");
    assert_eq!((entry.as_str(), client), ("src/index.ts", None));
}

#[test]
fn a_build_says_which_file_is_read_in_the_place_of_the_projects() {
    let made = r#"{ "main": "index.js", "assets": { "directory": "../client" } }"#;
    let dir = project(&[
        ("wrangler.jsonc", r#"{ "main": "./workers/app.ts" }"#),
        ("workers/app.ts", "import 'virtual:app';"),
        (".wrangler/deploy/config.json", r#"{ "configPath": "../../build/server/wrangler.json" }"#),
        ("build/server/wrangler.json", made),
        ("build/server/index.js", FETCH),
        ("build/client/a.txt", ""),
    ]);
    for deployed in ["", "build"] {
        let (entry, client, _) = found(&dir, deployed);
        assert_eq!((entry.as_str(), client.as_deref()), ("build/server/index.js", Some("build/client")));
    }
}

#[test]
fn a_worker_of_pages_lies_among_its_files() {
    let routes = r#"{ "version": 1, "include": ["/*"], "exclude": ["/_app/immutable/*", "/a.txt"] }"#;
    let kit = ".svelte-kit/cloudflare";
    let dir = project(&[
        (".svelte-kit/cloudflare/_worker.js", FETCH),
        (".svelte-kit/cloudflare/_routes.json", routes),
        (".svelte-kit/cloudflare/404.html", ""),
    ]);
    let (entry, client, worker) = found(&dir, "");
    assert_eq!((entry, client.as_deref()), (format!("{kit}/_worker.js"), Some(kit)));
    assert_eq!((worker.not_found, worker.is_of_pages), (NotFound::Page, true));
    for (path, first) in [("/", true), ("/b.txt", true), ("/a.txt", false), ("/_app/immutable/x.js", false)] {
        assert_eq!(worker.first.takes(path), first, "{path}");
    }
    let folder = project(&[("dist/_worker.js/index.js", FETCH), ("dist/index.html", "")]);
    for deployed in ["", "dist"] {
        let (entry, _, worker) = found(&folder, deployed);
        assert_eq!(entry, "dist/_worker.js/index.js");
        assert_eq!(
            (worker.not_found, worker.first),
            (NotFound::SinglePageApplication, WorkerFirst::All(true))
        );
    }
}

#[test]
fn what_open_next_made_is_known_with_and_without_a_wrangler_file() {
    let next = ("package.json", r#"{"dependencies":{"next":"16"}}"#);
    let made =
        [next, (".open-next/worker.js", FETCH), (".open-next/assets/a.txt", ""), (".next/BUILD_ID", "x")];
    let named = r#"{ "main": ".open-next/worker.js", "assets": { "directory": ".open-next/assets", "binding": "ASSETS" },
        "name": "next", "services": [{ "binding": "WORKER_SELF_REFERENCE", "service": "next" }] }"#;
    for (files, own) in [(made.to_vec(), 0), ([&made[..], &[("wrangler.jsonc", named)]].concat(), 1)] {
        let dir = project(&files);
        for deployed in ["", ".open-next"] {
            let (entry, client, worker) = found(&dir, deployed);
            assert_eq!(
                (entry.as_str(), client.as_deref()),
                (".open-next/worker.js", Some(".open-next/assets"))
            );
            assert_eq!(worker.bindings.own.len(), own);
        }
    }
    let text = refusal(&[next, (".next/BUILD_ID", "x")]);
    assert!(text.contains("npm install --save-dev @opennextjs/cloudflare wrangler"), "{text}");
    let installed = ("package.json", r#"{"dependencies":{"next":"16","@opennextjs/cloudflare":"1"}}"#);
    let text = refusal(&[installed]);
    assert!(text.contains("run `npx opennextjs-cloudflare build`") && !text.contains("install"), "{text}");
    let exported = project(&[next, (".next/BUILD_ID", "x"), ("out/index.html", "")]);
    let Detected::Build(build) = detect(exported.path()).unwrap() else { panic!("a bundle") };
    assert_eq!(build.framework, Framework::Static);
}

#[test]
fn a_worker_that_is_not_there_is_named_with_what_makes_it() {
    let text = refusal(&[("wrangler.json", r#"{ "main": "dist/worker.js" }"#)]);
    assert!(
        text.contains("names dist/worker.js, which is not there") || text.contains("dist/worker.js"),
        "{text}"
    );
    assert!(text.contains("npm run build"), "{text}");
    let text = refusal(&[("wrangler.json", r#"{ "assets": { "html_handling": "x" } }"#), ("a.js", "")]);
    assert!(text.contains("wrangler.json: assets: unknown variant `x`"), "{text}");
    let pages = r#"{ "pages_build_output_dir": "public" }"#;
    let text = refusal(&[("wrangler.json", pages), ("functions/a.js", ""), ("public/index.html", "")]);
    assert!(text.contains("npx wrangler pages functions build --outdir public/_worker.js"), "{text}");
}

#[test]
fn patterns_have_stars_anywhere() {
    for (pattern, path, expected) in [
        ("/*", "/", true),
        ("/a", "/a", true),
        ("/a", "/ab", false),
        ("/a/*", "/a", false),
        ("/a/*/c", "/a/b/c", true),
        ("/a/*/c", "/a/c", false),
        ("*.js", "/x.js", true),
        ("/a*a", "/a", false),
        ("/*b*", "/abc", true),
    ] {
        assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
    }
}
