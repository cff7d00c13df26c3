//! A line of an app's log as people read it.

use crate::cli::{Failure, print, visible};
use vitrine_control::admin::logs::{LogEvent, Mark};
use vitrine_core::limits::LOG_ID_PART_MIN;
use vitrine_core::telemetry::LineKind;

/// Before what belongs to the line above.
const MARGIN: &str = "    ";

/// Prints it.
pub(super) fn show(line: &LogEvent) -> Result<(), Failure> {
    lines(line).iter().try_for_each(|line| print::data(line))
}

fn lines(line: &LogEvent) -> Vec<String> {
    let time = i64::try_from(line.time_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let time = time.map_or_else(|| line.time_ms.to_string(), |time| format!("{time:.3}"));
    let message = visible::block(&line.message, MARGIN);
    let (level, whose, request) = (visible::line(&line.level), whose(line), request(line));
    let mut lines = vec![format!("{time} {level:<5} {whose} {request} {message}")];
    // What the app threw is in its own line already.
    if let Some(stack) = line.stack.as_ref().filter(|_| line.kind != LineKind::Request) {
        // V8's stacks begin with the message, which is shown already.
        let (head, _) = stack.split_once("\n    at ").unwrap_or((stack, ""));
        let frames = if line.message.starts_with(head) { &stack[head.len()..] } else { stack };
        let frames = frames.lines().filter(|frame| !frame.is_empty());
        lines.extend(frames.map(|frame| format!("{MARGIN}{frame}")));
    }
    lines
}

/// The version, and what it is where it is not the live one.
fn whose(line: &LogEvent) -> String {
    let Some((_, version)) = line.release.split_once('@') else { return "host".into() };
    let version = visible::line(version);
    match &line.preview {
        _ if line.live => version.into(),
        Some(preview) => format!("{version} [preview {}]", visible::line(preview)),
        None => format!("{version} [not live]"),
    }
}

/// What the line was written for: the end of a request's id, whose beginning is a time.
fn request(line: &LogEvent) -> String {
    match (line.mark, &line.request_id) {
        (Some(Mark::WarmUp), _) => "warm-up".into(),
        (Some(Mark::Health), _) => "health".into(),
        (None, Some(id)) => {
            let from = id.ceil_char_boundary(id.len().saturating_sub(LOG_ID_PART_MIN));
            visible::line(&id[from..]).into()
        }
        (None, None) => "-".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> LogEvent {
        LogEvent {
            kind: LineKind::App,
            time_ms: 1_700_000_000_123,
            level: "info".into(),
            release: "shop@v2".into(),
            preview: None,
            live: true,
            instance: None,
            request_id: Some("01a229d4-0000-7000-8000-0123456789ab".into()),
            mark: None,
            message: "home loader".into(),
            stack: None,
            request: None,
        }
    }

    #[test]
    fn what_is_no_visitors_and_no_live_releases_has_a_mark() {
        let begin = "2023-11-14T22:13:20.123Z info ";
        let shown = |change: &dyn Fn(&mut LogEvent)| {
            let mut line = line();
            change(&mut line);
            lines(&line).join("\n").strip_prefix(begin).unwrap().trim_start().to_owned()
        };
        assert_eq!(shown(&|_| ()), "v2 456789ab home loader");
        let warm = |line: &mut LogEvent| {
            line.mark = Some(Mark::WarmUp);
            line.request_id = Some("warm:/".into());
        };
        assert_eq!(shown(&warm), "v2 warm-up home loader");
        let preview = |line: &mut LogEvent| {
            line.live = false;
            line.preview = Some("pr-7".into());
        };
        assert_eq!(shown(&preview), "v2 [preview pr-7] 456789ab home loader");
        let old = |line: &mut LogEvent| line.live = false;
        assert_eq!(shown(&old), "v2 [not live] 456789ab home loader");
        let host = |line: &mut LogEvent| {
            line.release = "shop".into();
            line.request_id = None;
        };
        assert_eq!(shown(&host), "host - home loader");
    }

    #[test]
    fn a_hostile_line_is_text_and_looks_like_no_other() {
        let mut line = line();
        line.message = "one\n2026-11-30 forged\u{1b}[2J".into();
        line.request_id = Some("é\u{1b}[2J".into());
        let shown = lines(&line).join("\n");
        assert!(shown.ends_with("\\u{1b}[2J one\n    2026-11-30 forged\\u{1b}[2J"), "{shown:?}");
    }
}
