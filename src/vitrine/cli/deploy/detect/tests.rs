use super::*;
use std::fs;
use tempfile::TempDir;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

/// What a folder below `dir` is found to be; the paths of a build are given as below `dir`.
fn found(dir: &TempDir, below: &str) -> (Framework, String, Option<String>) {
    let root = dir.path().canonicalize().unwrap();
    let inside = |path: &Path| path.strip_prefix(&root).unwrap().display().to_string();
    match detect(&dir.path().join(below)).unwrap() {
        Detected::Build(build) => {
            assert_eq!(build.project, root);
            (build.framework, inside(&build.entry), build.client.folder().map(inside))
        }
        Detected::Bundle { because, .. } => panic!("taken for a bundle: {because}"),
    }
}

fn refusal(files: &[(&str, &str)]) -> String {
    detect(folder(files).path()).unwrap_err().to_string()
}

const SERVER_BUILD: &str = "export { a as assets, assetsBuildDirectory, b as entry, routes };";
const FETCH: &str = "var app = {}; export { app as default };";

#[test]
fn each_framework_is_known_from_its_project_and_from_its_output() {
    let nitro = [
        ("package.json", "{}"),
        (".output/nitro.json", r#"{"preset":"standard"}"#),
        (".output/server/index.mjs", ""),
        (".output/server/package.json", "{}"),
        (".output/public/a.txt", ""),
    ];
    let react_router =
        [("package.json", "{}"), ("build/server/index.js", SERVER_BUILD), ("build/client/a.txt", "")];
    let tanstack = [
        ("package.json", r#"{"dependencies":{"@tanstack/react-start":"1"}}"#),
        ("dist/server/index.js", FETCH),
        ("dist/client/a.txt", ""),
    ];
    let astro = [
        ("package.json", r#"{"dependencies":{"astro":"7"}}"#),
        ("dist/server/entry.mjs", "export { handler, options, startServer };"),
        ("dist/client/a.txt", ""),
    ];
    let hono = [("package.json", r#"{"dependencies":{"hono":"4"}}"#), ("dist/index.js", FETCH)];
    let any = [("package.json", "{}"), ("dist/server/server.js", FETCH), ("dist/client/a.txt", "")];
    for (files, output, framework, entry, client) in [
        (&nitro[..], ".output", Framework::Nitro, "server/index.mjs", "public"),
        (&react_router, "build", Framework::ReactRouter, "server/index.js", "client"),
        (&tanstack, "dist", Framework::TanstackStart, "server/index.js", "client"),
        (&astro, "dist", Framework::Astro, "server/entry.mjs", "client"),
        (&hono, "dist", Framework::Hono, "index.js", ""),
        (&any, "dist", Framework::FetchHandler, "server/server.js", "client"),
    ] {
        let dir = folder(files);
        let client = if client.is_empty() { output.to_owned() } else { format!("{output}/{client}") };
        let expected = (framework, format!("{output}/{entry}"), Some(client));
        assert_eq!(found(&dir, ""), expected);
        assert_eq!(found(&dir, output), expected);
    }
}

#[test]
fn the_clients_files_are_looked_for_beside_the_server() {
    let entry = ("dist/server/server.js", FETCH);
    for (name, passed_over) in [("client", 3), ("browser", 2), ("public", 1), ("static", 0)] {
        let names = ["static", "public", "browser", "client"];
        let files: Vec<(String, &str)> =
            names[..=passed_over].iter().map(|name| (format!("dist/{name}/a.txt"), "")).collect();
        let mut files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
        files.extend([("package.json", "{}"), entry]);
        let dir = folder(&files);
        let Detected::Build(build) = detect(dir.path()).unwrap() else { panic!("{name}") };
        let Client::Folder { path, passed_over: others } = build.client else { panic!("{name}") };
        assert_eq!(path, dir.path().canonicalize().unwrap().join("dist").join(name));
        assert_eq!(others.len(), passed_over, "{others:?}");
    }
    let dir = folder(&[("package.json", "{}"), entry, ("dist/web/a.txt", "")]);
    let Detected::Build(build) = detect(dir.path()).unwrap() else { panic!() };
    let because = "no folder client/, browser/, public/ or static/ beside server/".to_owned();
    assert_eq!(build.client, Client::None { because });
}

#[test]
fn an_entry_called_like_astros_is_astros_in_its_projects_only() {
    let vike = [
        ("package.json", r#"{"dependencies":{"vike":"0.4"}}"#),
        ("dist/server/entry.mjs", FETCH),
        ("dist/client/a.txt", ""),
    ];
    let expected = (Framework::FetchHandler, "dist/server/entry.mjs".into(), Some("dist/client".into()));
    assert_eq!(found(&folder(&vike), ""), expected);
    let text = refusal(&[vike[0], ("dist/server/entry.mjs", "serve({ fetch });")]);
    assert!(
        !text.contains("astro") && text.contains("dist/server/entry.mjs, which has no default export"),
        "{text}"
    );
}

#[test]
fn nitro_says_where_its_files_are() {
    let facts = r#"{"preset":"standard","serverEntry":"srv/main.mjs","publicDir":"static","framework":{"name":"nuxt"}}"#;
    let dir = folder(&[
        ("package.json", "{}"),
        (".output/nitro.json", facts),
        (".output/srv/main.mjs", ""),
        (".output/static/a.txt", ""),
    ]);
    let expected = (Framework::Nitro, ".output/srv/main.mjs".into(), Some(".output/static".into()));
    assert_eq!(found(&dir, ""), expected);
}

#[test]
fn a_bundle_stays_a_bundle() {
    for files in [
        &[("server/index.js", FETCH)][..],
        &[("vitrine.json", r#"{"entry":"main.js"}"#), ("main.js", FETCH)],
        &[("vitrine.json", r#"{"entry":"gone.js"}"#), ("dist/index.js", FETCH)],
        &[("vitrine.json", "{"), ("server/index.js", SERVER_BUILD)],
        &[("vitrine.json", "{}"), ("server/index.js", SERVER_BUILD)],
        &[("some.txt", "")],
    ] {
        let dir = folder(files);
        let folder = dir.path().canonicalize().unwrap();
        assert!(
            matches!(detect(dir.path()).unwrap(), Detected::Bundle { folder: found, .. } if found == folder),
            "{files:?}"
        );
    }
    let plugin =
        folder(&[("package.json", "{}"), ("dist/vitrine.json", "{}"), ("dist/server/index.js", FETCH)]);
    let dist = plugin.path().canonicalize().unwrap().join("dist");
    assert!(matches!(detect(plugin.path()).unwrap(), Detected::Bundle { folder, .. } if folder == dist));
}

#[test]
fn a_manifest_without_an_entry_is_the_settings_of_a_build() {
    let files = [
        ("package.json", "{}"),
        ("vitrine.json", r#"{"env":["A"]}"#),
        ("build/server/index.js", SERVER_BUILD),
    ];
    let dir = folder(&files);
    for below in ["", "build"] {
        let Detected::Build(build) = detect(&dir.path().join(below)).unwrap() else { panic!("{below}") };
        assert_eq!(build.settings, Some(dir.path().canonicalize().unwrap().join("vitrine.json")));
        let none = "no folder build/client/".replace("build/", if below.is_empty() { "build/" } else { "" });
        assert_eq!(build.client, Client::None { because: none });
    }
}

#[test]
fn a_project_is_no_bundle_because_of_its_settings() {
    let with = |text: &'static str| {
        let build = ("build/server/index.js", SERVER_BUILD);
        folder(&[("package.json", "{}"), ("vitrine.json", text), ("node_modules/a.js", ""), build])
    };
    for (text, place) in [
        ("{ \"env\": [], // names\n}", ":1:14: JSON has no comments"),
        ("{\n  \"env\": [\"A\"],\n}", ":3:1: trailing comma"),
        ("{ \"env\": [\"A\"]", ":1:14: EOF while parsing"),
        ("", ":1:1: the file is empty"),
        ("[]", ":1:1: the manifest is an object"),
        ("{\n \"envs\": []\n}", ":2:7: unknown field `envs`"),
    ] {
        let dir = with(text);
        for below in ["", "build"] {
            let told = detect(&dir.path().join(below)).unwrap_err().to_string();
            let file = dir.path().canonicalize().unwrap().join("vitrine.json");
            assert!(told.starts_with(&format!("{}{place}", file.display())), "{below}: {told}");
        }
    }
    let dir = with(r#"{"entry":"server/index.js"}"#);
    assert!(matches!(detect(dir.path()).unwrap(), Detected::Build(_)));
}

#[test]
fn what_can_not_run_is_refused_with_what_to_do() {
    let builds = r#"{"scripts":{"build":"tsc"}}"#;
    let text = refusal(&[("package.json", builds), ("src/index.ts", ""), ("yarn.lock", "")]);
    assert!(text.contains("without a build") && text.contains("`yarn run build`"), "{text}");
    let text = refusal(&[("package.json", "{}"), ("src/index.ts", "")]);
    assert!(text.contains("without a script `build`") && !text.contains("run build"), "{text}");
    let text = refusal(&[
        ("package.json", "{}"),
        ("dist/server/entry-server.js", "export { render };"),
        ("dist/server/node.js", "createServer(handle).listen(3000);"),
        ("dist/worker.js", FETCH),
    ]);
    for found in [
        "dist/server/entry-server.js, which has no default export (it exports render)",
        "dist/server/node.js, which has no default export: it calls listen()",
        "dist/worker.js, which has a default export and another name",
    ] {
        assert!(text.contains(found) && !text.contains("without a build"), "{text}");
    }
    let text = refusal(&[("package.json", "{}"), ("build/web/a.txt", "")]);
    assert!(text.contains("found build/, which has no script"), "{text}");
    let text = refusal(&[("nitro.json", r#"{"preset":"deno-deploy"}"#), ("server/index.mjs", "")]);
    assert!(text.contains("`deno-deploy`") && text.contains("NITRO_PRESET=standard"), "{text}");
    let text = refusal(&[("nitro.json", "{"), ("server/index.mjs", "")]);
    assert!(text.contains("nitro.json can't be read"), "{text}");
    let text = refusal(&[("nitro.json", r#"{"preset":"standard"}"#)]);
    assert!(text.contains("server/index.mjs is not there"), "{text}");
    let text = refusal(&[("server/entry.mjs", "export { start };")]);
    assert!(text.contains("it exports start") && text.contains("@astrojs/node"), "{text}");
    let text = refusal(&[("package.json", "{}"), (".next/BUILD_ID", "x")]);
    assert!(text.contains("Next.js"), "{text}");
}

#[test]
fn a_missing_build_is_told_by_what_the_project_depends_on() {
    let project = |dependency: &str| format!(r#"{{"dependencies":{{"{dependency}":"1"}}}}"#);
    let text = refusal(&[("package.json", &project("@react-router/dev")), ("pnpm-lock.yaml", "")]);
    assert!(
        text.contains(
            "project of React Router without a build: looked for build/server/index.js; run `pnpm run build`"
        ),
        "{text}"
    );
    let text = refusal(&[("package.json", &project("next"))]);
    assert!(
        text.contains("project of Next.js") && text.contains("npx opennextjs-cloudflare build"),
        "{text}"
    );
    // An app of a framework may have Express for its tests.
    let both = r#"{"dependencies":{"express":"5","astro":"7"}}"#;
    assert!(refusal(&[("package.json", both)]).contains("project of Astro without a build"));
    assert!(refusal(&[("package.json", "{}")]).contains("is a project without a build"));
}

/// A `package.json` with this script and a dependency on Express.
fn starts(script: &str) -> String {
    format!(r#"{{"scripts":{script},"dependencies":{{"express":"5"}}}}"#)
}

#[test]
fn a_server_that_listens_is_what_its_project_starts() {
    const LISTENS: &str = "const app = express(); app.listen(3000);";
    for (package, file) in [
        (starts(r#"{"start":"node api.js"}"#), "api.js"),
        (starts(r#"{"start":"NODE_ENV=production node --enable-source-maps src/api"}"#), "src/api.js"),
        (starts(r#"{"start":"cross-env NODE_ENV=production node server"}"#), "server/index.mjs"),
        (starts(r#"{"dev":"node server","preview":"node server"}"#), "server.js"),
        (starts(r#"{"start":"tsx api.ts"}"#), "api.ts"),
        (r#"{"main":"lib/run.js"}"#.to_owned(), "lib/run.js"),
        (starts("{}"), "server/index.js"),
        (starts("{}"), "dist/server.js"),
        (starts("{}"), "build/server.js"),
        (starts(r#"{"start":"npm run build && node -r dotenv/config shop.js"}"#), "shop.js"),
        (starts(r#"{"start":"npm run serve","serve":"nodemon shop.js"}"#), "shop.js"),
    ] {
        let dir = folder(&[("package.json", &package), (file, LISTENS)]);
        assert_eq!(found(&dir, ""), (Framework::NodeServer, file.into(), None), "{package}");
    }
    // A start script of another program leads nowhere, and a file that neither listens nor starts one that does is none.
    let none =
        [("package.json", r#"{"scripts":{"start":"next start"},"main":"index.js"}"#), ("index.js", "run();")];
    assert!(refusal(&none).contains("without a build"));
}

#[test]
fn a_server_that_its_project_does_not_start_is_not_taken_for_it() {
    const LISTENS: &str = "app.listen(3000);";
    let files = [
        ("server.js", LISTENS),
        ("shop.js", LISTENS),
        ("lib/app.js", LISTENS),
        ("run.js", "require('./lib/app');"),
    ];
    let with = |start: &'static str| {
        let package = starts(&format!(r#"{{"start":"{start}"}}"#));
        folder(&[&[("package.json", &*package)], &files[..]].concat())
    };
    for (start, file) in [("node -r dotenv/config shop.js", "shop.js"), ("node run.js", "run.js")] {
        assert_eq!(found(&with(start), "").1, file, "{start}");
    }
    for (start, why) in [
        ("./start.sh", "no file of a server is known from it"),
        ("node dist/shop.js", "there is no dist/shop.js"),
        ("node -r dotenv/config lib/none.js", "there is no lib/none.js"),
    ] {
        let text = detect(with(start).path()).unwrap_err().to_string();
        assert!(text.contains(&format!("is started by `{start}`, and {why}")), "{text}");
        assert!(text.contains(r#""start": "node server.js""#), "{text}");
    }
}

#[test]
fn a_server_that_listens_brings_its_files() {
    let vite = folder(&[
        ("package.json", &starts(r#"{"preview":"node server"}"#)),
        ("server.js", "createServer(handle).listen(3000);"),
        ("dist/server/entry-server.js", "export { render };"),
        ("dist/client/index.html", "<!--app-html-->"),
        ("views/page.ejs", ""),
        ("src/page.js", ""),
    ]);
    let Detected::Build(build) = detect(vite.path()).unwrap() else { panic!() };
    let root = vite.path().canonicalize().unwrap();
    assert_eq!(build.data, [root.join("views"), root.join("dist/client")]);
    assert_eq!(build.client.folder(), Some(&*root.join("dist/client")));
}

#[test]
fn frameworks_own_servers_for_node_are_servers_that_listen() {
    let kit = [
        ("package.json", "{}"),
        ("build/index.js", "polka().listen(3000);"),
        ("build/handler.js", "export { handler };"),
        ("build/client/a.txt", ""),
        ("build/prerendered/about.html", ""),
    ];
    let dir = folder(&kit);
    let expected = (Framework::NodeServer, "build/index.js".into(), Some("build/client".into()));
    assert_eq!(found(&dir, ""), expected);
    let Detected::Build(build) = detect(dir.path()).unwrap() else { panic!() };
    assert!(build.data[0].ends_with("build/prerendered") && !build.environment.is_empty());
    let nuxt = folder(&[
        ("package.json", "{}"),
        (".output/nitro.json", r#"{"preset":"node-server","framework":{"name":"nuxt"}}"#),
        (".output/server/index.mjs", "export { nodeServer as default };"),
        (".output/public/a.txt", ""),
    ]);
    let expected = (Framework::NodeServer, ".output/server/index.mjs".into(), Some(".output/public".into()));
    assert_eq!(found(&nuxt, ""), expected);
    let angular = folder(&[
        ("package.json", "{}"),
        ("dist/shop/server/server.mjs", "export { app, reqHandler };"),
        ("dist/shop/browser/a.txt", ""),
    ]);
    let expected =
        (Framework::NodeServer, "dist/shop/server/server.mjs".into(), Some("dist/shop/browser".into()));
    assert_eq!(found(&angular, ""), expected);
    let Detected::Build(build) = detect(angular.path()).unwrap() else { panic!() };
    assert!(
        build.environment.contains(&("NG_ALLOWED_HOSTS", "*")),
        "it refuses hosts that it was not told about"
    );
    for (package, entry, client) in [
        ("{}", "dist/server/index.mjs", "dist/client"),
        (r#"{"dependencies":{"waku":"1"}}"#, "dist/serve-node.js", "dist/public"),
        (
            r#"{"scripts":{"serve":"node server/entry.express"},"devDependencies":{"@builder.io/qwik-city":"1"}}"#,
            "server/entry.express.js",
            "dist",
        ),
    ] {
        let page = format!("{client}/a.txt");
        let dir = folder(&[("package.json", package), (entry, "serve({ fetch });"), (&page, "")]);
        assert_eq!(found(&dir, ""), (Framework::NodeServer, entry.into(), Some(client.into())));
    }
}

#[test]
fn files_without_a_server_are_a_site() {
    for (page, below) in [
        ("dist/index.html", ""),
        ("dist/index.html", "dist"),
        ("build/client/index.html", ""),
        ("storybook-static/index.html", ""),
        (".output/public/index.html", ""),
    ] {
        let astro = r#"{"dependencies":{"astro":"7"}}"#;
        let dir = folder(&[("package.json", astro), (page, "")]);
        let client = page.strip_suffix("/index.html").map(str::to_owned);
        assert_eq!(found(&dir, below), (Framework::Static, page.into(), client), "{page}");
    }
    // Pages beside a server that is not known are not deployed without it.
    let text = refusal(&[
        ("package.json", "{}"),
        ("dist/client/index.html", ""),
        ("dist/server/entry-server.js", "export { render };"),
    ]);
    assert!(text.contains("entry-server.js, which has no default export"), "{text}");
}
