use super::*;
use vitrine_core::id::Digest;
use vitrine_core::limits::LOG_SLACK_LINES_PER_S;
use vitrine_proxy::worker::Endpoint;
use vitrine_wire::limits::LOG_BYTES_MAX;

fn worker(release: &str) -> Identity {
    Identity {
        instance: InstanceId::random(),
        release: release.parse::<ReleaseId>().unwrap(),
        spec_hash: Digest([0; 32]),
        endpoint: Endpoint::Unix("/nowhere".into()),
    }
}

fn line(message: String) -> LogLine {
    LogLine { time_ms: 1, level: LogLevel::Info, request_id: None, message, stack: None }
}

fn journal() -> (AppLogs, vitrine_core::telemetry::LogGuard) {
    let (logs, guard) = Logs::discard();
    (AppLogs::new(&Telemetry::new(logs)), guard)
}

async fn recent(journal: &AppLogs, app: &str) -> Vec<String> {
    let tail = journal.tail(&app.parse().unwrap(), false).await.unwrap();
    messages(&tail)
}

fn messages(tail: &Tail) -> Vec<String> {
    let mut found = Vec::new();
    for part in &tail.past.0 {
        let mut reader = part.open().unwrap();
        while let Some(json) = reader.next_line().unwrap() {
            found.push(KeptLine::parse(json).unwrap().message);
        }
    }
    found
}

#[tokio::test]
async fn a_flood_of_lines_is_cut_to_its_rate_counted_and_told_and_a_neighbour_loses_none() {
    let (journal, _guard) = journal();
    let (noisy, quiet) = (worker("noisy@v1"), worker("quiet@v1"));
    let sink = |worker: &Identity| journal.sink(&worker.release.app, 100);
    let (flood, calm) = (sink(&noisy), sink(&quiet));
    let begun = Instant::now();
    for batch in 0..200 {
        flood.take(&noisy, (0..64).map(|_| line("flood".into())).collect());
        calm.take(&quiet, vec![line(format!("calm {batch}"))]);
    }
    let dropped = journal.0.drops.of("noisy", DropReason::Rate);
    let passed_s = begun.elapsed().as_secs_f64();
    let most = (200.0 + LOG_SLACK_LINES_PER_S).mul_add(passed_s, 200.0 + LOG_BURST_LINES);
    assert!((200 * 64 - dropped) as f64 <= most + 1.0, "{dropped} of {} were dropped", 200 * 64);
    let lines = recent(&journal, "noisy").await;
    assert!(lines.last().is_some_and(|line| line.contains("log lines were dropped")), "{:?}", lines.last());
    let told = lines.iter().filter_map(|line| line.split_once(" log lines were dropped"));
    assert_eq!(told.map(|(count, _)| count.parse::<u64>().unwrap()).sum::<u64>(), dropped);
    assert_eq!(journal.0.drops.of("quiet", DropReason::Rate), 0);
    assert_eq!(
        recent(&journal, "quiet").await,
        (0..200).map(|batch| format!("calm {batch}")).collect::<Vec<_>>()
    );
    journal.forget(&"noisy".parse().unwrap());
    assert_eq!(journal.0.drops.of("noisy", DropReason::Rate), 0);
}

#[tokio::test]
async fn lines_are_cut_and_memory_is_bounded_by_bytes() {
    let (journal, _guard) = journal();
    let (worker, sink) = (worker("shop@v1"), journal.sink(&"shop".parse().unwrap(), 1_000));
    for _ in 0..150 {
        sink.take(&worker, vec![line("x".repeat(1 << 20))]);
    }
    let lines = recent(&journal, "shop").await;
    assert!(!lines.is_empty() && lines.iter().all(|line| line.len() <= LOG_BYTES_MAX));
    let held: usize = lines.iter().map(|line| line.len() + JOURNAL_LINE_BYTES).sum();
    assert!(held <= JOURNAL_BYTES_MAX, "{held}");
    for _ in 0..1_000 {
        sink.take(&worker, vec![line("y".repeat(LOG_BYTES_MAX))]);
    }
    assert!(journal.0.drops.of("shop", DropReason::Rate) > 500, "bytes are bounded too");
}

#[tokio::test]
async fn who_follows_gets_the_lines_of_their_app_alone() {
    let (journal, _guard) = journal();
    let _store = journal.0.logs.keep(None).unwrap();
    let (shop, other) = (worker("shop@v1"), worker("other@v1"));
    let sink = journal.sink(&"shop".parse().unwrap(), 100);
    sink.take(&shop, vec![line("before".into())]);
    let tail = journal.tail(&"shop".parse().unwrap(), true).await.unwrap();
    assert_eq!(messages(&tail), ["before"]);
    let (mut follow, _following) = tail.to_come.unwrap();
    sink.take(&other, vec![line("not this".into())]);
    sink.take(&shop, vec![line("after".into())]);
    let json = follow.recv().await.unwrap();
    assert_eq!(KeptLine::parse(&json).unwrap().message, "after");
    assert!(follow.try_recv().is_err());
}

#[tokio::test]
async fn what_a_worker_of_a_forgotten_app_still_says_is_not_in_the_log_of_the_next_one() {
    let (journal, _guard) = journal();
    let shop: AppName = "shop".parse().unwrap();
    let (old, before) = (worker("shop@v1"), journal.sink(&shop, 100));
    before.take(&old, vec![line("before".into())]);
    journal.forget(&shop);
    let (new, after) = (worker("shop@v2"), journal.sink(&shop, 100));
    before.take(&old, (0..10_000).map(|_| line("late".into())).collect());
    after.take(&new, vec![line("after".into())]);
    assert_eq!(recent(&journal, "shop").await, ["after"]);
    assert_eq!(journal.0.drops.of("shop", DropReason::Rate), 0);
}
