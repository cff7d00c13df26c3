//! Lines of an app's log as server-sent events.

mod event;
mod search;
mod wanted;

pub use event::{LogEvent, Mark, RequestView};

use crate::admin::access::Caller;
use crate::admin::extract::{Params, Segments};
use crate::admin::problem::{Kind, Problem, ProblemBody};
use crate::admin::state::AdminState;
use crate::release::{ReleaseError, Tail};
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use event::Standing;
use futures_util::{Stream, StreamExt as _, stream};
use search::{SCANS, Search, sent};
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use vitrine_core::id::{AppName, ReleaseId, Version};
use vitrine_core::limits::{LOG_TAIL_LINES, LOG_TAIL_LINES_MAX, SSE_KEEP_ALIVE_MS};
use vitrine_wire::{LogLevel, Outcome};
use wanted::{Verdict, Wanted};

/// Which lines.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LogsQuery {
    /// Only this version.
    #[param(value_type = Option<String>)]
    version: Option<Version>,
    /// Only lines that are not older than this, such as `10m`.
    since: Option<String>,
    /// The last so many lines, 10,000 at most. Without this, `since` and `id`: 1,000.
    tail: Option<usize>,
    /// Only lines of this level and above: `debug`, `info`, `warn` or `error`.
    #[param(value_type = Option<String>)]
    level: Option<LogLevel>,
    /// Every request too; without it those that failed.
    requests: bool,
    /// Only requests that ended so.
    #[param(value_type = Option<String>)]
    outcome: Option<Outcome>,
    /// Only requests for this path; `*` stands for any characters.
    path: Option<String>,
    /// Only this request and the lines that were written for it: its id, or the last 8 characters of it or more.
    id: Option<String>,
    /// Lines of warm-ups and health checks too. Without it only their warnings and errors.
    all: bool,
    /// Go on with lines to come.
    follow: bool,
}

/// Lines of an app's log, oldest first: events `log`, `hidden` with the number of lines that `all` would have shown, and `dropped` with
/// a count where the reader was too slow.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/logs",
    params(("app" = String, Path), LogsQuery),
    responses(
        (status = 200, description = "Events", body = LogEvent, content_type = "text/event-stream"),
        (status = 400, body = ProblemBody),
        (status = 404, body = ProblemBody),
    )
)]
pub(super) async fn logs(
    State(state): State<AdminState>,
    caller: Caller,
    Segments(app): Segments<AppName>,
    Params(query): Params<LogsQuery>,
) -> Result<Response, Problem> {
    // A preview is named by its name, too.
    let named = |version| state.releases.named(ReleaseId::new(app.clone(), version)).version;
    let query = LogsQuery { version: query.version.clone().map(named), ..query };
    let (follows, lines_max) = (query.follow, lines_max(&query)?);
    let known = state.releases.app(&app).ok();
    if let Some(version) = &query.version {
        let has = |release: &crate::release::ReleaseView| release.version == version.as_str();
        if !known.as_ref().is_some_and(|app| app.releases.iter().any(has)) {
            // What is wrong with the app is said first.
            state.releases.app(&app)?;
            return Err(ReleaseError::NoRelease(ReleaseId::new(app, version.clone())).into());
        }
    }
    let wanted = Arc::new(Wanted::new(query, state.clock.now_ms(), Standing::of(known.as_ref()))?);
    let who = caller.actor;
    let Some(slot) = state.log_streams.try_take(&who) else {
        return Err(Problem::new(Kind::Busy, state.log_streams.why(&who)));
    };
    let Tail { past, to_come } = state.releases.logs(&app, follows).await?;
    let slot: Arc<dyn Send + Sync> = Arc::new(slot);
    let past = Search::new(past, Arc::clone(&wanted), lines_max, Arc::clone(&slot)).events(&SCANS);
    let to_come = to_come.map(|(lines, following)| {
        follow(lines, state.shutdown.clone(), wanted).map(move |line| {
            let _counted = &following;
            line
        })
    });
    let lines = past.chain(stream::iter(to_come).flatten()).map(move |line| {
        let _held = &slot;
        line
    });
    let answer = Sse::new(lines);
    if !follows {
        return Ok(answer.into_response());
    }
    let keep_alive = KeepAlive::new().interval(Duration::from_millis(SSE_KEEP_ALIVE_MS));
    Ok(answer.keep_alive(keep_alive).into_response())
}

/// How many of the last lines are asked for; nothing is all of them.
fn lines_max(query: &LogsQuery) -> Result<Option<usize>, Problem> {
    match query.tail {
        Some(lines) if lines > LOG_TAIL_LINES_MAX => {
            let text =
                format!("tail: {lines} is more than {LOG_TAIL_LINES_MAX}; name a time with since instead");
            Err(Problem::new(Kind::BadRequest, text))
        }
        None if query.since.is_none() && query.id.is_none() => Ok(Some(LOG_TAIL_LINES)),
        lines => Ok(lines),
    }
}

/// Lines of an app to come, until the host stops or the source is gone.
fn follow(
    lines: Receiver<Bytes>,
    shutdown: CancellationToken,
    wanted: Arc<Wanted>,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    stream::unfold((lines, shutdown, wanted), async |(mut lines, shutdown, wanted)| {
        loop {
            let next = tokio::select! {
                next = lines.recv() => next,
                () = shutdown.cancelled() => return None,
            };
            let event = match next.as_deref().map(|json| wanted.look(json)) {
                Ok(Verdict::Shown(line)) => sent(&line),
                Ok(_) => continue,
                Err(RecvError::Lagged(count)) => Event::default().event("dropped").data(count.to_string()),
                Err(RecvError::Closed) => return None,
            };
            return Some((Ok(event), (lines, shutdown, wanted)));
        }
    })
}

#[cfg(test)]
mod tests;
