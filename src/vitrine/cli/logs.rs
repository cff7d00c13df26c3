//! `vitrine logs`.

mod text;

use crate::cli::client::Client;
use crate::cli::remove::Subject;
use crate::cli::sse::Reader;
use crate::cli::{Failure, age, print};
use futures_util::TryStreamExt as _;
use reqwest::{Method, RequestBuilder};
use std::io;
use std::time::Duration;
use tokio_util::codec::{FramedRead, LinesCodec};
use tokio_util::io::StreamReader;
use vitrine_core::limits::{LOG_EVENT_BYTES_MAX, LOG_ID_PART_MIN};
use vitrine_wire::Outcome;

/// Show what an app's code wrote and which of its requests failed, oldest first
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// App, or one release of it, whose lines are shown
    #[arg(value_name = "APP[@VERSION]")]
    subject: Subject,
    /// Keep printing new lines until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// Only lines newer than this, such as 10m
    #[arg(long, value_name = "AGE", value_parser = age::parse)]
    since: Option<Duration>,
    /// Number of most recent lines to show [default: 1000, or no limit with --since or --id]
    #[arg(long, short = 'n', value_name = "LINES")]
    tail: Option<usize>,
    /// Show all requests, not only the failed ones
    #[arg(long)]
    requests: bool,
    /// Only the request with this id and its lines: the id that an error page shows, or its end as log lines show it
    #[arg(long, value_name = "REQUEST_ID")]
    id: Option<String>,
    /// Only lines of this level and above
    #[arg(long, value_parser = ["debug", "info", "warn", "error"])]
    level: Option<String>,
    /// Only requests with this outcome
    #[arg(long, value_parser = Outcome::ALL.map(Outcome::as_str))]
    outcome: Option<String>,
    /// Only requests for this path; `*` matches any characters
    #[arg(long, value_name = "GLOB")]
    path: Option<String>,
    /// Show all lines of warm-ups and health checks, not only their warnings and errors
    #[arg(long)]
    all: bool,
}

impl Args {
    fn request(&self, client: &Client) -> RequestBuilder {
        let Subject { app, version } = &self.subject;
        let mut query: Vec<(&str, String)> = Vec::new();
        for (name, is_set) in [("follow", self.follow), ("requests", self.requests), ("all", self.all)] {
            if is_set {
                query.push((name, "true".into()));
            }
        }
        let texts = [
            ("version", version.as_ref().map(ToString::to_string)),
            ("since", self.since.map(|since| humantime::format_duration(since).to_string())),
            ("tail", self.tail.map(|lines| lines.to_string())),
            ("id", self.id.clone()),
            ("level", self.level.clone()),
            ("outcome", self.outcome.clone()),
            ("path", self.path.clone()),
        ];
        query.extend(texts.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))));
        let request = client.request(Method::GET, &["apps", app.as_str(), "logs"]).query(&query);
        // What is kept of a busy app takes a while to search, and lines to come have no end.
        request.timeout(Duration::MAX)
    }
}

/// Runs the verb.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let client = Client::reading()?;
    let body = client.send(args.request(&client)).await?.bytes_stream().map_err(io::Error::other);
    let mut lines =
        FramedRead::new(StreamReader::new(body), LinesCodec::new_with_max_length(LOG_EVENT_BYTES_MAX));
    let mut events = Reader::default();
    let mut is_found = false;
    while let Some(line) = lines.try_next().await.map_err(Failure::local("reading the stream of lines"))? {
        let Some(event) = events.line(&line) else { continue };
        is_found |= event.name == "log";
        match event.name.as_str() {
            "log" if print::is_json() => print::raw(&event.data)?,
            "log" => {
                let line = serde_json::from_str(&event.data).map_err(Failure::local("reading a line"))?;
                text::show(&line)?;
            }
            "hidden" => print::talk(&format!(
                "({} lines of warm-ups and health checks are not shown; --all shows them)",
                event.data
            )),
            "dropped" => print::talk(&format!(
                "({} lines were dropped, because they were not read fast enough)",
                event.data
            )),
            _ => {}
        }
        if print::reader_is_gone() {
            break;
        }
    }
    match args.id.filter(|_| !is_found) {
        Some(id) => Err(Failure::refused(format!(
            "there are no lines of a request `{id}` of {}; --id takes the whole id, or at least its last {LOG_ID_PART_MIN} characters",
            args.subject.app
        ))),
        None => Ok(()),
    }
}
