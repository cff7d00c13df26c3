//! `vitrine config`.

use crate::cli::{Failure, print, similar};
use crate::host::Precheck;
use nix::unistd::geteuid;
use serde_json::json;
use std::error::Error;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use vitrine_core::config::{Config, ConfigError, FIELD_HELP};
use vitrine_core::telemetry::error_chain;

/// Print and check the configuration of a host, vitrine.toml
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Print a configuration file with all fields, their defaults and comments, to start your own from
    Print {},
    /// Report what `serve` would refuse: the first error of the file with its line and column, or what can't be used of the data
    /// folder, keys, token, certificates, password file and addresses
    ///
    /// Addresses that others use, and apps that the file names and the data folder does not have, are warnings. Nothing is written, and the host
    /// may run meanwhile. Run it as the user that the host runs as: files that only that user can read are not checked otherwise.
    Check {
        /// Configuration file to read
        file: PathBuf,
        /// The data folder [default: that of the file]
        #[arg(long, value_name = "DIR", env = "VITRINE_DATA", hide_env_values = true)]
        data: Option<PathBuf>,
    },
}

/// Runs the verb.
pub(super) fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Print {} if print::is_json() => print::json(&Config::default()),
        Verb::Print {} => print::raw(FIELD_HELP.trim_end()),
        Verb::Check { file, data } => {
            let mut config = of_host(Some(file.clone()))?;
            config.data = data.unwrap_or(config.data);
            let warnings = precheck(&config, &file)?;
            let told = format!("{} can be used; `vitrine serve --config` takes it", file.display());
            print::done(&json!({ "file": file, "usable": true, "warnings": warnings }), &told)
        }
    }
}

/// Refuses what `serve` would refuse, all of it at once, and gives the warnings. What only another user may read or bind is not checked,
/// which is a warning.
fn precheck(config: &Config, file: &Path) -> Result<Vec<String>, Failure> {
    let found = Precheck::of(config);
    let (unchecked, refused): (Vec<_>, Vec<_>) =
        found.refused.iter().partition(|error| is_of_another_user(*error));
    let unchecked = unchecked.into_iter().map(|error| format!("not checked: {}", error_chain(error)));
    let in_use = found.in_use.iter().map(|(field, address)| {
        format!("`{field}` is {address}, which another process listens on; `serve` needs it free")
    });
    let warnings: Vec<String> = unchecked.chain(in_use).chain(unknown_apps(config, &found)).collect();
    warnings.iter().for_each(|warning| print::talk(&format!("warning: {warning}")));
    if refused.is_empty() {
        return Ok(warnings);
    }
    if geteuid().is_root() {
        let file = file.display();
        print::talk(&format!(
            "checked as root; if the host runs as another user, check as that user: sudo -u USER vitrine config check {file}"
        ));
    }
    let refused: Vec<String> = refused.into_iter().map(|error| error_chain(error)).collect();
    Err(Failure::refused(refused.join("\n")))
}

/// Apps that are named and not there: a mistyped name configures nothing. Before the first deploy none is there.
fn unknown_apps(config: &Config, found: &Precheck) -> Vec<String> {
    if found.apps.is_empty() {
        return Vec::new();
    }
    let named = config.named_apps().into_iter().filter(|(_, app)| !found.apps.contains(app));
    let told = named.map(|(place, app)| {
        let close = similar::closest(app.as_str(), found.apps.iter().map(|app| app.as_str()));
        let hint = close.map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
        format!("`{place}`: no app `{app}` has been deployed{hint}")
    });
    told.collect()
}

fn is_of_another_user(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::PermissionDenied) {
            return true;
        }
        next = error.source();
    }
    false
}

/// Reads the configuration of a host: this file, else ./vitrine.toml if it exists, else the defaults.
///
/// # Errors
/// File, line, column and what would be right.
pub(super) fn of_host(file: Option<PathBuf>) -> Result<Config, Failure> {
    let here = Path::new("vitrine.toml");
    if file.is_none() && here.exists() {
        refuse_foreign(here, geteuid().as_raw())?;
    }
    let file = file.or_else(|| here.exists().then(|| here.to_owned()));
    Config::load(file.as_deref()).map_err(unusable)
}

/// Refuses a file that was not named and that another user wrote, or may write: `serve` in a shared folder would run with it unnoticed.
fn refuse_foreign(file: &Path, own: u32) -> Result<(), Failure> {
    let refused = |why: String| {
        let file = file.display();
        Err(Failure::refused(format!(
            "{file} {why} and is not read; if it is the one that is meant, name it: --config {file}"
        )))
    };
    for facts in [fs::symlink_metadata(file), fs::metadata(file)] {
        let facts = facts.map_err(Failure::local("reading vitrine.toml"))?;
        if facts.uid() != own && facts.uid() != 0 {
            return refused(format!("belongs to another user ({})", facts.uid()));
        }
        if !facts.is_symlink() && facts.mode() & 0o002 != 0 {
            return refused(format!("can be written by every user (mode {:03o})", facts.mode() & 0o777));
        }
    }
    Ok(())
}

/// Reads the configuration of `solo`: this file, else the defaults.
///
/// # Errors
/// As [`of_host`].
pub(super) fn of_solo(file: Option<&Path>) -> Result<Config, Failure> {
    Config::load_alone(file).map_err(unusable)
}

/// Checks a configuration once flags have changed it.
///
/// # Errors
/// The field and what would be right.
pub(super) fn checked(config: Config) -> Result<Config, Failure> {
    config.check().map_err(unusable)?;
    Ok(config)
}

fn unusable(error: ConfigError) -> Failure {
    Failure::refused(error_chain(&error))
}

/// The names of all fields, a table a line.
pub(super) fn fields() -> String {
    let mut text = String::new();
    for line in FIELD_HELP.lines() {
        let field = line.trim_start_matches("# ");
        if field.starts_with('[') && field.ends_with(']') && !field.contains(' ') {
            text.push_str(&format!("\n  {field}"));
        } else if let Some((name, _)) = field.split_once(" = ").filter(|(name, _)| is_name(name)) {
            let separator = if text.is_empty() { "  " } else { " " };
            text.push_str(&format!("{separator}{name}"));
        }
    }
    text
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    #[test]
    fn a_file_that_nobody_named_is_this_users_or_roots_and_no_other_may_write_it() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("vitrine.toml"), folder.path().join("link.toml"));
        fs::write(&file, "").unwrap();
        symlink(&file, &link).unwrap();
        let own = geteuid().as_raw();
        let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        for path in [&file, &link] {
            mode(0o664);
            refuse_foreign(path, own).unwrap();
            mode(0o646);
            assert!(matches!(refuse_foreign(path, own), Err(Failure::Refused { .. })));
            mode(0o644);
            // Root's own is everybody's.
            assert_eq!(refuse_foreign(path, own + 1).is_err(), own != 0);
            if own == 0 {
                std::os::unix::fs::lchown(path, Some(65534), None).unwrap();
                assert!(refuse_foreign(path, own).is_err());
                std::os::unix::fs::lchown(path, Some(0), None).unwrap();
            }
        }
    }

    #[test]
    fn the_list_of_fields_has_those_of_tables_that_are_off() {
        let fields = fields();
        assert!(fields.starts_with("  listen admin data "), "{fields}");
        for line in [
            "\n  [tls] listen certificate key",
            "\n  [metrics] allow\n",
            "\n  [[routes]] host app\n",
            "\n  [health] healthCheckGracePeriodSeconds\n",
            "\n  [health.healthCheck] interval timeout retries startPeriod\n",
        ] {
            assert!(fields.contains(line), "{line:?} in {fields}");
        }
    }
}
