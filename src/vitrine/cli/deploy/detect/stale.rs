//! Whether a build is older than the sources that it was made of, as far as the times of files say.

use super::site::Site;
use super::{Build, Detected};
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use vitrine_core::limits::STALE_LOOKS_MAX;

/// Folders below a project that tools write builds to.
const OUTPUTS: [&str; 6] = [".output", "build", "dist", "out", "_site", "storybook-static"];
/// Endings of files that builds are made of. Data, such as JSON, is left out: a server that was tried may have written it.
const SOURCES: [&str; 20] = [
    "js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "vue", "svelte", "astro", "html", "css", "scss",
    "sass", "less", "graphql", "gql", "md", "mdx",
];
/// Folders of a project that are no input of its build. So are all whose names begin with a dot.
const NO_SOURCES: [&str; 11] = [
    "node_modules",
    "coverage",
    "test",
    "tests",
    "__tests__",
    "e2e",
    "cypress",
    "playwright-report",
    "docs",
    "tmp",
    "vendor",
];
/// Tools whose `NAME.config.js` is no input of the build.
const OTHER_TOOLS: [&str; 6] = ["eslint", "prettier", "jest", "vitest", "playwright", "cypress"];

/// A build with a source that was changed after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stale {
    /// The source, below the project.
    source: PathBuf,
    /// Folder of the build, below the project.
    output: PathBuf,
    /// What builds anew.
    command: String,
}

impl Display for Stale {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { source, output, command } = self;
        write!(
            f,
            "{} was changed after {}/ was built; `{command}` builds it anew",
            source.display(),
            output.display()
        )
    }
}

/// The source of a build that was changed last, if that was after the build. A project of more than [`STALE_LOOKS_MAX`] files is looked at
/// in part. Where every source is newer than the build they were checked out beside it, which says nothing.
pub(crate) fn stale(detected: &Detected) -> Option<Stale> {
    let (project, output) = match detected {
        Detected::Bundle { folder, .. } => {
            let project = folder.ancestors().skip(1).find(|above| above.join("package.json").is_file())?;
            (project, output_of(project, folder)?)
        }
        Detected::Build(Build { project, entry, .. }) => (project.as_path(), output_of(project, entry)?),
    };
    // Those of other builds are read at deploy.
    let has_settings = matches!(detected, Detected::Bundle { .. });
    let mut looks = STALE_LOOKS_MAX;
    let built =
        files(&output, &mut looks, |_| true, |_| true).into_iter().map(|(_, changed)| changed).max()?;
    let enters =
        |name: &str| !name.starts_with('.') && !NO_SOURCES.contains(&name) && !OUTPUTS.contains(&name);
    let takes = |path: &Path| {
        let below = path.strip_prefix(project).unwrap_or(path);
        is_source(below) || has_settings && below == Path::new("vitrine.json")
    };
    let sources = files(project, &mut looks, enters, takes);
    if sources.iter().all(|(_, changed)| *changed > built) {
        return None;
    }
    let (source, changed) = sources.into_iter().max_by_key(|(_, changed)| *changed)?;
    let below = |path: &Path| path.strip_prefix(project).unwrap_or(path).to_owned();
    let command = Site::new(project).build_command();
    (changed > built).then(|| Stale { source: below(&source), output: below(&output), command })
}

/// The folder of a build's output that a path is in.
fn output_of(project: &Path, path: &Path) -> Option<PathBuf> {
    OUTPUTS.iter().map(|name| project.join(name)).find(|output| path.starts_with(output))
}

/// Whether a build is made of the file of this path below its project.
fn is_source(below: &Path) -> bool {
    let Some((name, ending)) = below.file_name().and_then(|name| name.to_str()?.rsplit_once('.')) else {
        return false;
    };
    let is_at_top = below.components().count() == 1;
    let is_other = is_at_top && OTHER_TOOLS.iter().any(|tool| name == format!("{tool}.config"));
    let is_about = is_at_top && matches!(ending, "md" | "mdx");
    // Types, and what a development server writes; what only tests or a Storybook are made of.
    let is_aside = [".d", ".gen", ".test", ".spec", ".stories"].iter().any(|kind| name.ends_with(kind));
    SOURCES.contains(&ending) && !is_other && !is_about && !is_aside && !name.is_empty()
}

/// Files below a folder and when they were changed, as long as there are looks left. Links are not followed.
fn files(
    folder: &Path,
    looks: &mut usize,
    enters: impl Fn(&str) -> bool,
    takes: impl Fn(&Path) -> bool,
) -> Vec<(PathBuf, SystemTime)> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if *looks == 0 {
                return found;
            }
            *looks -= 1;
            let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
            if kind.is_dir() && entry.file_name().to_str().is_some_and(&enters) {
                waiting.push(path);
            } else if kind.is_file()
                && takes(&path)
                && let Ok(changed) = entry.metadata().and_then(|facts| facts.modified())
            {
                found.push((path, changed));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::detect;
    use super::*;
    use std::fs::File;
    use std::time::Duration;
    use tempfile::TempDir;

    /// Writes a file that was changed so many seconds after the first.
    fn written(project: &TempDir, name: &str, text: &str, at_s: u64) {
        let path = project.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + at_s);
        File::options().write(true).open(path).unwrap().set_modified(changed).unwrap();
    }

    /// A project whose build is of second 100.
    fn project() -> TempDir {
        let project = tempfile::tempdir().unwrap();
        for (name, text, at_s) in [
            ("package.json", "{}", 300),
            ("package-lock.json", "{}", 300),
            ("vite.config.js", "", 10),
            ("src/App.jsx", "", 20),
            ("src/main.jsx", "", 20),
            ("dist/server/index.js", "export default () => new Response()", 99),
            ("dist/vitrine.json", "{}", 100),
        ] {
            written(&project, name, text, at_s);
        }
        project
    }

    fn told(project: &TempDir, below: &str) -> Option<String> {
        stale(&detect(&project.path().join(below)).unwrap()).map(|stale| stale.to_string())
    }

    #[test]
    fn a_source_that_was_changed_after_the_build_is_named() {
        let project = project();
        assert_eq!(told(&project, ""), None);
        for (name, at_s) in
            [("src/App.jsx", 101), ("vite.config.js", 102), ("vitrine.json", 103), ("src/a/b.mdx", 104)]
        {
            written(&project, name, "{}", at_s);
            let expected =
                format!("{name} was changed after dist/ was built; `npm run build` builds it anew");
            assert_eq!(
                [told(&project, ""), told(&project, "dist")],
                [Some(expected.clone()), Some(expected)]
            );
        }
        written(&project, "dist/client/a.css", "", 105);
        assert_eq!(told(&project, ""), None, "it was built again");
    }

    #[test]
    fn what_is_no_input_of_the_build_raises_no_alarm() {
        let project = project();
        for name in [
            "node_modules/react/index.js",
            ".git/index.js",
            ".vitrine",
            ".svelte-kit/types.ts",
            "build/old.js",
            "tests/app.js",
            "src/App.test.jsx",
            "src/env.d.ts",
            "src/routeTree.gen.ts",
            "src/data.json",
            "README.md",
            "eslint.config.js",
            "photo.png",
            "log",
        ] {
            written(&project, name, "", 500);
        }
        assert_eq!(told(&project, ""), None);
        // A build that was fetched into a fresh checkout.
        for name in ["vite.config.js", "src/App.jsx", "src/main.jsx"] {
            written(&project, name, "", 500);
        }
        assert_eq!(told(&project, ""), None);
    }

    #[test]
    fn builds_of_frameworks_are_looked_at_and_servers_that_are_none_are_not() {
        let project = tempfile::tempdir().unwrap();
        for (name, text, at_s) in [
            ("package.json", r#"{"dependencies":{"astro":"7"}}"#, 1),
            ("yarn.lock", "", 1),
            ("astro.config.ts", "", 1),
            ("src/pages/index.astro", "", 200),
            ("vitrine.json", "{}", 300),
            ("dist/server/entry.mjs", "export { handler };", 100),
        ] {
            written(&project, name, text, at_s);
        }
        let warned = told(&project, "").unwrap();
        assert!(
            warned.starts_with("src/pages/index.astro") && warned.contains("`yarn run build`"),
            "{warned}"
        );

        let project = tempfile::tempdir().unwrap();
        let server = "require('express')().listen(1)";
        written(&project, "package.json", r#"{"dependencies":{"express":"5"}}"#, 1);
        written(&project, "dist/client/app.js", "", 2);
        written(&project, "routes.js", "", 1);
        written(&project, "server.js", server, 3);
        assert_eq!(told(&project, ""), None);
    }

    #[test]
    fn a_large_project_is_looked_at_in_part() {
        let project = project();
        let mut looks = 3;
        assert!(files(project.path(), &mut looks, |_| true, |_| true).len() <= 3);
        assert_eq!(looks, 0);
    }
}
