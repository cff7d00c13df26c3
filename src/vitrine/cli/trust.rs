//! Hosts on other machines that a `.vitrine` file names.
//!
//! The file comes with a repository, so its author can name any host. Before a token or a change is sent to one, this user agrees,
//! once for each host: a line of `trusted-hosts` in the user's state folder, outside of every project.

use crate::cli::listener::{self, Listener};
use crate::cli::target::{NamedBy, Purpose, Target};
use crate::cli::{Failure, ask, print};
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use vitrine_core::limits::TRUSTED_HOSTS_BYTES_MAX;

/// Name of the list: the address of one host a line.
const NAME: &str = "trusted-hosts";

/// Refuses to send a token or a change to a host on another machine that only a `.vitrine` file names, unless this user agrees.
///
/// # Errors
/// [`Failure::Usage`] where no person can be asked; [`Failure::Refused`] for any answer but yes.
pub(super) fn check(target: &Target, purpose: Purpose) -> Result<(), Failure> {
    check_in(folder().as_deref(), target, purpose, ask::at_terminal)
}

/// Notes that this user trusts a host, because they named it themselves.
///
/// # Errors
/// The list can't be written.
pub(super) fn note(target: &Target) -> io::Result<()> {
    folder().map_or(Ok(()), |folder| add(&folder, target.address()))
}

fn check_in(
    folder: Option<&Path>,
    target: &Target,
    purpose: Purpose,
    ask: impl FnOnce(&str) -> Result<Option<String>, Failure>,
) -> Result<(), Failure> {
    let NamedBy::Project(file) = &target.named_by else { return Ok(()) };
    if target.token.is_none() && purpose == Purpose::Read {
        return Ok(());
    }
    let host = target.address();
    if is_own(target) || folder.is_some_and(|folder| has(folder, host)) {
        return Ok(());
    }
    let named = format!("{} names the host {host}", file.display());
    if target.is_here() {
        if listener::of(target, None) == Listener::Absent {
            return Err(Failure::NotRunning(format!("{named}, where none runs: nothing was sent")));
        }
        return Err(Failure::Usage(format!(
            "{named}, where a process of another user listens: nothing was sent. Name the host yourself with --host {host} or \
             VITRINE_ADMIN={host}"
        )));
    }
    let way = if target.url.scheme() == "http" { ", unencrypted" } else { "" };
    let question = format!("{named}, on another machine. Send it your token and what you deploy{way}? [y/N]");
    match ask(&question)? {
        Some(typed) if ask::is_yes(&typed) => {
            if let Some(Err(error)) = folder.map(|folder| add(folder, host)) {
                print::talk(&format!("the answer is not stored, so the next command asks again: {error}"));
            }
            Ok(())
        }
        Some(_) => Err(Failure::refused("nothing was sent")),
        None => Err(Failure::Usage(format!(
            "{named}, which you do not trust yet: nothing was sent. Run the command once at a terminal and answer yes, or name the \
             host yourself with --host {host} or VITRINE_ADMIN={host}"
        ))),
    }
}

/// Whether what a `.vitrine` file names may be sent anything without a question: a host of this user, or of root, on this machine.
fn is_own(target: &Target) -> bool {
    target.data.is_some()
        || (target.is_here() && matches!(listener::of(target, None), Listener::Trusted | Listener::Unknown))
}

/// Whether nothing stands against talking to this host without a question.
pub(super) fn is_trusted(target: &Target) -> bool {
    !matches!(target.named_by, NamedBy::Project(_))
        || is_own(target)
        || folder().is_some_and(|folder| has(&folder, target.address()))
}

fn has(folder: &Path, host: &str) -> bool {
    let mut text = String::new();
    let opened = File::open(folder.join(NAME));
    let read = opened.and_then(|file| file.take(TRUSTED_HOSTS_BYTES_MAX).read_to_string(&mut text));
    read.is_ok() && text.lines().any(|line| line == host)
}

fn add(folder: &Path, host: &str) -> io::Result<()> {
    if has(folder, host) {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    let mut list = OpenOptions::new().create(true).append(true).open(folder.join(NAME))?;
    list.write_all(format!("{host}\n").as_bytes())
}

/// `vitrine/` in `$XDG_STATE_HOME`, else in `~/.local/state`.
fn folder() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local/state")));
    base.map(|base| base.join("vitrine"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::target::Token;

    fn target(url: &str, token: Option<&str>) -> Target {
        Target {
            url: url.parse().unwrap(),
            token: token.map(|text| Token { text: text.into(), file: None }),
            data: None,
            named_by: NamedBy::Project("/clone/.vitrine".into()),
            at: None,
        }
    }

    fn unasked(question: &str) -> Result<Option<String>, Failure> {
        panic!("it asked {question}")
    }

    #[test]
    fn a_host_elsewhere_is_asked_about_once() {
        let folder = tempfile::tempdir().unwrap();
        let check = |target: &Target, answer: Option<&str>| {
            check_in(Some(folder.path()), target, Purpose::Read, |_| Ok(answer.map(String::from)))
        };
        let host = target("https://host.example", Some("vt_x"));
        let Err(Failure::Usage(told)) = check(&host, None) else { panic!("no person agreed") };
        for word in ["/clone/.vitrine", "--host https://host.example", "VITRINE_ADMIN=", "nothing was sent"] {
            assert!(told.contains(word), "no `{word}` in: {told}");
        }
        assert!(matches!(check(&host, Some("n")), Err(Failure::Refused { .. })));
        check(&host, Some("y")).unwrap();
        check_in(Some(folder.path()), &host, Purpose::Change, unasked).unwrap();
        for other in ["https://other.example", "http://host.example", "https://host.example:8443"] {
            assert!(matches!(check(&target(other, Some("vt_x")), None), Err(Failure::Usage(_))), "{other}");
        }
    }

    #[test]
    fn only_what_a_file_names_on_another_machine_and_what_matters_there_is_asked_about() {
        let check = |target: &Target, purpose| check_in(None, target, purpose, unasked);
        let host = |token| target("http://host.example:8081", token);
        let refused = |token, purpose| check_in(None, &host(token), purpose, |_| Ok(None)).is_err();
        assert!(refused(Some("vt_x"), Purpose::Read) && refused(None, Purpose::Change));
        check(&host(None), Purpose::Read).unwrap();
        // On this machine it depends on whose process listens there.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let here = target(&format!("http://{}", listener.local_addr().unwrap()), Some("vt_x"));
        check(&here, Purpose::Change).unwrap();
        drop(listener);
        assert!(matches!(check(&here, Purpose::Change), Err(Failure::NotRunning(_))));
        let data = Some("/srv/data".into());
        check(&Target { data, ..host(Some("vt_x")) }, Purpose::Change).unwrap();
        for named_by in [NamedBy::Flag, NamedBy::Environment, NamedBy::Nothing] {
            check(&Target { named_by, ..host(Some("vt_x")) }, Purpose::Change).unwrap();
        }
    }
}
