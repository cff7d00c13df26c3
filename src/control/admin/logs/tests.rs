use super::*;
use http_body_util::BodyExt as _;
use tokio::sync::broadcast;
use vitrine_core::telemetry::{KeptLine, LineKind};

fn line(version: &str, message: &str) -> KeptLine {
    let line = KeptLine::of_host("a", LogLevel::Warn, message.into());
    KeptLine { kind: LineKind::App, release: Some(version.into()), ..line }
}

fn wanted(query: LogsQuery) -> Wanted {
    Wanted::new(query, 0, Standing::default()).unwrap()
}

fn request(status: u16, outcome: Outcome, level: LogLevel, path: &str, id: &str) -> KeptLine {
    KeptLine {
        kind: LineKind::Request,
        level,
        method: Some("GET".into()),
        path: Some(path.into()),
        status: Some(status),
        outcome: Some(outcome),
        duration_ms: Some(12.34),
        cpu_ms: Some(3.0),
        bytes: Some(512),
        request_id: Some(id.into()),
        ..line("v1", "")
    }
}

/// Messages that a query shows of these lines, and how many it hides.
fn shown(query: LogsQuery, lines: &[KeptLine]) -> (Vec<String>, usize) {
    let wanted = wanted(query);
    let (mut shown, mut hidden) = (Vec::new(), 0);
    for line in lines {
        match wanted.look(&line.json()) {
            Verdict::Shown(line) => shown.push(line.message),
            Verdict::Hidden => hidden += 1,
            Verdict::Other => {}
        }
    }
    (shown, hidden)
}

#[tokio::test]
async fn a_follower_gets_wanted_lines_hears_of_lost_ones_and_ends_with_the_host() {
    let (send, receive) = broadcast::channel(2);
    for (version, message) in [("v1", "lost"), ("v2", "other version"), ("v1", "kept")] {
        send.send(Bytes::from(line(version, message).json())).unwrap();
    }
    let shutdown = CancellationToken::new();
    let wanted = wanted(LogsQuery { version: Some("v1".parse().unwrap()), ..LogsQuery::default() });
    let lines = follow(receive, shutdown.clone(), Arc::new(wanted));
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

#[test]
fn without_a_wish_there_are_the_apps_lines_and_the_requests_that_failed() {
    let warm = |level| KeptLine { level, request_id: Some("warm:/".into()), ..line("v1", "warm") };
    let lines = [
        line("v1", "the app's"),
        warm(LogLevel::Info),
        warm(LogLevel::Error),
        request(200, Outcome::Ok, LogLevel::Info, "/good", "0190-00000001"),
        request(503, Outcome::CpuLimit, LogLevel::Error, "/loop", "0190-00000002"),
    ];
    let failed = "GET /loop 503 cpu_limit 12.3 ms (cpu 3.0 ms), 512 bytes";
    let good = "GET /good 200 ok 12.3 ms (cpu 3.0 ms), 512 bytes";
    let all = |query| shown(query, &lines);
    let query = LogsQuery::default;
    assert_eq!(all(query()), (vec!["the app's".into(), "warm".into(), failed.into()], 1));
    assert_eq!(all(LogsQuery { all: true, ..query() }).0.len(), 4);
    assert_eq!(all(LogsQuery { requests: true, ..query() }).0.len(), 4);
    let of = |query: LogsQuery| all(query).0;
    assert_eq!(of(LogsQuery { path: Some("/g*".into()), ..query() }), [good]);
    assert_eq!(of(LogsQuery { outcome: Some(Outcome::CpuLimit), ..query() }), [failed]);
    assert_eq!(of(LogsQuery { level: Some(LogLevel::Error), ..query() }), ["warm", failed]);
    // A good request is found by its id, whole or by its end.
    for id in ["0190-00000001", "00000001"] {
        assert_eq!(of(LogsQuery { id: Some(id.into()), ..query() }), [good], "{id}");
    }
    assert!(of(LogsQuery { id: Some("0001".into()), ..query() }).is_empty(), "four characters are anybody's");
}

#[test]
fn an_id_of_ours_says_where_to_look() {
    let id = "0190163d-8694-739b-aea5-966c26f8ad90";
    let begun_ms = 0x0190_163d_8694;
    let wanted = wanted(LogsQuery { id: Some(id.into()), ..LogsQuery::default() });
    assert!(wanted.may_be_in(begun_ms - 1, begun_ms + 1));
    assert!(!wanted.may_be_in(begun_ms - 9, begun_ms - 1));
    assert!(!wanted.may_be_in(begun_ms + 7_200_000, u64::MAX));
}
