use super::*;
use std::sync::mpsc;

/// A stderr that takes nothing before it is told to.
struct Gate {
    open: mpsc::Receiver<()>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // Closed is open for ever.
        let _ = self.open.recv();
        self.written.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Slow {
    queue: LineQueue,
    writer: Writer,
    drops: LogDrops,
    open: mpsc::Sender<()>,
    written: Arc<Mutex<Vec<u8>>>,
}

fn slow() -> Slow {
    let (open, gate) = mpsc::channel();
    let written = Arc::<Mutex<Vec<u8>>>::default();
    let drops = LogDrops::default();
    let gate = Gate { open: gate, written: Arc::clone(&written) };
    let (queue, writer) = LineQueue::start(gate, drops.clone());
    Slow { queue, writer, drops, open, written }
}

impl Slow {
    /// Lets everything out, and gives how many lines begin with this letter.
    fn lines(self, first: u8) -> usize {
        drop(self.open);
        drop(self.writer);
        let written = self.written.lock().unwrap();
        written.split(|byte| *byte == b'\n').filter(|line| line.first() == Some(&first)).count()
    }
}

fn line(first: u8, bytes: usize) -> Bytes {
    let mut line = vec![first; bytes - 1];
    line.push(b'\n');
    line.into()
}

fn app(name: &str) -> AppName {
    name.parse().unwrap()
}

#[test]
fn a_flood_is_bounded_by_bytes_and_takes_no_line_of_anybody_else() {
    let slow = slow();
    let mut flood = 0;
    while slow.drops.of("noisy", DropReason::SlowReader) == 0 {
        slow.queue.push(Lane::App(app("noisy")), line(b'n', 16 << 10));
        flood += 16 << 10;
        assert!(flood <= LOG_QUEUE_BYTES_MAX, "no bound");
    }
    for _ in 0..1_000 {
        slow.queue.push(Lane::App(app("noisy")), line(b'n', 16 << 10));
        slow.queue.push(Lane::Request(Some(app("noisy"))), line(b'q', 300));
        slow.queue.push(Lane::App(app("quiet")), line(b'a', 300));
        slow.queue.push(Lane::Request(Some(app("quiet"))), line(b'r', 300));
        slow.queue.push(Lane::Host, line(b'h', 300));
        slow.queue.push(Lane::Audit, line(b'u', 300));
    }
    assert_eq!(slow.drops.of("quiet", DropReason::SlowReader), 0);
    let queue = slow.queue.clone();
    let held: usize = queue.lock().others.iter().map(|line| line.bytes.len()).sum();
    assert!(held <= LOG_QUEUE_BYTES_MAX, "{held}");
    drop(slow.open);
    drop(slow.writer);
    let written = slow.written.lock().unwrap();
    for first in [b'q', b'a', b'r', b'h', b'u'] {
        let lines = written.split(|byte| *byte == b'\n').filter(|line| line.first() == Some(&first));
        assert_eq!(lines.count(), 1_000, "{}", first as char);
    }
    let state = queue.lock();
    assert_eq!((state.apps.bytes, state.requests.bytes, state.host_bytes, state.audit_bytes), (0, 0, 0, 0));
    assert!(state.apps.by_app.is_empty() && state.requests.by_app.is_empty());
}

#[test]
fn the_hosts_own_lines_are_bounded_too() {
    let slow = slow();
    let most = HOST_LOG_BYTES_MAX / 1_024;
    for _ in 0..2 * most {
        slow.queue.push(Lane::Host, line(b'h', 1_024));
    }
    assert!(slow.drops.of("", DropReason::SlowReader) >= most as u64 - (LOG_BATCH_BYTES / 1_024 + 1) as u64);
    assert!(slow.lines(b'h') >= most);
}

#[test]
fn a_record_of_the_audit_log_waits_for_room_and_is_never_dropped() {
    let slow = slow();
    let records = 3 * AUDIT_QUEUE_BYTES_MAX / 1_024;
    let queue = slow.queue.clone();
    let writing = std::thread::spawn(move || {
        (0..records).for_each(|_| queue.push(Lane::Audit, line(b'u', 1_024)));
    });
    // Until it waits: no more than the queue and one write hold.
    while slow.queue.lock().audit_bytes + 1_024 <= AUDIT_QUEUE_BYTES_MAX {
        std::thread::yield_now();
    }
    assert!(!writing.is_finished());
    while !writing.is_finished() {
        slow.open.send(()).unwrap();
    }
    writing.join().unwrap();
    assert_eq!(slow.drops.of("", DropReason::SlowReader), 0);
    assert_eq!(slow.lines(b'u'), records);
}

/// A stderr that tells of each write.
struct Told(mpsc::Sender<String>);

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = self.0.send(String::from_utf8(bytes.to_vec()).unwrap());
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn lines_of_requests_are_gathered_and_those_of_the_host_are_not() {
    let (told, writes) = mpsc::channel();
    let hour = Duration::from_secs(3_600);
    let (queue, writer) = LineQueue::start_gathering(Told(told), LogDrops::default(), hour);
    let push = |lane: Lane, text: &'static str| queue.push(lane, Bytes::from_static(text.as_bytes()));
    push(Lane::Request(None), "1");
    assert_eq!(writes.recv().unwrap(), "1", "a line that comes alone waits for nothing");
    push(Lane::Request(None), "2");
    push(Lane::App(app("one")), "3");
    push(Lane::Audit, "a");
    assert_eq!(writes.recv().unwrap(), "a23");
    push(Lane::Request(None), "4");
    queue.push(Lane::App(app("one")), line(b'b', LOG_BATCH_BYTES));
    assert!(writes.recv().unwrap().starts_with("4b"), "a whole batch does not wait");
    push(Lane::Request(None), "5");
    drop(writer);
    assert_eq!(writes.recv().unwrap(), "5", "nothing is gathered at the end");
}
