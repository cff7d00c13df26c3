use super::*;
use futures_util::SinkExt;
use http_body_util::StreamBody;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio_util::codec::Framed;
use vitrine_core::limits::LINK_BODIES_BYTES_MAX;
use vitrine_wire::Codec;
use vitrine_wire::limits::{LOG_BYTES_MAX, WINDOW_BYTES};

fn memory() -> Arc<MemoryShare> {
    crate::worker::fixture::memory()
}

/// As few streams as there may be, and a mebibyte an answer.
fn limits() -> WorkerLimits {
    WorkerLimits { concurrency: 0, queue: 0, ..crate::worker::fixture::settings().limits }
}

fn head(has_body: bool) -> RequestHead {
    RequestHead {
        method: "POST".into(),
        url: "http://shop.localhost/".into(),
        headers: Vec::new(),
        has_body,
        upgrade: false,
        request_id: "r".into(),
        ledger: false,
    }
}

/// A body that fills the window and has more.
fn endless() -> RequestBody {
    let piece = Bytes::from(vec![b'x'; WINDOW_BYTES as usize]);
    let pieces = futures_util::stream::repeat_with(move || Ok(http_body::Frame::data(piece.clone())));
    StreamBody::new(pieces).boxed_unsync()
}

#[tokio::test]
async fn a_connection_that_is_dropped_ends_what_waits_for_it() {
    let (host, worker) = UnixStream::pair().unwrap();
    let (connection, run) = Connection::start(Framed::new(host, Codec), &limits(), memory());
    let running = tokio::spawn(run);
    let waiting = [None, Some(endless())].map(|body| {
        let connection = Arc::clone(&connection);
        tokio::spawn(async move { connection.request(head(body.is_some()), body).await.map(drop) })
    });
    let mut worker = Framed::new(worker, Codec);
    for _ in 0..2 {
        while !matches!(worker.next().await, Some(Ok(Frame::Request(..)))) {}
    }
    // As when the control socket is lost first: the requests socket is not read to its end.
    running.abort();
    for request in waiting {
        assert_eq!(request.await.unwrap().unwrap_err().outcome, Outcome::UpstreamGone);
    }
    let late = connection.request(head(false), None).await.map(drop);
    assert_eq!(late.unwrap_err().outcome, Outcome::UpstreamGone);
    assert!(connection.lock().is_empty());
}

/// A body whose client breaks it off once the worker has said the head of its answer.
fn broken_after(answered: oneshot::Receiver<()>) -> RequestBody {
    let pieces = futures_util::stream::once(async {
        // The sender may be gone by now, which is equivalent.
        let _ = answered.await;
        Err("the client went away".into())
    });
    StreamBody::new(pieces).boxed_unsync()
}

#[tokio::test]
async fn an_upload_that_breaks_off_ends_the_answer_that_has_begun() {
    let (host, worker) = UnixStream::pair().unwrap();
    let (connection, run) = Connection::start(Framed::new(host, Codec), &limits(), memory());
    tokio::spawn(run);
    let mut worker = Framed::new(worker, Codec);
    let (answered, wait) = oneshot::channel();
    let request = connection.request(head(true), Some(broken_after(wait)));
    let begin = async {
        while !matches!(worker.next().await, Some(Ok(Frame::Request(..)))) {}
        let head = ResponseHead::new(200, Vec::new());
        worker.send(Frame::Response(1, head)).await.unwrap();
        worker.send(Frame::Body(1, Bytes::from_static(b"begun"))).await.unwrap();
    };
    let (answer, ()) = tokio::join!(request, begin);
    let mut body = answer.unwrap().body;
    assert!(matches!(body.next().await, Some(Piece::Data(data)) if data == "begun"));
    answered.send(()).unwrap();
    // The worker forgets what is cancelled, and says no more of it.
    assert_eq!(worker.next().await.unwrap().unwrap(), Frame::Cancel(1, CancelReason::ClientGone));
    let end = tokio::time::timeout(Duration::from_secs(5), body.next()).await.unwrap();
    assert!(matches!(&end, Some(Piece::End(done)) if done.outcome == Outcome::ClientError), "{end:?}");
    assert!(connection.lock().is_empty());
}

/// A host's connection, the worker's end of it, and the request that is asked there first.
async fn asked() -> (Arc<Connection>, Framed<UnixStream, Codec>, tokio::task::JoinHandle<Result<Answer, Done>>)
{
    let (host, worker) = UnixStream::pair().unwrap();
    let (connection, run) = Connection::start(Framed::new(host, Codec), &limits(), memory());
    tokio::spawn(run);
    let asking = Arc::clone(&connection);
    let request = tokio::spawn(async move { asking.request(head(false), None).await });
    let mut worker = Framed::new(worker, Codec);
    assert!(matches!(worker.next().await, Some(Ok(Frame::Request(1, _)))));
    (connection, worker, request)
}

fn ok() -> Frame {
    Frame::Response(1, ResponseHead::new(200, Vec::new()))
}

#[tokio::test]
async fn a_window_in_the_smallest_frames_comes_in_few_pieces() {
    let (_connection, mut worker, request) = asked().await;
    worker.send(ok()).await.unwrap();
    let mut body = request.await.unwrap().unwrap().body;
    for _ in 0..WINDOW_BYTES {
        worker.feed(Frame::Body(1, Bytes::from_static(b"x"))).await.unwrap();
    }
    worker.send(Frame::Done(1, Done::of(Outcome::Ok))).await.unwrap();
    // The end is the last thing that is read: then everything lies there.
    while !body.connection.lock().is_empty() {
        tokio::task::yield_now().await;
    }
    let (mut pieces, mut bytes) = (0, 0);
    while let Some(Piece::Data(data)) = body.next().await {
        (pieces, bytes) = (pieces + 1, bytes + data.len());
    }
    assert_eq!(bytes, WINDOW_BYTES as usize);
    assert!(pieces <= 2 * bytes / BODY_FRAME_BYTES_MAX, "{pieces} pieces");
}

#[tokio::test]
async fn an_answer_out_of_order_ends_the_connection() {
    let piece = || Frame::Body(1, Bytes::from(vec![0; BODY_FRAME_BYTES_MAX]));
    let over = WINDOW_BYTES as usize / BODY_FRAME_BYTES_MAX + 1;
    let window = std::iter::once(ok()).chain(std::iter::repeat_with(piece).take(over)).collect();
    for (frames, name) in [
        (vec![ok(), ok()], "a second head"),
        (vec![piece()], "a body before its head"),
        (window, "more than a window"),
        (vec![Frame::Credit(1, 1)], "credit for nothing"),
        (vec![Frame::BodyEnd(1)], "an end of a body"),
        (vec![Frame::Log(Vec::new())], "a frame of the control socket"),
    ] {
        let (connection, mut worker, request) = asked().await;
        for frame in frames {
            worker.feed(frame).await.unwrap();
        }
        // It may be closed by now.
        let _ = worker.flush().await;
        let _answer = request.await.unwrap();
        let closed = async { while let Some(Ok(_)) = worker.next().await {} };
        tokio::time::timeout(Duration::from_secs(5), closed)
            .await
            .unwrap_or_else(|_| panic!("{name} is taken"));
        assert!(connection.lock().is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_worker_has_no_more_streams_than_it_may() {
    let (connection, _worker, _request) = asked().await;
    let mut waiting = Vec::new();
    let most = limits().streams_max();
    for _ in 1..most {
        let connection = Arc::clone(&connection);
        waiting.push(tokio::spawn(async move { connection.request(head(false), None).await.map(drop) }));
    }
    while connection.lock().len() < most {
        tokio::task::yield_now().await;
    }
    let refused = connection.request(head(false), None).await.map(drop);
    assert_eq!(refused.unwrap_err().outcome, Outcome::Overloaded);
    waiting.into_iter().for_each(|task| task.abort());
}

#[tokio::test]
async fn an_answer_longer_than_it_may_be_is_broken_off_and_no_other() {
    let (connection, mut worker, request) = asked().await;
    worker.send(ok()).await.unwrap();
    let mut body = request.await.unwrap().unwrap().body;
    let reading = tokio::spawn(async move {
        let mut bytes = 0;
        loop {
            match body.next().await.unwrap() {
                Piece::Data(data) => bytes += data.len(),
                Piece::End(done) => return (bytes, done.outcome),
            }
        }
    });
    let (mut sent, mut credit) = (0, WINDOW_BYTES as usize);
    loop {
        while credit >= BODY_FRAME_BYTES_MAX && sent <= 1 << 20 {
            worker.send(Frame::Body(1, Bytes::from(vec![0; BODY_FRAME_BYTES_MAX]))).await.unwrap();
            (sent, credit) = (sent + BODY_FRAME_BYTES_MAX, credit - BODY_FRAME_BYTES_MAX);
        }
        match worker.next().await.unwrap().unwrap() {
            Frame::Credit(1, bytes) => credit += bytes as usize,
            Frame::Cancel(1, _) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(reading.await.unwrap(), (1 << 20, Outcome::AppError));
    let again = tokio::spawn(async move { connection.request(head(false), None).await.map(drop) });
    assert!(matches!(worker.next().await, Some(Ok(Frame::Request(2, _)))));
    again.abort();
}

#[tokio::test]
async fn a_workers_account_of_a_request_is_bounded() {
    let (connection, mut worker, request) = asked().await;
    let error = || Some(vitrine_wire::AppError { message: "E".repeat(300_000), stack: "s".repeat(300_000) });
    let figures = u64::MAX;
    let done = Done {
        queue_us: figures,
        render_us: figures,
        cpu_us: figures,
        error: error(),
        ..Done::of(Outcome::AppError)
    };
    worker.send(Frame::Done(1, done)).await.unwrap();
    let end = request.await.unwrap().map(drop).unwrap_err();
    assert!([end.queue_us, end.render_us, end.cpu_us].iter().all(|us| *us < 60_000_000), "{end:?}");
    let told = |done: Done| done.error.map(|error| (error.message.len(), error.stack.len())).unwrap();
    assert_eq!(told(end), (LOG_BYTES_MAX, LOG_BYTES_MAX));
    // A flood of them is cut to what identifies them.
    let mut brief = Done::of(Outcome::AppError);
    for _ in 0..1_000 {
        brief.error = error();
        connection.check(&mut brief, Instant::now());
    }
    assert_eq!(told(brief), (ERROR_BRIEF_BYTES_MAX, 0));
}

/// A host's connection with this much memory, the worker's end of it, and so many answers that have begun.
async fn answering(
    memory: &Arc<MemoryShare>,
    answers: u32,
) -> (Arc<Connection>, Framed<UnixStream, Codec>, Vec<AnswerBody>) {
    let (host, worker) = UnixStream::pair().unwrap();
    let (connection, run) = Connection::start(Framed::new(host, Codec), &limits(), Arc::clone(memory));
    tokio::spawn(run);
    let mut worker = Framed::new(worker, Codec);
    let mut bodies = Vec::new();
    for stream in 1..=answers {
        let asking = Arc::clone(&connection);
        let request = tokio::spawn(async move { asking.request(head(false), None).await });
        assert!(matches!(worker.next().await, Some(Ok(Frame::Request(..)))));
        let head = ResponseHead::new(200, Vec::new());
        worker.send(Frame::Response(stream, head)).await.unwrap();
        bodies.push(request.await.unwrap().unwrap().body);
    }
    (connection, worker, bodies)
}

async fn send_pieces(worker: &mut Framed<UnixStream, Codec>, stream: StreamId, count: usize) {
    for _ in 0..count {
        worker.send(Frame::Body(stream, Bytes::from(vec![0; BODY_FRAME_BYTES_MAX]))).await.unwrap();
    }
}

async fn end_of(body: &mut AnswerBody) -> (usize, Outcome) {
    let mut bytes = 0;
    loop {
        match body.next().await.unwrap() {
            Piece::Data(data) => bytes += data.len(),
            Piece::End(done) => return (bytes, done.outcome),
        }
    }
}

#[tokio::test]
async fn the_answer_that_nothing_is_taken_of_for_longest_is_broken_off_when_all_hold_too_much() {
    // Half of it may be held, which is four pieces.
    let memory = crate::worker::BodyMemory::new(2 * WINDOW_BYTES as usize).share();
    let (_connection, mut worker, mut bodies) = answering(&memory, 2).await;
    send_pieces(&mut worker, 1, 1).await;
    assert!(matches!(bodies[0].next().await, Some(Piece::Data(_))));
    send_pieces(&mut worker, 2, 2).await;
    send_pieces(&mut worker, 1, 3).await;
    assert_eq!(worker.next().await.unwrap().unwrap(), Frame::Cancel(2, CancelReason::ClientGone));
    assert_eq!(end_of(&mut bodies[1]).await, (0, Outcome::ClientError));
    worker.send(Frame::Done(1, Done::of(Outcome::Ok))).await.unwrap();
    assert_eq!(end_of(&mut bodies[0]).await, (3 * BODY_FRAME_BYTES_MAX, Outcome::Ok));
    assert!(memory.has_room(WINDOW_BYTES as usize));
}

#[tokio::test]
async fn an_answer_that_the_worker_has_ended_is_broken_off_like_any_other() {
    let memory = crate::worker::BodyMemory::new(3 * WINDOW_BYTES as usize).share();
    let (connection, mut worker, mut bodies) = answering(&memory, 2).await;
    send_pieces(&mut worker, 1, 3).await;
    worker.send(Frame::Done(1, Done::of(Outcome::Ok))).await.unwrap();
    send_pieces(&mut worker, 2, 4).await;
    worker.send(Frame::Done(2, Done::of(Outcome::Ok))).await.unwrap();
    while !connection.lock().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(end_of(&mut bodies[1]).await, (4 * BODY_FRAME_BYTES_MAX, Outcome::Ok));
    assert_eq!(end_of(&mut bodies[0]).await, (0, Outcome::ClientError));
    assert!(memory.has_room(WINDOW_BYTES as usize));
}

#[tokio::test]
async fn a_worker_that_does_not_read_makes_the_host_keep_little() {
    let (host, _worker) = UnixStream::pair().unwrap();
    let (connection, run) = Connection::start(Framed::new(host, Codec), &limits(), memory());
    tokio::spawn(run);
    let piece = || Frame::Body(1, Bytes::from(vec![0; BODY_FRAME_BYTES_MAX]));
    let mut sent = 0;
    // What the socket takes is no more than some hundred kilobytes.
    while tokio::time::timeout(Duration::from_millis(100), connection.frames.send(piece())).await.is_ok() {
        sent += BODY_FRAME_BYTES_MAX;
    }
    assert!(sent <= LINK_BODIES_BYTES_MAX + (2 << 20), "{sent} bytes");
}
