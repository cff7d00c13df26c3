//! How the command line finds a host of the same user on the same machine.
//!
//! A running host leaves a note in the user's runtime folder, `host-ADDRESS.json`: where its admin side listens, where
//! its token lies, and since when it runs. The note holds no secret.

use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use std::{env, fs, io};
use vitrine_core::clock::Clock;
use vitrine_core::files::Replace;

/// What a note says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFile {
    /// Address of the admin side.
    pub admin: SocketAddr,
    /// The name that its certificate has, if it speaks TLS; empty, if that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub https: Option<String>,
    /// File of its token.
    pub token_file: PathBuf,
    /// Process of the host.
    pub pid: u32,
    /// When it started, in milliseconds since the Unix epoch; an older build's note has the time of its file instead.
    #[serde(default)]
    pub since_ms: u64,
    /// Address of the public side.
    #[serde(default)]
    pub edge: Option<SocketAddr>,
}

impl HostFile {
    /// Where it is reached from this machine.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        reached_from_here(self.admin)
    }

    /// Where the admin side answers, by the name in its certificate if it has one.
    #[must_use]
    pub fn url(&self) -> String {
        match self.https.as_deref() {
            None => format!("http://{}", self.address()),
            Some("") => format!("https://{}", self.address()),
            Some(name) => format!("https://{name}:{}", self.admin.port()),
        }
    }
}

/// An address that a host listens on, as its machine reaches it.
#[must_use]
pub fn reached_from_here(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// A note that a running host leaves for the command line; removed when this is dropped.
#[derive(Debug)]
pub struct Discovery {
    path: PathBuf,
    note: HostFile,
}

impl Discovery {
    /// Leaves the note of this process in `folder`.
    ///
    /// # Errors
    /// The folder or the file can't be written.
    pub fn write(
        folder: &Path,
        admin: SocketAddr,
        https: Option<String>,
        edge: Option<SocketAddr>,
        token_file: &Path,
    ) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let (pid, since_ms) = (std::process::id(), Clock::system().now_ms());
        let note =
            HostFile { admin, https, token_file: std::path::absolute(token_file)?, pid, since_ms, edge };
        let path = folder.join(format!("host-{admin}.json"));
        let discovery = Self { path, note };
        discovery.rewrite()?;
        Ok(discovery)
    }

    /// Leaves the note again: a successor that failed has written its own in its place.
    ///
    /// # Errors
    /// As [`Discovery::write`].
    pub fn rewrite(&self) -> io::Result<()> {
        // A successor may write its own at the same moment.
        let staged = self.path.with_extension(self.note.pid.to_string());
        Replace::remakeable(&staged, "discovery").put(&self.path, &serde_json::to_vec(&self.note)?)
    }
}

impl Drop for Discovery {
    fn drop(&mut self) {
        let mine = read(&self.path).is_some_and(|note| note.pid == std::process::id());
        if mine {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Where the notes of this user's hosts lie: `vitrine/` in `$XDG_RUNTIME_DIR`, else in `$XDG_STATE_HOME`, else in
/// `/run/user/UID` if that exists, else in `~/.local/state`.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let run = || {
        let uid = fs::metadata("/proc/self").ok()?.uid();
        Some(PathBuf::from(format!("/run/user/{uid}"))).filter(|run| run.is_dir())
    };
    set("XDG_RUNTIME_DIR")
        .or_else(|| set("XDG_STATE_HOME"))
        .or_else(run)
        .or_else(|| set("HOME").map(|home| home.join(".local/state")))
        .map(|base| base.join("vitrine"))
}

/// The running hosts, the one that started last first; one at an address. Notes of hosts that were killed are removed.
#[must_use]
pub fn find(folder: &Path) -> Vec<HostFile> {
    let written_ms = |path: &Path| {
        let written = fs::metadata(path).and_then(|data| data.modified()).ok()?;
        u64::try_from(written.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
    };
    let mut found: Vec<HostFile> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .filter_map(|path| {
            let mut note = read(&path)?;
            if Path::new(&format!("/proc/{}", note.pid)).exists() {
                if note.since_ms == 0 {
                    note.since_ms = written_ms(&path).unwrap_or_default();
                }
                return Some(note);
            }
            // Another call may have been faster.
            let _ = fs::remove_file(&path);
            None
        })
        .collect();
    found.sort_by_key(|note| Reverse(note.since_ms));
    // A host that an older build handed over to this one lives until its last request, and its note is under another name.
    let mut addresses = BTreeSet::new();
    found.retain(|note| addresses.insert(note.admin));
    found
}

fn read(path: &Path) -> Option<HostFile> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_host_is_first_and_the_dead_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("vitrine");
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let found = || find(&folder).into_iter().map(|note| note.admin.port()).collect::<Vec<_>>();
        let leave = |port, pid, since_ms| {
            let note =
                HostFile { admin: at(port), https: None, token_file: "/b".into(), pid, since_ms, edge: None };
            let path = folder.join(format!("host-{}.json", note.admin));
            fs::write(&path, serde_json::to_vec(&note).unwrap()).unwrap();
            path
        };
        assert!(found().is_empty());
        let first = Discovery::write(&folder, at(1001), None, None, Path::new("/a/admin.token")).unwrap();
        let alive = std::process::id();
        let later = leave(1002, alive, u64::MAX);
        assert_eq!(found(), [1002, 1001]);
        assert_eq!(find(&folder)[1].token_file, Path::new("/a/admin.token"));
        // An older build's note is as old as its file.
        let older = leave(1003, alive, 0);
        let long_ago = UNIX_EPOCH + std::time::Duration::from_secs(1);
        fs::File::options().write(true).open(&older).unwrap().set_modified(long_ago).unwrap();
        assert_eq!(found(), [1002, 1001, 1003]);
        let dead = leave(1004, u32::MAX, u64::MAX);
        assert_eq!(found(), [1002, 1001, 1003]);
        assert!(!dead.exists() && later.exists());
        // One that took over has left its own note in the place of this one's.
        leave(1001, 1, u64::MAX - 1);
        drop(first);
        assert_eq!(found(), [1002, 1001, 1003]);
        drop(Discovery::write(&folder, at(1005), None, None, Path::new("/c")).unwrap());
        assert_eq!(found(), [1002, 1001, 1003]);
    }
}
