//! The one call of a deploy: the archive goes out, and lines come back until the host says how it ended.

use super::Args;
use super::prepare::Prepared;
use super::progress::Progress;
use crate::cli::client::Client;
use crate::cli::stop::Stop;
use crate::cli::{Failure, print};
use futures_util::TryStreamExt as _;
use reqwest::{Method, RequestBuilder, Response, header};
use std::io;
use std::time::{Duration, Instant};
use tokio_util::codec::{FramedRead, LinesCodec};
use tokio_util::io::StreamReader;
use vitrine_control::admin::deployments::{DeployEnd, DeployLine, DeployProgress};
use vitrine_control::admin::upload::SIGNATURE_HEADER;
use vitrine_control::release::DeployPhase;
use vitrine_core::limits::{
    CALL_SLACK_MS, DEPLOY_ANSWER_LINE_BYTES_MAX, DEPLOY_SILENCE_MS, INTERRUPT_ANSWER_MS, UPLOAD_MS,
    UPLOAD_PLACE_MS,
};

/// A deployment that the host carries out.
pub(super) struct Operation {
    app: String,
    /// `APP@VERSION`.
    release: String,
    id: String,
    answer: Response,
    progress: Progress,
    begun: Instant,
}

impl Operation {
    /// Sends the archive. An interrupt before it is whole ends it, and nothing is stored.
    pub(super) async fn begin(
        client: &Client,
        args: &Args,
        prepared: &Prepared,
        signature: Option<String>,
        stop: &mut Stop,
    ) -> Result<Self, Failure> {
        let (begun, progress) = (Instant::now(), Progress::start(prepared.archive_bytes));
        let release = format!("{}@{}", args.app, prepared.version);
        let request = request(client, args, prepared, signature).body(progress.body(prepared.open().await?));
        let bound = Duration::from_millis(UPLOAD_PLACE_MS + UPLOAD_MS + CALL_SLACK_MS);
        let mut sending = std::pin::pin!(tokio::time::timeout(bound, client.send(request)));
        let answer = tokio::select! {
            answer = &mut sending => answer,
            () = stop.asked() => {
                if !progress.is_whole() {
                    return Err(Failure::Interrupted(format!(
                        "interrupted: {release} is not deployed; its upload was not whole, so nothing is stored"
                    )));
                }
                // Handed over is not arrived: the host knows.
                let patience = Duration::from_millis(INTERRUPT_ANSWER_MS);
                let Ok(Ok(answer)) = tokio::time::timeout(patience, sending).await else {
                    return Err(Failure::Interrupted(format!(
                        "interrupted: whether the upload of {release} was whole is not known\n`vitrine deployments {}` shows whether \
                         the host goes on with it",
                        args.app
                    )));
                };
                return Err(Self::of(args, release, answer?, progress, begun).interrupted());
            }
        };
        let answer = answer.map_err(|_| Failure::refused("the host did not take the upload in time"))??;
        Ok(Self::of(args, release, answer, progress, begun))
    }

    fn of(args: &Args, release: String, answer: Response, progress: Progress, begun: Instant) -> Self {
        let location = answer.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
        let id = location.and_then(|location| location.rsplit('/').next()).unwrap_or_default().to_owned();
        Self { app: args.app.to_string(), release, id, answer, progress, begun }
    }

    /// Waits until it is over; gives the time until its release was ready, too. An interrupt ends the wait alone.
    pub(super) async fn end(
        self,
        client: &Client,
        stop: &mut Stop,
    ) -> Result<(DeployEnd, Duration), Failure> {
        let Self { app, release, id, answer, progress, begun } = self;
        let body = answer.bytes_stream().map_err(io::Error::other);
        let lines = LinesCodec::new_with_max_length(DEPLOY_ANSWER_LINE_BYTES_MAX);
        let mut lines = FramedRead::new(StreamReader::new(body), lines);
        let mut ready = None;
        loop {
            let next = tokio::time::timeout(Duration::from_millis(DEPLOY_SILENCE_MS), lines.try_next());
            let next = tokio::select! {
                next = next => next,
                () = stop.asked() => return Err(interrupted(&app, &release, &id)),
            };
            let line = match next {
                Ok(Ok(Some(line))) => line,
                Ok(Ok(None)) => {
                    return Err(lost(client, &app, &id, "the answer ended before the deployment did"));
                }
                Ok(Err(error)) => return Err(lost(client, &app, &id, error)),
                Err(_) => return Err(lost(client, &app, &id, "the host gave no sign of life")),
            };
            match serde_json::from_str(&line).map_err(Failure::local("reading the host's answer"))? {
                DeployLine::End(end) => return Ok((*end, ready.unwrap_or_else(|| begun.elapsed()))),
                DeployLine::Progress(DeployProgress { phase, message: Some(message), .. }) => {
                    if phase > DeployPhase::Booting && ready.is_none() {
                        ready = Some(begun.elapsed());
                    }
                    if phase == DeployPhase::Undoing {
                        print::talk(&message);
                    }
                    progress.say(message);
                }
                DeployLine::Progress(_) => {}
            }
        }
    }

    fn interrupted(self) -> Failure {
        interrupted(&self.app, &self.release, &self.id)
    }
}

fn request(client: &Client, args: &Args, prepared: &Prepared, signature: Option<String>) -> RequestBuilder {
    let mut request = client
        .request(Method::POST, &["apps", args.app.as_str(), "deployments"])
        // Hooks take as long as the operator allows; the host gives signs of life meanwhile.
        .timeout(Duration::MAX)
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_LENGTH, prepared.archive_bytes)
        .query(&[("version", prepared.version.as_str())])
        .query(&[("promote", args.goes_live())])
        .query(&[("wait", args.wait)]);
    if let Some(preview) = &args.preview {
        request = request.query(&[("preview", preview.as_str())]);
    }
    if let Some(ttl) = args.ttl {
        request = request.query(&[("ttl", humantime::format_duration(ttl).to_string())]);
    }
    match signature {
        Some(signature) => request.header(SIGNATURE_HEADER, signature),
        None => request,
    }
}

fn interrupted(app: &str, release: &str, id: &str) -> Failure {
    Failure::Interrupted(format!(
        "interrupted: the host goes on with the deployment of {release}\n`vitrine deployments {app} {id}` shows how it goes, `vitrine \
         status {app}` shows what is live"
    ))
}

/// The host is gone, or what leads to it.
fn lost(
    client: &Client,
    app: &str,
    id: &str,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Failure {
    let advice = format!(
        "the deployment goes on if the host does; `vitrine deployments {app} {id}` shows how it ended, and a host that was \
         stopped meanwhile undoes it or has finished it"
    );
    Failure::Unreachable { url: client.target().address().to_owned(), advice, source: error.into() }
}
