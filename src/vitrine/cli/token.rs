//! `vitrine token`.

use crate::cli::client::Client;
use crate::cli::form::Form;
use crate::cli::table::{self, Column};
use crate::cli::{Failure, age, print};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;
use vitrine_control::admin::tokens::TokenView;
use vitrine_core::clock::Clock;
use vitrine_core::id::{AppName, Digest, TokenName};
use vitrine_core::scope::{Selection, Verb as Allowed};

/// Of a token.
const COLUMNS: [Column; 5] = [
    Column::new("NAME"),
    Column::new("APPS").cut(10),
    Column::new("VERBS").cut(14),
    Column::new("MADE").rank(1),
    Column::new("EXPIRES"),
];

/// Prefix of every token, so that secret scanners recognise one.
const PREFIX: &str = "vit_";

/// Tokens for people and pipelines, each for some apps and some verbs
///
/// Only the host's own token (DIR/admin.token) can create, list and revoke them. To use a token, set VITRINE_TOKEN to it.
///
/// A token with `deploy` but without `promote` can't read production's values: its releases see those of previews
/// (`vitrine env set --preview`), until someone with `promote` promotes them.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Create a token and print it; it can't be shown again, because the host keeps only its SHA-256
    Create {
        /// Name, for the list and the audit log
        name: TokenName,
        /// Apps, separated by commas; * is every app
        #[arg(long, value_name = "APPS", required = true, value_delimiter = ',')]
        app: Vec<String>,
        /// Of read, deploy, promote, rollback, remove, remove-preview, env, purge, logs, audit, separated by commas; * is all. Each brings read
        #[arg(long, value_name = "VERBS", required = true, value_delimiter = ',')]
        verb: Vec<String>,
        /// Time until it expires, such as 90d [default: never]
        #[arg(long, value_name = "AGE", value_parser = age::parse)]
        ttl: Option<Duration>,
    },
    /// List the tokens
    List {
        #[command(flatten)]
        form: Form,
    },
    /// Revoke a token; requests with it are refused at once
    Revoke {
        /// Name of the token, as `vitrine token list` shows it
        name: TokenName,
    },
}

/// Runs the verb.
pub(super) async fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Create { name, app, verb, ttl } => {
            let usage = |flag: &str, error: String| Failure::Usage(format!("{flag}: {error}"));
            let apps = Selection::<AppName>::parse(app.iter().map(String::as_str))
                .map_err(|error| usage("--app", error.to_string()))?;
            let verbs = Selection::<Allowed>::parse(verb.iter().map(String::as_str))
                .map_err(|error| usage("--verb", error.to_string()))?;
            create(&name, &apps, &verbs, ttl).await
        }
        Verb::List { form } => {
            let tokens: Vec<TokenView> = Client::reading()?.get(&["tokens"]).await?;
            if print::is_json() { print::json(&tokens) } else { show(&tokens, form) }
        }
        Verb::Revoke { name } => {
            let client = Client::changing()?;
            client.delete(&["tokens", name.as_str()]).await?;
            let told = format!("revoked the token {name}: it is refused from now on");
            client.done(&json!({ "name": name, "revoked": true }), &told)
        }
    }
}

async fn create(
    name: &TokenName,
    apps: &Selection<AppName>,
    verbs: &Selection<Allowed>,
    ttl: Option<Duration>,
) -> Result<(), Failure> {
    let client = Client::changing()?;
    let token = format!("{PREFIX}{}", hex::encode(rand::random::<[u8; 32]>()));
    let sha256 = Digest::of(token.as_bytes());
    let ttl_ms = ttl.map(|ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
    let expires_ms = ttl_ms.map(|ttl_ms| Clock::system().now_ms().saturating_add(ttl_ms));
    let body = json!({ "sha256": sha256, "apps": apps, "verbs": verbs, "expires_ms": expires_ms });
    let request = client.request(Method::PUT, &["tokens", name.as_str()]).json(&body);
    let made: TokenView = client.json(request).await?;
    if print::is_json() {
        return client
            .print_json(&json!({ "token": token, "name": made.name, "apps": made.apps, "verbs": made.verbs,
            "created_ms": made.created_ms, "expires_ms": made.expires_ms }));
    }
    print::talk(&format!("{name} may {} on {}:", made.verbs.join(", "), made.apps.join(", ")));
    print::data(&token)
}

fn show(tokens: &[TokenView], form: Form) -> Result<(), Failure> {
    let row = |token: &TokenView| {
        let expires = token.expires_ms.map_or_else(|| "never".to_owned(), |ms| form.time(ms));
        vec![
            token.name.clone(),
            token.apps.join(","),
            token.verbs.join(","),
            form.time(token.created_ms),
            expires,
        ]
    };
    table::print(form.width, &COLUMNS, &tokens.iter().map(row).collect::<Vec<_>>())
}
