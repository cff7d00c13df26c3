use super::super::LogsQuery;
use super::super::event::Standing;
use super::*;
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};
use std::pin::Pin;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use vitrine_core::telemetry::KeptLine;
use vitrine_wire::LogLevel;

const PATIENCE: Duration = Duration::from_secs(20);

fn lines(numbers: std::ops::Range<u32>) -> Vec<Bytes> {
    let line = |number: u32| KeptLine::of_host("a", LogLevel::Warn, number.to_string()).json().into();
    numbers.map(line).collect()
}

fn slots() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(1))
}

fn search_of(past: Past, query: LogsQuery, lines_max: Option<usize>, slots: &Arc<Semaphore>) -> Search {
    let slot = Arc::new(Arc::clone(slots).try_acquire_owned().unwrap());
    Search::new(past, Arc::new(Wanted::new(query, 0, Standing::default()).unwrap()), lines_max, slot)
}

/// Events of three parts of ten lines each.
fn search(
    lines_max: Option<usize>,
    scans: &'static Semaphore,
) -> Pin<Box<impl Stream<Item = String> + Send>> {
    let parts = (0..3).flat_map(|part| Past::in_memory(lines(10 * part..10 * part + 10)).0);
    let search = search_of(Past(parts.collect()), LogsQuery::default(), lines_max, &slots());
    Box::pin(search.events(scans).map(|event| format!("{:?}", event.unwrap())))
}

fn number(event: &str) -> &str {
    let (_, message) = event.split_once(r#"\"message\":\""#).unwrap();
    message.split('\\').next().unwrap()
}

/// A runtime like that of the control plane, with one thread for what blocks.
fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_time().max_blocking_threads(1).build().unwrap()
}

#[tokio::test]
async fn a_tail_is_the_last_lines_in_their_order() {
    static SCANS: Semaphore = Semaphore::const_new(1);
    for (lines_max, first) in [(3, 27), (10, 20), (12, 18), (30, 0), (99, 0)] {
        let last: Vec<String> = search(Some(lines_max), &SCANS).collect().await;
        let expected: Vec<String> = (first..30).map(|number| number.to_string()).collect();
        assert_eq!(last.iter().map(|event| number(event)).collect::<Vec<_>>(), expected, "{lines_max}");
    }
    assert_eq!(search(None, &SCANS).collect::<Vec<_>>().await.len(), 30);
}

#[test]
fn a_batch_is_bounded_by_its_bytes_and_by_the_lines_that_wait_for_a_reader() {
    let many = lines(0..40_000);
    let bytes: usize = many.iter().map(Bytes::len).sum();
    assert!(bytes > 2 * LOG_SCAN_BYTES, "{bytes}");
    let nothing = LogsQuery { id: Some("no-such-request".into()), ..LogsQuery::default() };
    let mut search = search_of(Past::in_memory(many.clone()), nothing, None, &slots());
    let mut batches = 0;
    while !search.can_give() {
        search.scan();
        batches += 1;
    }
    assert!(batches >= bytes / LOG_SCAN_BYTES, "{batches}");
    assert!(search.give().is_none());

    let mut search = search_of(Past::in_memory(many), LogsQuery::default(), None, &slots());
    search.scan();
    assert_eq!(search.found.len(), LOG_READ_AHEAD_LINES);
}

#[test]
fn a_search_that_waits_for_a_place_or_for_its_reader_holds_no_thread_and_no_place() {
    static SCANS: Semaphore = Semaphore::const_new(1);
    let runtime = one_thread();
    runtime.block_on(async {
        let place = SCANS.acquire().await.unwrap();
        let mut waiting: Vec<_> = (0..100).map(|_| search(None, &SCANS)).collect();
        for search in &mut waiting {
            assert!(search.next().now_or_never().is_none(), "it has a place");
        }
        drop(place);
        let mut slow = waiting.pop().unwrap();
        drop(waiting);
        assert_eq!(number(&slow.next().await.unwrap()), "0");
        // The thread is free, for a write to the store say, while searches wait and while readers take nothing.
        let other = tokio::task::spawn_blocking(|| ());
        tokio::time::timeout(PATIENCE, other).await.expect("a thread waits").unwrap();
        assert_eq!(SCANS.available_permits(), 1);
        drop(slow);
    });
    // A thread that waits does not keep the test from ending.
    runtime.shutdown_background();
}

#[test]
fn a_search_whose_reader_has_left_holds_its_slot_until_its_batch_is_read_and_reads_no_other() {
    static SCANS: Semaphore = Semaphore::const_new(1);
    one_thread().block_on(async {
        let (slots, (free, wait)) = (slots(), std::sync::mpsc::channel::<()>());
        let busy = tokio::task::spawn_blocking(move || wait.recv());
        let parts = (0..3).flat_map(|part| Past::in_memory(lines(10 * part..10 * part + 10)).0);
        let search = search_of(Past(parts.collect()), LogsQuery::default(), Some(30), &slots);
        let wanted = Arc::downgrade(&search.wanted);
        let mut left = Box::pin(search.events(&SCANS));
        assert!(left.next().now_or_never().is_none());
        drop(left);
        assert_eq!(
            (slots.available_permits(), SCANS.available_permits()),
            (0, 0),
            "its batch is still to be read"
        );
        drop(free);
        let _ = busy.await;
        tokio::time::timeout(PATIENCE, slots.acquire()).await.expect("the slot is kept").unwrap().forget();
        assert!(wanted.upgrade().is_none(), "the search goes on");
        assert_eq!(SCANS.available_permits(), 1);
    });
}
