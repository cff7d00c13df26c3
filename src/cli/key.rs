//! `vitrine key`.

use crate::cli::client::Client;
use crate::cli::{Failure, print};
use crate::config::Config;
use crate::store::{KeySource, Rotated, Store};
use serde_json::json;
use std::path::{Path, PathBuf};

/// The key that encrypts values of environments
///
/// It lies in a file outside of the database: `[secrets] key_file` of vitrine.toml, `vitrine.key` among systemd's credentials, or
/// `vitrine.key` in the data folder. Without it the values are lost, so keep a copy of it, apart from backups of the database.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Encrypt all values under a new key, while the host runs
    ///
    /// The old key is removed from the key file. Earlier backups can't be read without it: keep a copy of the file first, or make a
    /// new backup afterwards. It needs the host's own token.
    Rotate,
    /// Remove the values whose key is lost, so that the host starts again
    ///
    /// Their apps start without them until they are set again. The host must not be running.
    Forget {
        /// The data folder [default: that of the configuration file, or vitrine-data]
        #[arg(long, value_name = "DIR", env = "VITRINE_DATA", hide_env_values = true)]
        data: Option<PathBuf>,
        /// Configuration file; ./vitrine.toml if it is there
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Really remove them
        #[arg(long)]
        yes: bool,
    },
}

impl Args {
    /// Whether it is about a host that runs.
    pub const fn talks_to_a_host(&self) -> bool {
        matches!(self.verb, Verb::Rotate)
    }
}

/// Runs the verb.
pub async fn run(args: Args) -> Result<(), Failure> {
    match args.verb {
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
    let here = Path::new("vitrine.toml");
    let file = config.or_else(|| here.exists().then(|| here.to_owned()));
    let config = Config::load(file.as_deref()).map_err(Failure::local("reading the configuration"))?;
    let data = data.unwrap_or(config.data);
    if !yes {
        let text =
            "values whose key is lost can't be brought back once they are removed; add --yes to remove them";
        return Err(Failure::Usage(text.into()));
    }
    let source = KeySource::choose(config.secrets.key_file.as_deref());
    let forgotten =
        Store::forget_lost_values(&data, &source).map_err(Failure::local("removing the values"))?;
    if print::is_json() {
        return print::json(&json!({ "data": data, "removed": forgotten }));
    }
    print::data(&format!("{forgotten} values removed from {}", data.display()))
}
