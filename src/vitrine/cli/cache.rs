//! `vitrine cache`.

use crate::cli::client::Client;
use crate::cli::form::Form;
use crate::cli::table::{self, Column};
use crate::cli::{Failure, print, similar};
use std::collections::BTreeMap;
use vitrine_control::release::{AppView, CacheDecision, CacheStats, CacheWhy};
use vitrine_core::id::AppName;

/// Of an app.
const STATS: [Column; 8] = [
    Column::new("APP"),
    Column::new("HIT RATE"),
    Column::new("HITS"),
    Column::new("STALE").rank(2),
    Column::new("MISSES"),
    Column::new("ENTRIES").rank(1),
    Column::new("MIB").rank(1),
    Column::new("CPU SAVED"),
];

/// What the cache holds of apps, and why
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Say why the cache keeps a page, or does not
    ///
    /// By what became of the last renders of the page. A page that is answered from the cache is not rendered.
    Why {
        /// App whose page it is
        app: AppName,
        /// Path of the page with its query, such as /search?q=shoes
        path: String,
        /// Header of a request, as `name: value`: says whether what is kept is for it; may be given several times
        #[arg(short = 'H', long = "header", value_name = "HEADER")]
        headers: Vec<String>,
    },
    /// Show what the cache does for apps
    Stats {
        /// App; all without one
        app: Option<AppName>,
        #[command(flatten)]
        form: Form,
    },
}

/// Runs the verb.
pub(super) async fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Why { app, path, headers } => why(&app, &path, &headers).await,
        Verb::Stats { app, form } => stats(app, form).await,
    }
}

async fn why(app: &AppName, path: &str, headers: &[String]) -> Result<(), Failure> {
    if let Some(line) = headers.iter().find(|line| !line.contains(':')) {
        return Err(Failure::Usage(format!("`{line}` is no header; write -H 'name: value'")));
    }
    if !path.starts_with('/') {
        return Err(Failure::Usage(format!("`{path}` is no path; write /PATH, with its query")));
    }
    let client = Client::reading()?;
    let request = client.request(reqwest::Method::GET, &["apps", app.as_str(), "cache", "why"]);
    let answered: Result<CacheWhy, Failure> =
        client.json(request.query(&[("path", path), ("headers", &headers.join("\n"))])).await;
    let why = match answered {
        Err(failure) => return Err(similar::with_hint(&client, app, None, failure).await),
        Ok(why) => why,
    };
    if print::is_json() {
        return client.print_json(&why);
    }
    if why.decisions.is_empty() {
        print::talk(&format!("{app} was not asked for {path} lately: open the page, and ask again"));
    }
    why.decisions.iter().try_for_each(|decision| print::data(&told(decision)))?;
    if !headers.is_empty() {
        let fits = why.kept.iter().filter(|kept| kept.fits).map(|kept| kept.url.as_str()).collect::<Vec<_>>();
        let answer = if fits.is_empty() { "nothing that is kept".to_owned() } else { fits.join(", ") };
        print::data(&format!("for this request: {answer}"))?;
    }
    Ok(())
}

/// A decision in words.
fn told(decision: &CacheDecision) -> String {
    let CacheDecision { release, at, url, reason, ttl_s, told_apart_by, tags, .. } = decision;
    let list = |what: &str, items: &[String]| match items {
        [] => String::new(),
        items => format!("; {what} {}", items.join(", ")),
    };
    match reason {
        Some(reason) => format!("{at}  {release}  {url}  not kept: {reason}"),
        None => {
            let ttl = ttl_s.map(|seconds| format!(" for {seconds} s")).unwrap_or_default();
            let apart = list("told apart by", told_apart_by);
            format!("{at}  {release}  {url}  kept{ttl}{apart}{}", list("tags", tags))
        }
    }
}

async fn stats(app: Option<AppName>, form: Form) -> Result<(), Failure> {
    let client = Client::reading()?;
    let apps = match &app {
        Some(app) => vec![app.clone()],
        None => client
            .get::<Vec<AppView>>(&["apps"])
            .await?
            .into_iter()
            .filter_map(|app| app.app.parse().ok())
            .collect(),
    };
    let mut all = BTreeMap::new();
    for name in apps {
        let answered: Result<CacheStats, Failure> = client.get(&["apps", name.as_str(), "cache"]).await;
        match answered {
            Err(failure) if app.is_some() => {
                return Err(similar::with_hint(&client, &name, None, failure).await);
            }
            // It was removed meanwhile.
            Err(_) => {}
            Ok(stats) => drop(all.insert(name, stats)),
        }
    }
    if print::is_json() {
        return client.print_json(&all);
    }
    if all.values().any(|stats| !stats.enabled) {
        print::talk("this host has no cache: `[cache]` in vitrine.toml turns it on");
    }
    table::print(form.width, &STATS, &all.iter().map(row).collect::<Vec<_>>())?;
    for (app, stats) in &all {
        for (reason, count) in &stats.refused {
            print::talk(&format!("{app}: not kept {count} times: {reason}"));
        }
    }
    Ok(())
}

fn row((app, stats): (&AppName, &CacheStats)) -> Vec<String> {
    let count = |name: &str| stats.requests.get(name).copied().unwrap_or_default();
    let (hits, stale, misses) = (count("hit"), count("stale"), count("miss"));
    let asked = hits + stale + misses;
    let rate = ((hits + stale) * 100).checked_div(asked).map_or("-".to_owned(), |rate| format!("{rate} %"));
    vec![
        app.to_string(),
        rate,
        hits.to_string(),
        stale.to_string(),
        misses.to_string(),
        stats.entries.to_string(),
        format!("{:.1}", stats.bytes as f64 / f64::from(1 << 20)),
        format!("{:.1} s", stats.cpu_saved_ms as f64 / 1000.0),
    ]
}
