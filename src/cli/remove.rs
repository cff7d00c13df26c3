//! `vitrine remove`.

use crate::cli::Failure;
use crate::cli::client::Client;
use crate::id::{AppName, IdError, ReleaseId, Version};
use reqwest::Method;
use serde_json::json;
use std::str::FromStr;

/// An app, or one release of it: `APP` or `APP@VERSION`.
#[derive(Debug, Clone)]
pub struct Subject {
    /// App.
    pub app: AppName,
    /// Version; none means the app.
    pub version: Option<Version>,
}

impl FromStr for Subject {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.contains('@') {
            let ReleaseId { app, version } = text.parse()?;
            return Ok(Self { app, version: Some(version) });
        }
        Ok(Self { app: text.parse()?, version: None })
    }
}

/// Remove a release that is not live, or an app with all its releases and values
#[derive(Debug, clap::Args)]
pub struct Args {
    /// App, or one release of it, to remove
    #[arg(value_name = "APP[@VERSION]")]
    subject: Subject,
    /// Let other apps use the app's name, also of one that was removed; without it the name stays its own
    #[arg(long)]
    free_name: bool,
}

/// Runs the verb.
pub async fn run(args: Args) -> Result<(), Failure> {
    let Subject { app, version } = args.subject;
    let client = Client::changing()?;
    match version {
        Some(_) if args.free_name => {
            Err(Failure::Usage("--free-name is for a whole app: vitrine remove APP --free-name".into()))
        }
        Some(version) => {
            client.delete(&["apps", app.as_str(), "releases", version.as_str()]).await?;
            let facts = json!({ "removed": app, "version": version });
            client.done(&facts, &format!("removed {app}@{version}"))
        }
        None if args.free_name => {
            let request = client.request(Method::DELETE, &["apps", app.as_str()]);
            client.send(request.query(&[("free_name", true)])).await?;
            let facts = json!({ "removed": app, "name_is_free": true });
            client.done(&facts, &format!("{app} is removed with all its releases, and its name is free"))
        }
        None => {
            client.delete(&["apps", app.as_str()]).await?;
            let facts = json!({ "removed": app, "name_is_free": false });
            client.done(&facts, &format!("removed {app} and all its releases; its name stays its own"))
        }
    }
}
