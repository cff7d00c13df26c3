//! Which host a verb talks to, and with which token.
//!
//! The host: `--host`, else `VITRINE_ADMIN`, else the running one of `VITRINE_DATA`, else the project's `.vitrine`, else the one
//! that this user runs on this machine, else the default address. With several running a verb that changes something is refused.
//! The token: `VITRINE_TOKEN`; for a host on this machine else the file that its note names, else `admin.token` in `VITRINE_DATA`
//! or `./vitrine-data`. A token from a file is never sent to another machine, and none to one that only `.vitrine` names and this
//! user does not trust ([`trust`](crate::cli::trust)). Nor is it sent where a process of another user listens
//! ([`listener`](crate::cli::listener)).

#[cfg(test)]
mod tests;

use crate::cli::host_name::{self, HostName};
use crate::cli::project::Project;
use crate::cli::{Failure, form, print};
use nix::unistd::geteuid;
use std::env;
use std::fs::OpenOptions;
use std::io::Read as _;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use url::{Host, Url};
use vitrine_control::admin::discovery::{self, HostFile};
use vitrine_core::config::Config;
use vitrine_core::limits::TOKEN_FILE_BYTES_MAX;
use vitrine_store::Layout;

/// What `--host` says.
static FLAG: OnceLock<String> = OnceLock::new();

/// What a verb does to the host that it talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It shows something: a guess at which host is meant hurts nothing.
    Read,
    /// It changes something.
    Change,
}

/// A host to talk to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Its admin side.
    pub url: Url,
    /// What to show there.
    pub token: Option<Token>,
    /// Its data folder, if it runs on this machine as this user.
    pub data: Option<PathBuf>,
    /// What made it the one that is meant.
    pub named_by: NamedBy,
    /// Where the name in its URL is on this machine, whatever it resolves to.
    pub at: Option<SocketAddr>,
}

/// A token, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// The token.
    pub text: String,
    /// Its file; none if it is the one in `VITRINE_TOKEN`.
    pub file: Option<PathBuf>,
}

/// What names a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NamedBy {
    /// `--host`.
    Flag,
    /// `VITRINE_ADMIN` or `VITRINE_DATA`.
    Environment,
    /// This `.vitrine` file.
    Project(PathBuf),
    /// Nothing: it is the only one here, or the newest for a verb that only reads, or at the default address.
    Nothing,
}

/// Notes what `--host` says, for [`Target::find`]. Once.
pub(super) fn name(host: String) {
    let _ = FLAG.set(host);
}

/// Whether `--host` names one.
pub(super) fn is_named() -> bool {
    FLAG.get().is_some()
}

impl NamedBy {
    /// How to name another host.
    #[must_use]
    pub(super) fn advice(&self) -> String {
        match self {
            Self::Flag => "--host names it".into(),
            Self::Environment => "the environment (VITRINE_ADMIN or VITRINE_DATA) names it".into(),
            Self::Project(file) => {
                format!("{} names it: change `host` there, or name another with --host", file.display())
            }
            Self::Nothing => "--host or VITRINE_ADMIN names another".into(),
        }
    }
}

impl Target {
    /// The host that is meant.
    ///
    /// # Errors
    /// [`Failure::Usage`] when it is not clear which one is, [`Failure::NotRunning`] when the one that is named is not there.
    pub(super) fn find(purpose: Purpose) -> Result<Self, Failure> {
        Given::here()?.choose(purpose)
    }

    /// Whether it is on this machine.
    #[must_use]
    pub(super) fn is_here(&self) -> bool {
        self.data.is_some() || self.at.is_some() || is_local(&self.url)
    }

    /// Its address, as people write it.
    #[must_use]
    pub(super) fn address(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// Says which host it is.
    pub(super) fn tell(&self) {
        let data = self.data.as_ref().map(|data| format!(" ({})", data.display())).unwrap_or_default();
        print::talk(&format!("host {}{data}", self.address()));
    }
}

/// All that can name a host or a token.
#[derive(Debug, Default)]
struct Given {
    flag: Option<String>,
    admin: Option<Url>,
    token: Option<String>,
    data: Option<PathBuf>,
    project: Option<Project>,
    /// Newest first.
    notes: Vec<HostFile>,
}

impl Given {
    fn here() -> Result<Self, Failure> {
        let flag = FLAG.get().cloned();
        let admin = set("VITRINE_ADMIN").filter(|_| flag.is_none());
        let admin = admin.map(|text| admin_side(&text)).transpose()?;
        let notes = discovery::folder().map(|folder| discovery::find(&folder)).unwrap_or_default();
        let data = set("VITRINE_DATA").map(PathBuf::from);
        let mut given = Self { flag, admin, token: set("VITRINE_TOKEN"), data, project: None, notes };
        // Where something else names the host, a file that can't be used does not matter.
        let of_data = given.data.as_ref().and_then(|data| given.of_folder(data));
        if given.flag.is_none() && given.admin.is_none() && of_data.is_none() {
            given.project = match Project::find() {
                Err(failure) if given.data.is_some() => {
                    print::talk(&format!("warning: {failure}; VITRINE_DATA names the host"));
                    None
                }
                found => found?,
            };
        }
        Ok(given)
    }

    fn choose(&self, purpose: Purpose) -> Result<Target, Failure> {
        if let Some(text) = &self.flag {
            return self.named(text, Path::new(""), NamedBy::Flag);
        }
        if let Some(url) = &self.admin {
            return Ok(self.at(url.clone(), NamedBy::Environment));
        }
        let of_data = self.data.as_ref().map(|data| (data, self.of_folder(data)));
        if let Some((_, Some(note))) = of_data {
            return self.noted(note, NamedBy::Environment);
        }
        if let Some(Project { file, host }) = &self.project {
            let folder = file.parent().unwrap_or(Path::new(""));
            return self.named(host, folder, NamedBy::Project(file.clone()));
        }
        let another = match (&self.notes[..], of_data) {
            ([], _) => return Ok(self.at(default_url(), NamedBy::Nothing)),
            ([only], None) => return self.noted(only, NamedBy::Nothing),
            (_, Some((data, _))) => {
                format!("no running host has the data folder {} (VITRINE_DATA)", data.display())
            }
            (several, None) => format!("{} hosts run here", several.len()),
        };
        if purpose == Purpose::Change {
            return Err(unclear(&another, &self.notes));
        }
        let newest = &self.notes[0];
        print::talk(&format!(
            "{another}; showing the one that started last, {} (--host names another)",
            newest.url()
        ));
        self.noted(newest, NamedBy::Nothing)
    }

    /// The host that a text means. Relative folders are below `base`.
    fn named(&self, text: &str, base: &Path, by: NamedBy) -> Result<Target, Failure> {
        match HostName::parse(text) {
            Some(HostName::Url(url)) => Ok(self.at(url, by)),
            Some(HostName::Port(port)) => {
                match self.notes.iter().filter(|note| note.admin.port() == port).collect::<Vec<_>>()[..] {
                    [note] => self.noted(note, by),
                    _ => Ok(self.at(parse(&format!("http://127.0.0.1:{port}"))?, by)),
                }
            }
            Some(HostName::Folder(folder)) => self.in_folder(&base.join(folder), by),
            Some(HostName::Name(name)) => {
                let is_called =
                    |note: &&HostFile| data_of(note).and_then(Path::file_name) == Some(name.as_ref());
                let folder = base.join(&name);
                let of_folder = self.of_folder(&folder);
                match self.notes.iter().filter(is_called).collect::<Vec<_>>()[..] {
                    [note] if of_folder.is_some() || !folder.is_dir() => {
                        self.noted(of_folder.unwrap_or(note), by)
                    }
                    [note] => Err(Failure::Usage(format!(
                        "`{name}` may be the folder {}, of which no host runs, or the host with the data folder {}: write ./{name}, or \
                         the whole path",
                        std::path::absolute(&folder).unwrap_or(folder).display(),
                        data_of(note).unwrap_or(Path::new("-")).display()
                    ))),
                    [] if folder.is_dir() => self.in_folder(&folder, by),
                    [] => Err(Failure::NotRunning(format!(
                        "no host that runs here has a data folder called `{name}`; name a host on another machine by its URL, \
                         such as http://{name}:8081; {}",
                        by.advice()
                    ))),
                    [..] => {
                        Err(unclear(&format!("several hosts that run here are called `{name}`"), &self.notes))
                    }
                }
            }
            None => Err(Failure::Usage(format!(
                "{} is not a host: write {}, HOST:PORT, a port of this machine (1 to 65535), or a data folder; {}",
                host_name::quoted(text),
                host_name::URL_FORM,
                by.advice()
            ))),
        }
    }

    fn in_folder(&self, folder: &Path, by: NamedBy) -> Result<Target, Failure> {
        match self.of_folder(folder) {
            Some(note) => self.noted(note, by),
            None => Err(Failure::NotRunning(format!(
                "no host of this user runs with the data folder {0}; `vitrine serve --data {0}` starts it; {1}",
                std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()).display(),
                by.advice()
            ))),
        }
    }

    fn of_folder(&self, folder: &Path) -> Option<&HostFile> {
        let folder = folder.canonicalize().ok()?;
        let is_same = |note: &&HostFile| {
            data_of(note).and_then(|data| data.canonicalize().ok()) == Some(folder.clone())
        };
        self.notes.iter().find(is_same)
    }

    fn noted(&self, note: &HostFile, named_by: NamedBy) -> Result<Target, Failure> {
        let url = parse(&note.url())?;
        let token = self.shown().or_else(|| read(note.token_file.clone()));
        let at = note.https.is_some().then(|| note.address());
        Ok(Target { url, token, data: data_of(note).map(Path::to_owned), named_by, at })
    }

    fn at(&self, url: Url, named_by: NamedBy) -> Target {
        if let Some(note) = self.notes.iter().find(|note| listens_at(note, &url)) {
            let token = self.shown().or_else(|| read(note.token_file.clone()));
            return Target { url, token, data: data_of(note).map(Path::to_owned), named_by, at: None };
        }
        let folders = [self.data.clone(), Some(Config::default().data)];
        let files = folders.into_iter().flatten().map(|folder| Layout::new(&folder).admin_token());
        let from_file = || is_local(&url).then(|| files.into_iter().find_map(read)).flatten();
        Target { token: self.shown().or_else(from_file), url, data: None, named_by, at: None }
    }

    fn shown(&self) -> Option<Token> {
        self.token.clone().map(|text| Token { text, file: None })
    }
}

/// The public sides of the hosts that run here, of `VITRINE_DATA` alone if that names one.
pub(super) fn edges() -> Vec<SocketAddr> {
    let notes = discovery::folder().map(|folder| discovery::find(&folder)).unwrap_or_default();
    let given = Given { data: set("VITRINE_DATA").map(PathBuf::from), notes, ..Given::default() };
    let of_data = given.data.as_ref().and_then(|data| given.of_folder(data));
    let meant = of_data.map_or_else(|| given.notes.iter().collect(), |note| vec![note]);
    meant.iter().filter_map(|note| note.edge).map(discovery::reached_from_here).collect()
}

fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn read(file: PathBuf) -> Option<Token> {
    // A link, or a file of another user, may stand for a secret that is none of this host's.
    let opened =
        OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(&file).ok()?;
    let (facts, own) = (opened.metadata().ok()?, geteuid());
    if !facts.is_file() || !(own.is_root() || [own.as_raw(), 0].contains(&facts.uid())) {
        return None;
    }
    let mut text = String::new();
    opened.take(TOKEN_FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
    Some(Token { text: text.trim().to_owned(), file: Some(file) })
}

fn data_of(note: &HostFile) -> Option<&Path> {
    note.token_file.parent()
}

fn default_url() -> Url {
    format!("http://{}", Config::default().admin).parse().expect("a socket address is a URL's authority")
}

/// It is not clear which host is meant.
fn unclear(why: &str, notes: &[HostFile]) -> Failure {
    let line = |note: &HostFile| {
        let data = data_of(note).unwrap_or(Path::new("-")).display();
        format!("\n  {}  {data}  since {}", note.url(), form::utc(note.since_ms))
    };
    let lines: String = notes.iter().map(line).collect();
    Failure::Usage(format!(
        "{why}: name one with --host, VITRINE_ADMIN or a `.vitrine` file; nothing was changed. Running here:{lines}"
    ))
}

fn parse(text: &str) -> Result<Url, Failure> {
    host_name::admin_url(text).ok_or_else(|| {
        Failure::Usage(format!(
            "VITRINE_ADMIN: {} is not the admin side of a host; write {}, HOST:PORT, or a port of this machine",
            host_name::quoted(text),
            host_name::URL_FORM
        ))
    })
}

/// What `VITRINE_ADMIN` names: a URL, `HOST:PORT`, or a port of this machine.
fn admin_side(text: &str) -> Result<Url, Failure> {
    match HostName::parse(text) {
        Some(HostName::Url(url)) => Ok(url),
        Some(HostName::Port(port)) => parse(&format!("http://127.0.0.1:{port}")),
        _ => parse(text),
    }
}

/// Whether a host of this machine answers at this URL.
fn listens_at(note: &HostFile, url: &Url) -> bool {
    let ip = note.admin.ip();
    let is_there = match url.host() {
        Some(Host::Ipv4(there)) => ip == there || (ip.is_unspecified() && there.is_loopback()),
        Some(Host::Ipv6(there)) => ip == there || (ip.is_unspecified() && there.is_loopback()),
        Some(Host::Domain(name)) => name == "localhost" && (ip.is_loopback() || ip.is_unspecified()),
        None => false,
    };
    is_there && url.port_or_known_default() == Some(note.admin.port())
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
