//! `vitrine routes`.

use crate::cli::client::Client;
use crate::cli::{Failure, print};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use vitrine_control::release::{ExplainedRoute, RequestToExplain, RoutingView};
use vitrine_core::config::RoutingRules;
use vitrine_core::telemetry::error_chain;
use vitrine_proxy::rules::{FORCE_PARAMETER, force_token};

/// Routing rules: which app, answer or server a request is for
///
/// Rules are the tables [[route]], [[experiment]] and [jwt] of vitrine.toml, or of a file that `vitrine routes set` puts in their place
/// while the host runs. The first rule whose conditions all hold decides; where none does, the host name decides as without rules.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Print the rules in force as TOML
    Get,
    /// Replace all rules by those of a file, at once; a file with a mistake changes nothing
    Set {
        /// File with [[route]], [[experiment]] and [jwt] tables; - is stdin
        file: PathBuf,
    },
    /// Say which rule decides a request, and why those before it do not
    Explain {
        /// Address of the request, such as https://www.example.com/learn/a?b=c
        url: String,
        /// Header of the request, as `name: value`; may be given several times
        #[arg(short = 'H', long = "header", value_name = "HEADER")]
        headers: Vec<String>,
        /// Method of the request
        #[arg(long, default_value = "GET")]
        method: String,
        /// Address of the client [default: 127.0.0.1]
        #[arg(long, value_name = "ADDRESS")]
        client: Option<IpAddr>,
        /// Number of the visitor, as the cookie __vitrine_id has it
        #[arg(long, value_name = "DIGITS")]
        visitor: Option<String>,
    },
    /// Undo the last `routes set`; after the first one, the rules of vitrine.toml are in force again
    Rollback,
    /// Undo every `routes set`: the rules of vitrine.toml are in force again
    Reset,
    /// Print a signed query parameter that gives a request a variant of an experiment; talks to no host
    Link {
        /// Experiment and variant, such as checkout=b
        #[arg(value_name = "EXPERIMENT=VARIANT")]
        variant: String,
        /// File with the key, as `force_key_file` of the experiment names it
        #[arg(long, value_name = "FILE")]
        key_file: PathBuf,
    },
}

/// Runs the verb.
pub(super) async fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Get => {
            let view: RoutingView = Client::reading()?.get(&["routes"]).await?;
            if print::is_json() {
                return print::json(&view);
            }
            print::talk(&origin(&view));
            view.notes.iter().for_each(|note| print::talk(&format!("note: {note}")));
            print::data(view.text.trim_end())
        }
        Verb::Set { file } => set(&file).await,
        Verb::Explain { url, headers, method, client, visitor } => {
            let headers = headers.iter().map(|line| header(line)).collect::<Result<_, _>>()?;
            explain(RequestToExplain { url, method: Some(method), headers, client, visitor }).await
        }
        Verb::Rollback => {
            let client = Client::changing()?;
            let view: RoutingView = client.post(&["routes", "rollback"], &json!({})).await?;
            client.done(&view, &format!("undone; in force now: {}", origin(&view)))
        }
        Verb::Reset => {
            let client = Client::changing()?;
            let view: RoutingView = client.json(client.request(Method::DELETE, &["routes"])).await?;
            client.done(&view, &format!("in force: {}", origin(&view)))
        }
        Verb::Link { variant, key_file } => link(&variant, &key_file),
    }
}

async fn set(file: &Path) -> Result<(), Failure> {
    let text = read(file)?;
    // With the name that the file has here, and before anything is sent.
    let rules = RoutingRules::parse(&text, file).map_err(|error| Failure::refused(error.to_string()))?;
    if rules.is_empty() {
        let file = file.display();
        return Err(Failure::refused(format!(
            "{file} has no [[route]], [[experiment]] or [jwt]; `vitrine routes reset` goes back to the rules of vitrine.toml"
        )));
    }
    let client = Client::changing()?;
    let request =
        client.request(Method::PUT, &["routes"]).header(CONTENT_TYPE, "application/toml").body(text);
    let view: RoutingView = client.json(request).await?;
    if !print::is_json() {
        view.notes.iter().for_each(|note| print::talk(&format!("note: {note}")));
    }
    client.done(&view, &format!("in force: {}; `vitrine routes rollback` undoes this", origin(&view)))
}

fn read(file: &Path) -> Result<String, Failure> {
    let read = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(file)
    };
    read.map_err(|error| Failure::refused(format!("{} can't be read: {error}", file.display())))
}

async fn explain(request: RequestToExplain) -> Result<(), Failure> {
    let client = Client::reading()?;
    let explained: ExplainedRoute = client.post(&["routes", "explain"], &request).await?;
    if print::is_json() {
        return print::json(&explained);
    }
    for tried in &explained.tried {
        print::talk(&format!("rule {}: {} does not hold", tried.index, tried.failed));
    }
    explained.notes.iter().for_each(|note| print::talk(&format!("note: {note}")));
    let target =
        explained.target.as_deref().unwrap_or("nothing: no rule holds, and no app has this host name");
    let by =
        explained.matched.map_or_else(|| "by the host name".to_owned(), |index| format!("by rule {index}"));
    print::data(&format!("{target} ({by})"))
}

/// Where rules come from, in words.
fn origin(view: &RoutingView) -> String {
    let rules = if view.rules == 1 { "1 rule".to_owned() } else { format!("{} rules", view.rules) };
    match (&view.revision, &view.by) {
        (Some(revision), Some(by)) => format!("{rules}, revision {revision}, set by {by}"),
        _ => format!("{rules} of vitrine.toml"),
    }
}

fn header(line: &str) -> Result<(String, String), Failure> {
    let (name, value) = line
        .split_once(':')
        .ok_or_else(|| Failure::Usage(format!("`{line}` is no header; write -H 'name: value'")))?;
    Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
}

fn link(variant: &str, key_file: &Path) -> Result<(), Failure> {
    let (experiment, variant) = variant
        .split_once('=')
        .filter(|(experiment, variant)| !experiment.is_empty() && !variant.is_empty())
        .ok_or_else(|| Failure::Usage(format!("`{variant}` is no EXPERIMENT=VARIANT, such as checkout=b")))?;
    let token =
        force_token(key_file, experiment, variant).map_err(|error| Failure::refused(error_chain(&error)))?;
    let query = format!("{FORCE_PARAMETER}={token}");
    if print::is_json() { print::json(&json!({ "query": query })) } else { print::data(&query) }
}
