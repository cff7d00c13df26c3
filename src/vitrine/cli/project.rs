//! `.vitrine`: which host the commands of a project talk to.
//!
//! A TOML file with two fields: `version = 1`, and `host`, which takes what `--host` takes. A relative data folder is one below
//! the file's own folder. It holds no token, so it can be committed; what a file that was cloned may lead to is in
//! [`trust`](crate::cli::trust).

use crate::cli::target::Target;
use crate::cli::{Failure, trust};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use vitrine_core::limits::PROJECT_FILE_BYTES_MAX;

/// Name of the file.
const NAME: &str = ".vitrine";
/// The version of the file's fields that this program reads and writes.
const VERSION: u32 = 1;
/// What the file says about itself.
const HEADER: &str = "\
# Which host `vitrine` talks to from this project; --host, VITRINE_ADMIN and VITRINE_DATA win over it.
# `host` is a URL, or the data folder of a host on this machine (relative to this file). There is no token in it; before a token
# is sent to another machine because of this file, each user is asked once.
";

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    version: u32,
    host: String,
}

/// The file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Project {
    /// Where it lies.
    pub file: PathBuf,
    /// The host that it names.
    pub host: String,
}

impl Project {
    /// The file of the working folder's project, if there is one.
    ///
    /// # Errors
    /// [`Failure::Usage`]: it can't be read, says something unknown, or is another user's.
    pub(super) fn find() -> Result<Option<Self>, Failure> {
        std::env::current_dir().map_or(Ok(None), |here| Self::find_from(&here))
    }

    fn find_from(here: &Path) -> Result<Option<Self>, Failure> {
        let found = upwards(here).into_iter().map(|folder| folder.join(NAME)).find(|file| file.is_file());
        found.map(Self::read).transpose()
    }

    fn read(file: PathBuf) -> Result<Self, Failure> {
        let usage = |why: String| {
            Failure::Usage(format!("{}: {why}; without it --host names the host", file.display()))
        };
        let owner = fs::metadata(&file).map_err(|error| usage(error.to_string()))?.uid();
        let own = fs::metadata("/proc/self").map(|process| process.uid()).unwrap_or_default();
        // A host that another user names would get the bundle and its values.
        if owner != own && owner != 0 {
            return Err(usage("belongs to another user and is not read".into()));
        }
        let mut text = String::new();
        let opened =
            File::open(&file).and_then(|file| file.take(PROJECT_FILE_BYTES_MAX).read_to_string(&mut text));
        opened.map_err(|error| usage(error.to_string()))?;
        let Fields { version, host } = toml::from_str(&text)
            .map_err(|error| usage(format!("is not a valid .vitrine file: {}", error.message())))?;
        if version != VERSION {
            return Err(usage(format!("has version {version}, this program knows {VERSION}")));
        }
        Ok(Self { file, host })
    }
}

/// Notes the host of a deploy in the folder of its project, unless the project has the file: the nearest folder at or above the
/// working folder with a `package.json`, if the bundle is inside it. Gives where it was written.
///
/// # Errors
/// The file can't be written.
pub(super) fn note_host(bundle: &Path, target: &Target) -> io::Result<Option<PathBuf>> {
    let here = std::env::current_dir()?;
    note_host_in(&here, bundle, target)
}

fn note_host_in(here: &Path, bundle: &Path, target: &Target) -> io::Result<Option<PathBuf>> {
    let folders = upwards(here);
    let Some(root) = folders.iter().find(|folder| folder.join("package.json").is_file()) else {
        return Ok(None);
    };
    let root = root.canonicalize()?;
    let bundle = here.join(bundle);
    let is_inside = bundle.is_dir() && bundle.canonicalize()?.starts_with(&root);
    let is_noted = folders.iter().any(|folder| folder.join(NAME).exists());
    let Some(host) = host_text(&root, target).filter(|_| is_inside && !is_noted) else { return Ok(None) };
    let text = toml::to_string(&Fields { version: VERSION, host }).map_err(io::Error::other)?;
    let file = root.join(NAME);
    // Of two deploys at once one writes it.
    match File::create_new(&file) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        opened => opened?.write_all(format!("{HEADER}{text}").as_bytes())?,
    }
    if !target.is_here() {
        trust::note(target)?;
    }
    Ok(Some(file))
}

/// A host of this machine is known by its data folder: its port may be another host's tomorrow.
fn host_text(root: &Path, target: &Target) -> Option<String> {
    match &target.data {
        Some(data) => match data.strip_prefix(root) {
            Ok(below) => Some(format!("./{}", below.to_str()?)),
            Err(_) => data.to_str().map(String::from),
        },
        None => Some(target.address().to_owned()),
    }
}

/// The folder and those above it, as far as the project can reach: to the root of its repository, or the user's home.
fn upwards(from: &Path) -> Vec<&Path> {
    let home = std::env::home_dir();
    let ends = |folder: &Path| folder.join(".git").exists() || home.as_deref() == Some(folder);
    let end = from.ancestors().position(ends).unwrap_or(usize::MAX - 1);
    from.ancestors().take(end + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::target::NamedBy;

    fn target(data: Option<PathBuf>) -> Target {
        Target {
            url: "http://127.0.0.1:9".parse().unwrap(),
            token: None,
            data,
            named_by: NamedBy::Nothing,
            at: None,
        }
    }

    /// A repository with a project below it, which was built.
    fn project() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("repository/shop");
        fs::create_dir_all(root.join("dist/server")).unwrap();
        fs::create_dir(root.parent().unwrap().join(".git")).unwrap();
        fs::write(root.join("package.json"), "{}").unwrap();
        (dir, root)
    }

    #[test]
    fn a_deploy_notes_its_host_once_and_it_is_found_from_below() {
        let (_dir, root) = project();
        let bundle = Path::new("../dist");
        let host = |file: &Path| Project::read(file.to_owned()).unwrap().host;
        let written =
            note_host_in(&root.join("dist"), bundle, &target(Some(root.join("vitrine-data")))).unwrap();
        let file = root.join(NAME);
        assert_eq!((written.as_deref(), host(&file).as_str()), (Some(&*file), "./vitrine-data"));
        let found = Project::find_from(&root.join("dist/server")).unwrap().unwrap();
        assert_eq!(found, Project { file: file.clone(), host: "./vitrine-data".into() });
        // Whatever is there is left alone.
        assert_eq!(note_host_in(&root, Path::new("dist"), &target(None)).unwrap(), None);
        assert_eq!(host(&file), "./vitrine-data");
        fs::remove_file(&file).unwrap();
        note_host_in(&root, Path::new("dist"), &target(None)).unwrap().unwrap();
        assert_eq!(host(&file), "http://127.0.0.1:9");
        fs::remove_file(&file).unwrap();
        note_host_in(&root, Path::new("dist"), &target(Some("/srv/data".into()))).unwrap().unwrap();
        assert_eq!(host(&file), "/srv/data");
    }

    #[test]
    fn what_is_no_folder_of_the_project_notes_nothing() {
        let (dir, root) = project();
        let archive = root.join("shop.tar.gz");
        fs::write(&archive, "").unwrap();
        let elsewhere = dir.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        for (here, bundle) in [(&root, &archive), (&root, &elsewhere), (&elsewhere, &root)] {
            assert_eq!(note_host_in(here, bundle, &target(None)).unwrap(), None, "{}", bundle.display());
        }
        // Folders above the repository's root are not searched.
        fs::write(dir.path().join(NAME), "version = 1\nhost = \"8081\"\n").unwrap();
        assert_eq!(Project::find_from(&root).unwrap(), None);
    }

    #[test]
    fn a_file_that_says_more_or_less_is_refused() {
        let (_dir, root) = project();
        let file = root.join(NAME);
        for (text, word) in [
            ("version = 1\nhost = \"a\"\ntoken = \"vt_x\"\n", "unknown field `token`"),
            ("version = 2\nhost = \"a\"\n", "version 2"),
            ("host = \"a\"\n", "missing field `version`"),
            ("version = 1\n", "missing field `host`"),
            ("nonsense", "is not a valid .vitrine file: "),
        ] {
            fs::write(&file, text).unwrap();
            let Err(Failure::Usage(told)) = Project::find_from(&root) else { panic!("{text}") };
            assert!(told.contains(word) && told.contains(".vitrine") && told.contains("--host"), "{told}");
        }
    }
}
