//! Renders before an isolate serves, so that its first visitor does not pay for the compiler.

use super::driver::{Driver, TurnError};
use crate::exchange::Exchange;
use crate::journal::causes;
use crate::limits::isolate::{WARM_RENDERS_MAX, WARM_RENDERS_MIN, WARM_SETTLED_PERCENT};
use crate::pool::gate::Gate;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vitrine_wire::{BootFailure, BootStage, Outcome, RequestHead, WorkerSettings};

/// Renders each warm path until its time settles.
///
/// # Errors
/// A path that failed or answered 500 or above.
pub async fn warm(driver: &mut Driver, settings: &WorkerSettings) -> Result<(), BootFailure> {
    for path in &settings.warm {
        let mut before: Option<Duration> = None;
        for count in 1..=WARM_RENDERS_MAX {
            let time = render(driver, settings, path).await?;
            let settled = before.is_some_and(|before| time * 100 >= before * WARM_SETTLED_PERCENT);
            if settled && count >= WARM_RENDERS_MIN {
                break;
            }
            before = Some(time);
        }
    }
    Ok(())
}

/// Renders a page as a visitor would get it, and gives its time.
///
/// # Errors
/// It failed, or answered 500 or above.
pub async fn render(
    driver: &mut Driver,
    settings: &WorkerSettings,
    path: &str,
) -> Result<Duration, BootFailure> {
    let failed = |message: String| BootFailure { stage: BootStage::Warm, message, error: None };
    let head = RequestHead {
        method: "GET".to_owned(),
        url: format!("http://{}{path}", settings.host),
        headers: vec![
            ("host".to_owned(), settings.host.clone().into()),
            ("accept".to_owned(), "text/html".into()),
        ],
        has_body: false,
        request_id: format!("warm:{path}"),
    };
    let (exchange, answer) = Exchange::local(head, None).await;
    let begun = Instant::now();
    let Some(admission) = Arc::new(Gate::default()).enter() else { unreachable!("a new gate is open") };
    let answered = answer.collect();
    tokio::pin!(answered);
    let mut result = driver.begin(exchange, admission).map_err(TurnError::from);
    let (head, done) = loop {
        if let Err(error) = result {
            return Err(failed(format!("The warm path {path} ended the isolate: {}", causes(&error))));
        }
        result = tokio::select! {
            (head, _, done) = &mut answered => break (head, done),
            waited = driver.wait() => waited,
        };
        if result.is_ok() {
            match driver.run_ready() {
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => {}
                Err(killed) => result = Err(killed.into()),
            }
        }
    };
    let status = head.map_or(0, |head| head.status);
    if done.outcome != Outcome::Ok {
        let cause = done.error.as_ref().map(|error| format!(": {}", error.message)).unwrap_or_default();
        let message = format!("The warm path {path} ended as {}{cause}", done.outcome);
        return Err(BootFailure { error: done.error, ..failed(message) });
    }
    if status >= 500 {
        return Err(failed(format!("The warm path {path} answered {status}; a release needs below 500")));
    }
    Ok(begun.elapsed())
}
