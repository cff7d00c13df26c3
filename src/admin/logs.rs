//! Log lines of an app as server-sent events.

use crate::admin::extract::{Params, Segments};
use crate::admin::problem::{Kind, Problem, ProblemBody};
use crate::admin::router::AdminState;
use crate::id::{AppName, ReleaseId, Version};
use crate::limits::SSE_KEEP_ALIVE_MS;
use crate::release::ReleaseError;
use crate::worker::WorkerLog;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Which lines.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogsQuery {
    /// Only this version.
    #[param(value_type = Option<String>)]
    version: Option<Version>,
    /// Only lines that are not older than this, such as `10m`.
    since: Option<String>,
    /// Go on with lines to come.
    follow: bool,
}

/// One line, the data of an event `log`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LogEvent {
    /// When, in milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// `APP@VERSION`.
    pub release: String,
    /// Worker.
    pub instance: String,
    /// Request during which it was written, if one was running.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Text.
    pub message: String,
    /// Source-mapped stack, for errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
}

impl From<&WorkerLog> for LogEvent {
    fn from(log: &WorkerLog) -> Self {
        let level = format!("{:?}", log.line.level).to_ascii_lowercase();
        Self {
            time_ms: log.line.time_ms,
            level,
            release: log.release.to_string(),
            instance: log.instance.to_string(),
            request_id: log.line.request_id.clone(),
            message: log.line.message.clone(),
            stack: log.line.stack.clone(),
        }
    }
}

fn event(log: &WorkerLog) -> Event {
    let event = Event::default().event("log");
    event.json_data(LogEvent::from(log)).expect("a line is a plain struct: it always serializes")
}

/// Log lines, oldest first: events `log`, and `dropped` with a count where the reader was too slow.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/logs",
    security(("token" = ["logs"])),
    params(("app" = String, Path), LogsQuery),
    responses(
        (status = 200, description = "Events", body = LogEvent, content_type = "text/event-stream"),
        (status = 404, body = ProblemBody),
    )
)]
pub async fn logs(
    State(state): State<AdminState>,
    Segments(app): Segments<AppName>,
    Params(query): Params<LogsQuery>,
) -> Result<Response, Problem> {
    let since_ms = since_ms(query.since.as_deref(), state.clock.now_ms())?;
    let Ok(slot) = state.log_streams.clone().try_acquire_owned() else {
        return Err(Problem::new(Kind::Busy, "too many log streams are open; close one"));
    };
    if let Some(version) = &query.version {
        let known = state.releases.app(&app)?.releases;
        if !known.iter().any(|release| release.version == version.as_str()) {
            return Err(ReleaseError::NoRelease(ReleaseId::new(app, version.clone())).into());
        }
    }
    let (recent, to_come) = state.releases.logs(&app, query.version.as_ref(), since_ms)?;
    let recent = stream::iter(recent.into_iter().map(|log| Ok::<_, Infallible>(event(&log))));
    if !query.follow {
        return Ok(Sse::new(recent).into_response());
    }
    let wanted =
        move |log: &WorkerLog| query.version.as_ref().is_none_or(|version| log.release.version == *version);
    let lines = recent.chain(follow(to_come, state.shutdown.clone(), wanted)).map(move |line| {
        let _held = &slot;
        line
    });
    let keep_alive = KeepAlive::new().interval(Duration::from_millis(SSE_KEEP_ALIVE_MS));
    Ok(Sse::new(lines).keep_alive(keep_alive).into_response())
}

fn since_ms(since: Option<&str>, now_ms: u64) -> Result<u64, Problem> {
    let Some(since) = since else { return Ok(0) };
    let age = humantime::parse_duration(since).map_err(|error| {
        Problem::new(Kind::BadRequest, format!("since: {error}; write 30s, 5m, 2h or 7d"))
    })?;
    Ok(now_ms.saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)))
}

/// Lines of an app to come, until the host stops or the source is gone.
fn follow(
    lines: Receiver<Arc<WorkerLog>>,
    shutdown: CancellationToken,
    wanted: impl Fn(&WorkerLog) -> bool + Send,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    stream::unfold((lines, shutdown, wanted), async |(mut lines, shutdown, wanted)| {
        loop {
            let next = tokio::select! {
                next = lines.recv() => next,
                () = shutdown.cancelled() => return None,
            };
            let event = match next {
                Ok(log) if wanted(&log) => event(&log),
                Ok(_) => continue,
                Err(RecvError::Lagged(count)) => Event::default().event("dropped").data(count.to_string()),
                Err(RecvError::Closed) => return None,
            };
            return Some((Ok(event), (lines, shutdown, wanted)));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;
    use tokio::sync::broadcast;
    use vitrine_wire::{LogLevel, LogLine};

    fn line(release: &str, message: &str) -> WorkerLog {
        WorkerLog {
            instance: crate::id::InstanceId::random(),
            release: release.parse().unwrap(),
            line: LogLine {
                time_ms: 7,
                level: LogLevel::Warn,
                request_id: None,
                message: message.into(),
                stack: None,
            },
        }
    }

    #[test]
    fn ages_become_times() {
        assert_eq!(since_ms(None, 5), Ok(0));
        assert_eq!(since_ms(Some("1s"), 5_000), Ok(4_000));
        assert_eq!(since_ms(Some("10m"), 5_000), Ok(0));
        assert!(since_ms(Some("yesterday"), 5).unwrap_err().detail.contains("since"));
    }

    #[tokio::test]
    async fn a_follower_gets_wanted_lines_hears_of_lost_ones_and_ends_with_the_host() {
        let (send, receive) = broadcast::channel(2);
        for (release, message) in [("a@v1", "lost"), ("a@v2", "other version"), ("a@v1", "kept")] {
            send.send(Arc::new(line(release, message))).unwrap();
        }
        let shutdown = CancellationToken::new();
        let lines = follow(receive, shutdown.clone(), |log| log.release.version.as_str() == "v1");
        let reading = tokio::spawn(Sse::new(lines).into_response().into_body().collect());
        // The reader has to take what is there; an end that comes first would win.
        tokio::time::sleep(Duration::from_millis(20)).await;
        shutdown.cancel();
        let text = reading.await.unwrap().unwrap().to_bytes();
        let text = std::str::from_utf8(&text).unwrap();
        assert!(text.starts_with("event: dropped\ndata: 1\n\n"), "{text}");
        assert!(text.contains("\"message\":\"kept\"") && text.contains("\"level\":\"warn\""), "{text}");
        assert!(!text.contains("other version") && !text.contains("lost"), "{text}");
    }
}
