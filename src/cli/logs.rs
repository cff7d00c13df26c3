//! `vitrine logs`.

use crate::admin::logs::LogEvent;
use crate::cli::client::Client;
use crate::cli::remove::Subject;
use crate::cli::sse::Reader;
use crate::cli::{Failure, age, print, visible};
use crate::limits::LOG_EVENT_BYTES_MAX;
use futures_util::TryStreamExt as _;
use reqwest::Method;
use std::io;
use std::time::Duration;
use tokio_util::codec::{FramedRead, LinesCodec};
use tokio_util::io::StreamReader;

/// Before what belongs to the line above.
const MARGIN: &str = "    ";

/// Show what an app's code wrote, oldest first
#[derive(Debug, clap::Args)]
pub struct Args {
    /// App, or one release of it, whose lines are shown
    #[arg(value_name = "APP[@VERSION]")]
    subject: Subject,
    /// Keep printing new lines until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// Only lines newer than this, such as 10m
    #[arg(long, value_name = "AGE", value_parser = age::parse)]
    since: Option<Duration>,
}

/// Runs the verb.
pub async fn run(args: Args) -> Result<(), Failure> {
    let Args { subject: Subject { app, version }, follow, since } = args;
    let client = Client::reading()?;
    let mut request =
        client.request(Method::GET, &["apps", app.as_str(), "logs"]).query(&[("follow", follow)]);
    if let Some(version) = version {
        request = request.query(&[("version", version.as_str())]);
    }
    if let Some(since) = since {
        request = request.query(&[("since", humantime::format_duration(since).to_string())]);
    }
    if follow {
        request = request.timeout(Duration::MAX);
    }
    let body = client.send(request).await?.bytes_stream().map_err(io::Error::other);
    let mut lines =
        FramedRead::new(StreamReader::new(body), LinesCodec::new_with_max_length(LOG_EVENT_BYTES_MAX));
    let mut events = Reader::default();
    while let Some(line) = lines.try_next().await.map_err(Failure::local("reading the stream of lines"))? {
        let Some(event) = events.line(&line) else { continue };
        match event.name.as_str() {
            "log" if print::is_json() => print::raw(&event.data)?,
            "log" => {
                let line = serde_json::from_str(&event.data).map_err(Failure::local("reading a line"))?;
                show(&line)?;
            }
            "dropped" => {
                print::talk(&format!("({} lines were dropped: this reader was too slow)", event.data))
            }
            _ => {}
        }
        if print::reader_is_gone() {
            break;
        }
    }
    Ok(())
}

fn show(line: &LogEvent) -> Result<(), Failure> {
    let time = i64::try_from(line.time_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let time = time.map_or_else(|| line.time_ms.to_string(), |time| format!("{time:.3}"));
    let version = line.release.split_once('@').map_or(line.release.as_str(), |(_, version)| version);
    let message = visible::block(&line.message, MARGIN);
    print::data(&format!("{time} {:<5} {version} {message}", visible::line(&line.level)))?;
    line.stack
        .iter()
        .flat_map(|stack| stack.lines())
        .try_for_each(|frame| print::data(&format!("{MARGIN}{frame}")))
}
