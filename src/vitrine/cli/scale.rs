//! `vitrine scale`.

use crate::cli::client::Client;
use crate::cli::form::Form;
use crate::cli::table::{self, Column};
use crate::cli::{Failure, print, similar};
use reqwest::Method;
use vitrine_bundle::Scale;
use vitrine_control::release::{AppView, InstanceView};
use vitrine_core::id::AppName;

/// Of an instance.
const INSTANCES: [Column; 5] = [
    Column::new("INSTANCE"),
    Column::new("VERSION"),
    Column::new("STATE"),
    Column::new("HEALTH"),
    Column::new("IN FLIGHT").rank(1),
];

/// Show or set how many instances an app has
///
/// A number replaces what `scale` in the app's vitrine.json asks for, until --reset. Users get that many instances of each release that
/// they get, within `worker.instances_max` of vitrine.toml. Returns once they serve; instances that are too many finish their requests.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// App to scale
    app: AppName,
    /// Instances that it has from now on
    #[arg(value_name = "N", conflicts_with_all = ["min", "max", "reset"])]
    instances: Option<u32>,
    /// Instances that it has at least [default: 1, or as --max if that is less]
    #[arg(long, value_name = "N", conflicts_with = "reset")]
    min: Option<u32>,
    /// Instances that it has at most [default: as --min]
    #[arg(long, value_name = "N", conflicts_with = "reset")]
    max: Option<u32>,
    /// Leave it to the app's vitrine.json again
    #[arg(long)]
    reset: bool,
    #[command(flatten)]
    form: Form,
}

/// Runs the verb.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let wish = wished(&args)?;
    let client = if wish.is_some() || args.reset { Client::changing()? } else { Client::reading()? };
    let path = ["apps", args.app.as_str(), "scale"];
    let answered: Result<AppView, Failure> = match wish {
        Some(scale) => client.json(client.request(Method::PUT, &path).json(&scale)).await,
        None if args.reset => client.json(client.request(Method::DELETE, &path)).await,
        None => client.get(&path[..2]).await,
    };
    let app = match answered {
        Err(failure) => return Err(similar::with_hint(&client, &args.app, None, failure).await),
        app => app?,
    };
    if print::is_json() {
        return client.print_json(&app);
    }
    let count = match app.scale {
        Scale { min: 1, max: 1 } => "1 instance".to_owned(),
        Scale { min, max } if min == max => format!("{min} instances"),
        Scale { min, max } => format!("{min} to {max} instances"),
    };
    let whose = if app.scale_is_set { "as set by `vitrine scale`" } else { "as its vitrine.json asks for" };
    print::talk(&format!("{}: {count}, {whose}", args.app));
    show(&app.instances, args.form)
}

/// What is to be set, if anything is.
fn wished(args: &Args) -> Result<Option<Scale>, Failure> {
    let scale = match (args.instances, args.min, args.max) {
        (None, None, None) => return Ok(None),
        (Some(count), ..) => Scale { min: count, max: count },
        (None, Some(min), max) => Scale { min, max: max.unwrap_or(min) },
        (None, None, Some(max)) => Scale { min: 1, max },
    };
    scale.check().map_err(|(field, message)| Failure::Usage(format!("`{field}` {message}")))?;
    Ok(Some(scale))
}

/// Prints instances.
pub(super) fn show(instances: &[InstanceView], form: Form) -> Result<(), Failure> {
    let row = |one: &InstanceView| {
        let health = one.health.as_str().to_owned();
        vec![one.id.clone(), one.version.clone(), one.state.clone(), health, one.in_flight.to_string()]
    };
    table::print(form.width, &INSTANCES, &instances.iter().map(row).collect::<Vec<_>>())
}
