//! Warms an isolate: renders before it serves, so that the first visitor does not wait for the compiler.

use super::driver::{Driver, TurnError};
use super::event::RequestNumber;
use crate::exception;
use crate::limits::isolate::{
    WARM_ACCEPTED_MS, WARM_AT_ONCE, WARM_RENDERS_MAX, WARM_RENDERS_MIN, WARM_SETTLED_PERCENT,
};
use crate::log::causes;
use crate::pool::in_flight::InFlight;
use crate::request::{LocalAnswer, Request};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vitrine_wire::limits::ANSWER_SHOWN_BYTES_MAX;
use vitrine_wire::{
    BootFailure, BootStage, Done, FailedAnswer, Frame, Outcome, RequestHead, WorkerLimits, WorkerSettings,
};

/// Statuses from here on mean that the app can't make the page.
const FAILED: u16 = 500;

/// What one render took.
#[derive(Debug, Clone, Copy)]
pub struct Rendered {
    /// From its begin to its last byte.
    pub time: Duration,
    /// CPU time in microseconds.
    pub cpu_us: u64,
}

/// Renders each warm path until the CPU time of it settles, a few of them at once: those that wait leave the isolate to the others.
///
/// # Errors
/// A path that failed or answered 500 or above.
pub async fn warm(driver: &mut Driver, settings: &WorkerSettings) -> Result<(), BootFailure> {
    for paths in settings.warm.chunks(WARM_AT_ONCE) {
        let mut unsettled: Vec<(&str, Option<Rendered>)> =
            paths.iter().map(|path| (path.as_str(), None)).collect();
        for count in 1..=WARM_RENDERS_MAX {
            let paths: Vec<&str> = unsettled.iter().map(|(path, _)| *path).collect();
            let rendered = render(driver, settings, &paths).await?;
            let both = unsettled.into_iter().zip(rendered);
            unsettled = both
                .filter(|((_, before), now)| count < WARM_RENDERS_MIN || !is_settled(*before, *now))
                .map(|((path, _), now)| (path, Some(now)))
                .collect();
            if unsettled.is_empty() {
                break;
            }
        }
    }
    Ok(())
}

/// As [`warm`], for no longer than [`WARM_ACCEPTED_MS`]: visitors wait.
///
/// # Errors
/// A path that failed or answered 500 or above, or the time that passed.
pub async fn warm_in_time(driver: &mut Driver, settings: &WorkerSettings) -> Result<(), BootFailure> {
    let patience = Duration::from_millis(WARM_ACCEPTED_MS);
    let warmed = tokio::time::timeout(patience, warm(driver, settings)).await;
    warmed.unwrap_or_else(|_| {
        Err(failed(format!("The warm paths were not rendered within {WARM_ACCEPTED_MS} ms")))
    })
}

fn is_settled(before: Option<Rendered>, now: Rendered) -> bool {
    before.is_some_and(|before| now.cpu_us * 100 >= before.cpu_us * u64::from(WARM_SETTLED_PERCENT))
}

/// Renders pages at once, as visitors would get them, and gives what each took, in the order of `paths`.
///
/// # Errors
/// One failed, or answered 500 or above.
pub async fn render(
    driver: &mut Driver,
    settings: &WorkerSettings,
    paths: &[&str],
) -> Result<Vec<Rendered>, BootFailure> {
    let mut numbers = Vec::with_capacity(paths.len());
    let mut answers = Vec::with_capacity(paths.len());
    for path in paths {
        let (request, answer) = Request::local(head(settings, path), None).await;
        let Some(admission) = Arc::new(InFlight::default()).enter() else {
            unreachable!("nothing has closed it")
        };
        let begun = Instant::now();
        let begun_as = driver.begin(request, admission);
        numbers.push(begun_as.map_err(|killed| ended(path, &killed.into(), &settings.limits))?);
        let patience = Duration::from_millis(settings.limits.wall_ms);
        answers.push(async move { (collect(answer, patience).await, begun.elapsed()) });
    }
    let answered = join_all(answers);
    tokio::pin!(answered);
    let answers = loop {
        let turned = tokio::select! {
            answers = &mut answered => break answers,
            waited = driver.wait() => waited,
        };
        let more = turned.and_then(|()| driver.run_ready().map_err(TurnError::from));
        if more.map_err(|error| ended(blamed(paths, &numbers, &error), &error, &settings.limits))? {
            tokio::task::yield_now().await;
        }
    };
    let rendered = paths.iter().zip(answers).map(|(path, (answer, time))| {
        let cpu_us = answer.done.cpu_us;
        check(path, answer, &settings.limits).map(|()| Rendered { time, cpu_us })
    });
    rendered.collect()
}

/// What is kept of an answer.
struct Collected {
    status: u16,
    /// The first bytes of the body, kept where the status asks for an explanation.
    body: Vec<u8>,
    done: Done,
}

/// Reads an answer. One that goes on for longer than `patience` is a stream, and has begun well.
async fn collect(mut answer: LocalAnswer, patience: Duration) -> Collected {
    let (mut status, mut body) = (0, Vec::new());
    let end = async {
        while let Some(frame) = answer.next().await {
            match frame {
                Frame::Response(_, response) => status = response.status,
                Frame::Body(_, data) if status >= FAILED => {
                    let room = ANSWER_SHOWN_BYTES_MAX - body.len();
                    body.extend_from_slice(&data[..data.len().min(room)]);
                }
                Frame::Done(_, done) => return done,
                _ => {}
            }
        }
        Done::of(Outcome::Crashed)
    };
    let ended = tokio::time::timeout(patience, end).await;
    let late = if status > 0 { Outcome::Ok } else { Outcome::WallLimit };
    Collected { status, body, done: ended.unwrap_or(Done::of(late)) }
}

fn head(settings: &WorkerSettings, path: &str) -> RequestHead {
    RequestHead {
        method: "GET".to_owned(),
        url: format!("http://{}{path}", settings.host),
        headers: vec![
            ("host".to_owned(), settings.host.clone().into()),
            ("accept".to_owned(), "text/html".into()),
        ],
        has_body: false,
        upgrade: false,
        request_id: format!("warm:{path}"),
        ledger: false,
    }
}

/// The path whose request was at work; the first where it was none.
fn blamed<'p>(paths: &[&'p str], numbers: &[RequestNumber], error: &TurnError) -> &'p str {
    let TurnError::Killed(killed) = error else { return paths[0] };
    numbers.iter().position(|number| *number == killed.request).map_or(paths[0], |index| paths[index])
}

fn ended(path: &str, error: &TurnError, limits: &WorkerLimits) -> BootFailure {
    let reached = if let TurnError::Killed(killed) = error { limit(killed.outcome, limits) } else { None };
    let what = reached.unwrap_or_else(|| format!("ended the isolate: {}", causes(error)));
    failed(format!("The warm path {path} {what}"))
}

/// The limit that ended a render, with its figure.
fn limit(outcome: Outcome, limits: &WorkerLimits) -> Option<String> {
    match outcome {
        Outcome::CpuLimit => {
            Some(format!("used more CPU time than its {} ms (limits.cpu_ms)", limits.cpu_ms))
        }
        Outcome::WallLimit => Some(format!("had no answer within {} ms (limits.wall_ms)", limits.wall_ms)),
        Outcome::HeapLimit => Some(format!("used more memory than {} MiB (limits.heap_mb)", limits.heap_mb)),
        _ => None,
    }
}

fn check(path: &str, answer: Collected, limits: &WorkerLimits) -> Result<(), BootFailure> {
    let Collected { status, body, done } = answer;
    if let Some(reached) = limit(done.outcome, limits) {
        return Err(failed(format!("The warm path {path} {reached}")));
    }
    if done.outcome != Outcome::Ok {
        let cause = done.error.as_ref().map(|error| format!(": {}", exception::first_lines(error)));
        let cause = cause.unwrap_or_default();
        let message = format!("The warm path {path} ended as {}{cause}", done.outcome);
        return Err(BootFailure { error: done.error, ..failed(message) });
    }
    if status >= FAILED {
        let message = format!("The warm path {path} answered {status}; a release needs below {FAILED}");
        let stage = BootStage::Answered(Box::new(FailedAnswer::new(path, status, &body)));
        return Err(BootFailure { stage, ..failed(message) });
    }
    Ok(())
}

fn failed(message: String) -> BootFailure {
    BootFailure { stage: BootStage::Warm, message, error: None }
}
