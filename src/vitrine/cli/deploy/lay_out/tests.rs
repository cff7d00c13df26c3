use super::*;
use crate::cli::deploy::detect::{Detected, detect};

#[test]
fn pages_are_known_by_the_paths_that_people_type() {
    for (name, path) in [
        ("index.html", "/"),
        ("about.html", "/about"),
        ("about/index.html", "/about"),
        ("a/b/index.html", "/a/b"),
        ("reindex.html", "/reindex"),
        ("404.html", "/404"),
    ] {
        assert_eq!(page_path(name), path);
    }
}

fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let project = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = project.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    project
}

/// Lays out what is detected in a folder with these files; gives the bundle's files and its manifest.
fn laid_out(files: &[(&str, &str)]) -> Result<(Vec<String>, Value), LayOutError> {
    laid_out_and(files).map(|(names, manifest, _)| (names, manifest))
}

/// As [`laid_out`], with what is said of it.
fn laid_out_and(files: &[(&str, &str)]) -> Result<(Vec<String>, Value, LaidOut), LayOutError> {
    let project = folder_with(files);
    let Ok(Detected::Build(build)) = detect(project.path()) else { panic!("{files:?} is no build") };
    let scratch = tempfile::tempdir().unwrap();
    let laid_out = lay_out(&build, scratch.path())?;
    let names = files_below(&laid_out.folder).unwrap().into_keys().collect();
    let manifest = fs::read(laid_out.folder.join("vitrine.json")).unwrap();
    Ok((names, serde_json::from_slice(&manifest).unwrap(), laid_out))
}

const HONO: &str = r#"{"dependencies":{"hono":"4"}}"#;

#[test]
fn what_the_server_reaches_is_not_public() {
    let (names, manifest) = laid_out(&[
        ("package.json", HONO),
        ("vitrine.json", r#"{"env":["API_URL"],"limits":{"cpu_ms":50}}"#),
        ("dist/index.js", "import './assets/secret.js'; export { app as default };"),
        ("dist/index.js.map", "{}"),
        ("dist/assets/secret.js", "import 'node:path';"),
        ("dist/assets/public.js", ""),
    ])
    .unwrap();
    let server = ["server/assets/secret.js", "server/index.js", "server/index.js.map"];
    assert_eq!(names, [&["client/assets/public.js"][..], &server, &["vitrine.json"]].concat());
    let expected = json!({ "entry": "server/index.js", "assets": "client", "env": ["API_URL"], "limits": { "cpu_ms": 50 } });
    assert_eq!(manifest, expected);
}

#[test]
fn a_server_with_everything_inside_keeps_its_files() {
    let (names, manifest) = laid_out(&[
        ("package.json", "{}"),
        (".output/nitro.json", r#"{"preset":"standard"}"#),
        (".output/server/index.mjs", "import './chunks/a.mjs'; export { app as default };"),
        (".output/server/chunks/a.mjs", ""),
        (".output/server/chunks/found-later.mjs", ""),
        (".output/server/node_modules/x/index.js", ""),
        (".output/public/a.txt", ""),
    ])
    .unwrap();
    let server = ["server/chunks/a.mjs", "server/chunks/found-later.mjs", "server/index.mjs"];
    assert_eq!(names, [&["client/a.txt"][..], &server, &["vitrine.json"]].concat());
    assert_eq!(manifest, json!({ "entry": "server/index.mjs", "assets": "client" }));
}

const FETCH: (&str, &str) = ("dist/server/index.js", "export { app as default };");
const VITE: [(&str, &str); 2] = [("package.json", "{}"), FETCH];

#[test]
fn the_servers_own_page_is_not_taken_for_a_page_made_at_build_time() {
    let template = ("dist/client/index.html", "<div id=app><!--app-html--></div>");
    let (names, _, told) =
        laid_out_and(&[&VITE[..], &[template, ("dist/client/a.js", "")]].concat()).unwrap();
    assert_eq!(names, ["client/a.js", "server/index.js", "vitrine.json"]);
    assert_eq!(told.pages, Vec::<String>::new());
    assert_eq!(told.left_out, ["index.html (a template: it has <!--app-html-->)"]);
    let page = ("dist/client/index.html", "<div id=app></div>");
    let (names, _, told) = laid_out_and(&[&VITE[..], &[page]].concat()).unwrap();
    assert_eq!(names, ["client/index.html", "server/index.js", "vitrine.json"]);
    assert_eq!((told.pages, told.left_out), (Vec::new(), Vec::new()));
}

#[test]
fn the_page_that_the_project_names_as_shell_stays_a_file() {
    let settings = ("vitrine.json", r#"{"shell":"down.html","assets":"web"}"#);
    let (names, manifest, told) =
        laid_out_and(&[&VITE[..], &[settings, ("dist/browser/down.html", "<p>down")]].concat()).unwrap();
    assert_eq!(names, ["client/down.html", "server/index.js", "vitrine.json"]);
    assert_eq!(manifest, json!({ "entry": "server/index.js", "assets": "client", "shell": "down.html" }));
    assert_eq!(told.left_out, ["`assets` of vitrine.json (that of the build is taken)"]);
    assert!(told.client.ends_with("dist/browser: 1 files and 0 pages"), "{}", told.client);
}

#[test]
fn what_is_passed_over_is_said() {
    let (names, _, told) = laid_out_and(&VITE).unwrap();
    assert_eq!(names, ["server/index.js", "vitrine.json"]);
    assert_eq!(told.client, "none: no folder client/, browser/, public/ or static/ beside server/");
    let more = [("dist/client/a.js", ""), ("dist/client/node_modules/x.js", ""), ("dist/public/b.js", "")];
    let (names, _, told) = laid_out_and(&[&VITE[..], &more].concat()).unwrap();
    assert_eq!(names, ["client/a.js", "server/index.js", "vitrine.json"]);
    assert_eq!(
        told.left_out,
        ["dist/public/ (dist/client/ is taken)", "node_modules/ among the client's files"]
    );
}

#[test]
fn what_can_not_be_laid_out_is_said() {
    let entry = ("dist/index.js", "export { app as default };");
    let page = "x".repeat(PRERENDERED_BYTES_MAX as usize + 1);
    let large = laid_out(&[("package.json", HONO), ("dist/large.html", &page), entry]).unwrap_err();
    assert!(matches!(large, LayOutError::PagesTooLarge { .. }), "{large}");
}

#[test]
fn a_site_is_laid_out_with_a_server_for_its_pages() {
    let project = folder_with(&[
        ("package.json", "{}"),
        ("vitrine.json", r#"{"shell":"app.html","env":["A"]}"#),
        ("dist/index.html", "home"),
        ("dist/app.html", "app"),
        ("dist/docs/index.html", "docs"),
        ("dist/site.css", "body"),
        ("dist/_redirects", "/old /new 301"),
        ("dist/_headers", "/*"),
    ]);
    let Ok(Detected::Build(build)) = detect(project.path()) else { panic!("it is no build") };
    let scratch = tempfile::tempdir().unwrap();
    let told = lay_out(&build, scratch.path()).unwrap();
    let text = |name: &str| fs::read_to_string(told.folder.join(name)).unwrap();
    assert_eq!(
        (text("server/pages/docs/index.html"), text("client/site.css")),
        ("docs".into(), "body".into())
    );
    let site = text("server/site.js");
    assert!(site.contains(r#""fallback":"app.html""#), "{site}");
    assert!(text("server/redirect_rules.js").contains("/old /new 301"));
    assert_eq!((text("client/_headers"), told.left_out), ("/*".into(), Vec::new()));
    assert!(!told.folder.join("client/_redirects").exists());
    let manifest: Value = serde_json::from_str(&text("vitrine.json")).unwrap();
    assert_eq!(manifest, json!({ "env": ["A"], "entry": "server/index.js", "assets": "client" }));
}

#[test]
fn a_link_is_taken_for_a_file_of_the_same_build_only() {
    let folder = tempfile::tempdir().unwrap();
    let build = folder.path().join("client");
    fs::create_dir(&build).unwrap();
    fs::write(folder.path().join("netrc"), "secret").unwrap();
    fs::write(build.join("a.txt"), "a").unwrap();
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, build.join(name)).unwrap();
    link("a.txt", "b.txt");
    assert_eq!(files_below(&build).unwrap().into_keys().collect::<Vec<_>>(), ["a.txt", "b.txt"]);
    for target in ["../netrc", ".", ".."] {
        link(target, "c.txt");
        let refused = files_below(&build).unwrap_err();
        assert!(matches!(&refused, LayOutError::Link { path, .. } if path.ends_with("c.txt")), "{refused}");
        fs::remove_file(build.join("c.txt")).unwrap();
    }
}

#[test]
fn a_folder_of_the_build_that_a_link_has_outside_of_the_project_is_refused() {
    let (project, private) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(private.path().join("id_ed25519"), "private").unwrap();
    fs::write(private.path().join("index.js"), "export { app as default };").unwrap();
    for linked in ["client", "server"] {
        let dist = project.path().join("dist");
        let _ = fs::remove_dir_all(&dist);
        fs::create_dir_all(&dist).unwrap();
        fs::write(project.path().join("package.json"), "{}").unwrap();
        for name in ["client", "server"] {
            if name == linked {
                std::os::unix::fs::symlink(private.path(), dist.join(name)).unwrap();
            } else {
                fs::create_dir(dist.join(name)).unwrap();
                fs::write(dist.join(name).join("index.js"), "export { app as default };").unwrap();
            }
        }
        let Ok(Detected::Build(build)) = detect(project.path()) else { panic!("{linked}: no build") };
        let scratch = tempfile::tempdir().unwrap();
        let refused = lay_out(&build, scratch.path());
        assert!(matches!(refused, Err(LayOutError::Outside { .. })), "{linked}: {refused:?}");
        assert!(!scratch.path().join("bundle").exists(), "{linked}");
    }
}
