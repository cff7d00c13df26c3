//! The end of a request: its line in the access log and its place in the metrics.

use super::RequestContext;
use std::time::Duration;
use vitrine_core::limits::LOG_FIELD_BYTES_MAX;
use vitrine_core::telemetry::AccessLine;
use vitrine_core::telemetry::series::InFlight;
use vitrine_proxy::route::guard::PASS_PARAMETER;
use vitrine_wire::{Done, Outcome};

/// Counts a request that has ended, and writes its line.
pub(super) fn end(context: &RequestContext) {
    let outcome = if context.complete { context.outcome } else { Outcome::Cancelled };
    let duration = context.arrived.elapsed();
    let release = context.target.as_ref().map(|target| &target.release);
    // A socket was counted with its handshake.
    if context.open_socket.is_none() {
        count(context, outcome, duration);
    }
    let figure = |of: fn(&Done) -> u64| context.done.as_ref().map_or(0.0, |done| of(done) as f64 / 1000.0);
    let milliseconds = |duration: Duration| duration.as_micros() as f64 / 1000.0;
    let agent = context.info.user_agent.as_ref().and_then(|agent| agent.to_str().ok());
    context.telemetry.logs.access(&AccessLine {
        time: context.time,
        level: level(outcome, context.status),
        request_id: context.info.request_id(),
        trace_id: context.info.trace_id(),
        client: context.info.client,
        method: context.info.method.as_str(),
        host: &context.address.host,
        path: cut(context.info.uri.path()),
        query: context.info.uri.query().filter(|query| !query.contains(PASS_PARAMETER)).map(cut),
        status: context.status,
        outcome,
        app: release.map(|release| &release.app),
        release: release.map(|release| release.version.as_str()),
        epoch: context.epoch,
        bytes: context.bytes,
        duration_ms: milliseconds(duration),
        edge_ms: milliseconds(if context.edge.is_zero() { duration } else { context.edge }),
        queue_ms: figure(|done| done.queue_us),
        render_ms: figure(|done| done.render_us),
        cpu_ms: figure(|done| done.cpu_us),
        user_agent: agent.map(cut),
        rule: context.routed.as_ref().and_then(|routed| routed.index()),
        experiments: context.routed.as_ref().and_then(|routed| routed.variants()),
        pin: context.pin.as_str(),
        close_code: context.socket.map(|socket| socket.close_code),
        messages: context.socket.map(|socket| [socket.received, socket.sent]),
        error: context.done.as_ref().and_then(|done| done.error.as_ref()),
    });
}

fn count(context: &RequestContext, outcome: Outcome, duration: Duration) {
    let seconds = |us: u64| Duration::from_micros(us).as_secs_f64();
    let begun = context.begun.unwrap_or(duration);
    // That there is no place for another socket is no failure of a render.
    let no_place = outcome == Outcome::Overloaded && context.info.handshake.is_asked();
    let done = context.done.as_ref().filter(|_| !no_place);
    let render = done.map(|done| (seconds(done.cpu_us), seconds(done.queue_us), begun));
    let metrics = &context.telemetry.metrics;
    let series = context.in_flight.as_ref().map_or_else(|| metrics.unrouted(), InFlight::series);
    metrics.request(series, outcome, context.status, duration.as_secs_f64(), render);
}

const fn level(outcome: Outcome, status: u16) -> &'static str {
    match outcome {
        // What the app itself calls its failure.
        Outcome::Ok if status >= 500 => "error",
        Outcome::Ok
        | Outcome::ClientError
        | Outcome::NoRoute
        | Outcome::NoRelease
        | Outcome::BadRequest
        | Outcome::Cancelled
        | Outcome::StreamIdle => "info",
        Outcome::Overloaded | Outcome::Draining => "warn",
        Outcome::AppError
        | Outcome::CpuLimit
        | Outcome::WallLimit
        | Outcome::HeapLimit
        | Outcome::Crashed
        | Outcome::UpstreamGone => "error",
    }
}

/// The first bytes of a text, whole characters only.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LOG_FIELD_BYTES_MAX)]
}
