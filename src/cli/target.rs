//! Which host a verb talks to, and with which token.
//!
//! Address: `VITRINE_ADMIN`, else the host of this user that started last, else the default address. Token:
//! `VITRINE_TOKEN`; for a host on this machine else the file that its note names, else `admin.token` in `VITRINE_DATA`
//! or `./vitrine-data`. A token from a file is never sent to another machine.

use crate::admin::beacon::{self, Note};
use crate::cli::{Failure, print};
use crate::config::Config;
use crate::store::Layout;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use url::{Host, Url};

/// A host to talk to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its admin side.
    pub url: Url,
    /// What to show there.
    pub token: Option<String>,
}

impl Target {
    /// The one that the environment and this machine name.
    pub fn find() -> Result<Self, Failure> {
        let (named, note) = noted()?;
        let data = set("VITRINE_DATA").map(PathBuf::from);
        choose(named, note, set("VITRINE_TOKEN"), data)
    }
}

/// The data folder of the host that [`Target::find`] finds, if it runs on this machine as this user.
pub fn data_folder() -> Result<Option<PathBuf>, Failure> {
    let (_, note) = noted()?;
    Ok(note.and_then(|note| note.token_file.parent().map(Path::to_owned)))
}

fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// What `VITRINE_ADMIN` names, and the note of that host, or else of the one that started last.
fn noted() -> Result<(Option<Url>, Option<Note>), Failure> {
    let named = set("VITRINE_ADMIN").map(|text| parse(&text)).transpose()?;
    let mut notes = beacon::folder().map(|folder| beacon::find(&folder)).unwrap_or_default();
    if let Some(url) = &named {
        notes.retain(|note| Some(note.admin.port()) == url.port_or_known_default());
    } else if let [newest, _, ..] = &notes[..] {
        print::talk(&format!(
            "{} hosts run here; this is about the one that started last, http://{} (VITRINE_ADMIN names another)",
            notes.len(),
            newest.admin
        ));
    }
    Ok((named, notes.into_iter().next()))
}

fn parse(text: &str) -> Result<Url, Failure> {
    let usage = |why: &str| Failure::Usage(format!("VITRINE_ADMIN: `{text}` {why}; write http://HOST:PORT"));
    let url: Url = text.parse().map_err(|_| usage("is not a URL"))?;
    let usable = matches!(url.scheme(), "http" | "https") && url.has_host();
    if usable { Ok(url) } else { Err(usage("is not an http or https URL")) }
}

fn choose(
    named: Option<Url>,
    note: Option<Note>,
    token: Option<String>,
    data: Option<PathBuf>,
) -> Result<Target, Failure> {
    let url = match (named, &note) {
        (Some(url), _) => url,
        (None, Some(note)) => parse(&format!("http://{}", note.admin))?,
        (None, None) => parse(&format!("http://{}", Config::default().admin))?,
    };
    if token.is_some() || !is_local(&url) {
        return Ok(Target { url, token });
    }
    let in_folder = |folder: &Path| Layout::new(folder).admin_token();
    let files = [
        note.map(|note| note.token_file),
        data.as_deref().map(in_folder),
        Some(in_folder(&Config::default().data)),
    ];
    let token = files.into_iter().flatten().find_map(|file| fs::read_to_string(file).ok());
    Ok(Target { url, token: token.map(|text| text.trim().to_owned()) })
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(dir: &Path) -> Note {
        let token_file = dir.join("noted.token");
        fs::write(&token_file, "vt_noted\n").unwrap();
        Note { admin: ([127, 0, 0, 1], 999).into(), token_file, pid: 1 }
    }

    #[test]
    fn the_environment_wins_then_the_note_then_the_data_folder() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("admin.token"), "vt_data\n").unwrap();
        let data = || Some(dir.path().to_owned());
        let found = choose(None, Some(note(dir.path())), None, data()).unwrap();
        assert_eq!((found.url.as_str(), found.token.as_deref()), ("http://127.0.0.1:999/", Some("vt_noted")));
        let found = choose(None, Some(note(dir.path())), Some("vt_env".into()), data()).unwrap();
        assert_eq!(found.token.as_deref(), Some("vt_env"));
        let found = choose(Some(parse("http://localhost:5").unwrap()), None, None, data()).unwrap();
        assert_eq!((found.url.port(), found.token.as_deref()), (Some(5), Some("vt_data")));
        assert_eq!(choose(None, None, None, None).unwrap().url.as_str(), "http://127.0.0.1:8081/");
    }

    #[test]
    fn a_token_from_a_file_stays_on_this_machine() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("admin.token"), "vt_data\n").unwrap();
        let remote = || Some(parse("https://host.example:8081").unwrap());
        let found = choose(remote(), Some(note(dir.path())), None, Some(dir.path().to_owned())).unwrap();
        assert_eq!(found.token, None);
        assert_eq!(
            choose(remote(), None, Some("vt_env".into()), None).unwrap().token.as_deref(),
            Some("vt_env")
        );
    }

    #[test]
    fn what_is_no_url_is_wrong_usage() {
        for text in ["127.0.0.1:8081", "nonsense", "ftp://x", ""] {
            assert!(matches!(parse(text), Err(Failure::Usage(_))), "{text}");
        }
    }
}
