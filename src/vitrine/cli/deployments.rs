//! `vitrine deployments`.

use crate::cli::client::Client;
use crate::cli::form::Form;
use crate::cli::table::{self, Column};
use crate::cli::{Failure, print, similar};
use vitrine_control::admin::deployments::DeployView;
use vitrine_core::id::AppName;

/// Of a deployment.
const COLUMNS: [Column; 6] = [
    Column::new("ID"),
    Column::new("VERSION").cut(8),
    Column::new("BEGUN").rank(2),
    Column::new("WHO").cut(8).rank(1),
    Column::new("STATE").state(),
    Column::new("ERROR").cut(12).rank(3),
];

/// List the deployments of an app that run, and the last ones that ran, newest first
///
/// With an ID it shows one of them, with what its worker logged while it was started. After a restart of the host only the deployment
/// that is live is known.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// App that is or was deployed
    app: AppName,
    /// One deployment, as `vitrine deploy` names it when it is interrupted
    id: Option<String>,
    #[command(flatten)]
    form: Form,
}

/// Runs the verb.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let Args { app, id, form } = args;
    let client = Client::reading()?;
    let path = ["apps", app.as_str(), "deployments"];
    match id {
        Some(id) => {
            let one: DeployView = client.get(&[&path[..], &[&id]].concat()).await?;
            if print::is_json() { print::json(&one) } else { show(&one, form) }
        }
        None => {
            let all: Vec<DeployView> = match client.get(&path).await {
                Err(failure) => return Err(similar::with_hint(&client, &app, None, failure).await),
                all => all?,
            };
            if print::is_json() { print::json(&all) } else { list(&all, form) }
        }
    }
}

fn list(all: &[DeployView], form: Form) -> Result<(), Failure> {
    let row = |one: &DeployView| {
        vec![
            one.id.clone(),
            one.version.clone(),
            form.time(one.begun_ms),
            one.who.clone().unwrap_or_else(|| "-".into()),
            one.result.map_or(one.phase.as_str(), |result| result.as_str()).to_owned(),
            one.error.as_ref().map_or_else(|| "-".into(), |error| error.detail.clone()),
        ]
    };
    table::print(form.width, &COLUMNS, &all.iter().map(row).collect::<Vec<_>>())
}

fn show(one: &DeployView, form: Form) -> Result<(), Failure> {
    list(std::slice::from_ref(one), form)?;
    if let Some(error) = &one.error {
        print::data(&error.detail)?;
    }
    one.log.iter().try_for_each(|line| print::data(line))
}
