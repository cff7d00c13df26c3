//! `vitrine key`.

use crate::cli::client::Client;
use crate::cli::{Failure, ask, config, print};
use serde_json::json;
use std::path::PathBuf;
use vitrine_store::{KeySource, Rotated, Store};

/// The key that encrypts values of environments
///
/// It is stored outside the database: in the file that `[secrets] key_file` of vitrine.toml names, else in `vitrine.key` among systemd's
/// credentials, else in `vitrine.key` in the data folder. Without it the values are lost, so keep a copy, apart from the backups.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Encrypt all values under a new key, while the host runs
    ///
    /// The old key is removed from the key file. Earlier backups can't be read without it: keep a copy of the file first, or make a
    /// new backup afterwards. It needs the host's own token.
    Rotate,
    /// Remove the values whose key is lost, so that the host can start again
    ///
    /// Their apps start without them until they are set again. The host must not be running.
    Forget {
        /// The data folder [default: that of the configuration file, or vitrine-data]
        #[arg(long, value_name = "DIR", env = "VITRINE_DATA", hide_env_values = true)]
        data: Option<PathBuf>,
        /// Configuration file [default: ./vitrine.toml if it exists]
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// Runs the verb.
pub(super) async fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Rotate => rotate().await,
        Verb::Forget { data, config, yes } => forget(data, config, yes),
    }
}

async fn rotate() -> Result<(), Failure> {
    let client = Client::changing()?;
    let rotated: Rotated = client.post(&["key", "rotate"], &json!({})).await?;
    if print::is_json() {
        return client.print_json(&rotated);
    }
    print::talk(&format!(
        "backups made until now need key {}, which this host no longer has; make a new one",
        rotated.from
    ));
    print::data(&format!("values are encrypted under key {}", rotated.to))
}

fn forget(data: Option<PathBuf>, config: Option<PathBuf>, yes: bool) -> Result<(), Failure> {
    let config = config::of_host(config)?;
    let data = data.unwrap_or(config.data);
    if !yes {
        ask::consent(&format!(
            "this removes the values in {} whose key is lost, and they can't be restored",
            data.display()
        ))?;
    }
    let source = KeySource::choose(config.secrets.key_file.as_deref());
    let forgotten =
        Store::forget_lost_values(&data, &source).map_err(Failure::local("removing the values"))?;
    if print::is_json() {
        return print::json(&json!({ "data": data, "removed": forgotten }));
    }
    print::data(&format!("{forgotten} values removed from {}", data.display()))
}
