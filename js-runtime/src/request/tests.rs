use super::*;
use bytes::Bytes;
use std::time::Duration;
use vitrine_wire::limits::{BODY_FRAME_BYTES_MAX, HEADERS_MAX, LOG_BYTES_MAX, LOG_LINES_MAX, WINDOW_BYTES};
use vitrine_wire::{
    CancelReason, Done, EgressFailure, EgressHead, Frame, LogLevel, LogLine, Outcome, ResponseHead,
};

fn head(has_body: bool) -> RequestHead {
    RequestHead {
        method: "GET".to_owned(),
        url: "http://app.localhost/".to_owned(),
        headers: Vec::new(),
        has_body,
        upgrade: false,
        request_id: "r".to_owned(),
        ledger: false,
    }
}

fn ok_head() -> ResponseHead {
    ResponseHead::new(200, Vec::new())
}

async fn opened(streams: &std::sync::Arc<RequestStreams>, stream: StreamId, has_body: bool) -> Request {
    streams.request(stream, head(has_body)).await.expect("within the rules").expect("a place in the queue")
}

fn frames(queue: &mut WriteQueueReader) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Ok(entry) = queue.try_recv() {
        frames.extend(entry.frames());
    }
    frames
}

#[tokio::test]
async fn a_page_that_fits_the_window_is_one_entry() {
    let (queue, mut reader) = WriteQueue::new();
    let streams = RequestStreams::new(queue);
    let request = opened(&streams, 1, false).await;
    let page = Bytes::from(vec![b'p'; 2 * BODY_FRAME_BYTES_MAX + 1]);
    request.answer.finish(ok_head(), page, Done::of(Outcome::Ok)).await;
    let entry = reader.try_recv().expect("the answer");
    assert!(reader.try_recv().is_err(), "more than one entry");
    let lengths: Vec<usize> = entry
        .frames()
        .map(|frame| match frame {
            Frame::Body(1, data) => data.len(),
            _ => 0,
        })
        .collect();
    assert_eq!(lengths, [0, BODY_FRAME_BYTES_MAX, BODY_FRAME_BYTES_MAX, 1, 0]);
    assert_eq!(streams.open(), 0);
}

#[tokio::test]
async fn a_page_over_the_window_waits_for_credit_and_counts_the_wait() {
    let (queue, mut reader) = WriteQueue::new();
    let streams = RequestStreams::new(queue);
    let request = opened(&streams, 1, false).await;
    let clock = request.answer.stall_clock();
    let page = Bytes::from(vec![b'p'; 3 * WINDOW_BYTES as usize]);
    let writing = tokio::spawn(request.answer.finish(ok_head(), page, Done::of(Outcome::Ok)));
    let (mut received, mut largest_gap) = (0, 0);
    loop {
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert!(clock.total() > Duration::ZERO || received == 0);
        let mut gap = 0;
        for frame in frames(&mut reader) {
            match frame {
                Frame::Body(1, data) => gap += data.len(),
                Frame::Done(1, done) => {
                    assert_eq!((done.outcome, received + gap), (Outcome::Ok, 3 * WINDOW_BYTES as usize));
                    assert!(largest_gap <= WINDOW_BYTES as usize);
                    writing.await.expect("it ended");
                    return;
                }
                _ => {}
            }
        }
        received += gap;
        largest_gap = largest_gap.max(gap);
        streams.credit(1, gap as u32).expect("what was received");
    }
}

#[tokio::test]
async fn an_answer_that_is_dropped_ends_as_crashed_and_a_cancelled_one_silently() {
    let (queue, mut reader) = WriteQueue::new();
    let streams = RequestStreams::new(queue);
    drop(opened(&streams, 1, false).await);
    assert_eq!(frames(&mut reader), [Frame::Done(1, Done::of(Outcome::Crashed))]);
    let mut request = opened(&streams, 2, true).await;
    streams.cancel(2);
    assert!(request.cancelled.is_cancelled());
    assert!(!request.answer.data(Bytes::from_static(b"x")).await, "somebody reads");
    let body = request.body.as_mut().expect("it has a body");
    assert_eq!(body.next().await, Some(Err(BodyBroken)));
    assert_eq!(body.next().await, None);
    request.answer.done(Done::of(Outcome::Cancelled));
    assert_eq!(frames(&mut reader), []);
}

#[tokio::test]
async fn a_head_over_the_bounds_of_the_wire_is_the_apps_error_and_no_broken_connection() {
    let (queue, mut reader) = WriteQueue::new();
    let streams = RequestStreams::new(queue);
    let request = opened(&streams, 1, false).await;
    let headers = vec![("x".to_owned(), Bytes::from_static(b"y")); HEADERS_MAX + 1];
    let large = ResponseHead::new(200, headers);
    request.answer.finish(large, Bytes::from_static(b"body"), Done::of(Outcome::Ok)).await;
    let sent = frames(&mut reader);
    let [Frame::Done(1, done)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(done.outcome, Outcome::AppError);
    assert!(done.error.as_ref().is_some_and(|error| error.message.contains("129 headers")), "{done:?}");
}

#[tokio::test]
async fn one_byte_pieces_are_joined_and_credited() {
    let (queue, mut reader) = WriteQueue::new();
    let streams = RequestStreams::new(queue);
    let mut request = opened(&streams, 1, true).await;
    for _ in 0..WINDOW_BYTES {
        streams.body(1, Bytes::from_static(b"x")).await.expect("within the window");
    }
    let over = streams.body(1, Bytes::from_static(b"x")).await;
    assert_eq!(over, Err(StreamError::WindowExceeded(1)));
    let body = request.body.as_mut().expect("it has a body");
    let (mut pieces, mut bytes) = (0, 0);
    while bytes < WINDOW_BYTES as usize {
        bytes += body.next().await.expect("a piece").expect("unbroken").len();
        pieces += 1;
    }
    assert!(pieces <= 5, "{pieces} pieces");
    assert!(tokio::time::timeout(Duration::from_millis(10), body.next()).await.is_err());
    let credited: u32 = frames(&mut reader)
        .into_iter()
        .map(|frame| match frame {
            Frame::Credit(1, bytes) => bytes,
            frame => panic!("{frame:?}"),
        })
        .sum();
    assert_eq!(credited, WINDOW_BYTES);
}

#[tokio::test]
async fn a_body_that_nobody_reads_is_credited_as_it_comes() {
    let (queue, mut reader) = WriteQueue::new();
    let streams = RequestStreams::new(queue);
    let mut request = opened(&streams, 1, true).await;
    streams.body(1, Bytes::from(vec![0; 1000])).await.expect("within the window");
    request.body = None;
    streams.body(1, Bytes::from(vec![0; 500])).await.expect("within the window");
    assert_eq!(frames(&mut reader), [Frame::Credit(1, 1000), Frame::Credit(1, 500)]);
    assert_eq!(streams.body_end(1), Ok(()));
    assert_eq!(streams.body_end(1), Err(StreamError::AfterEnd(1)));
}

#[tokio::test]
async fn a_local_request_is_answered_whole() {
    let (mut request, answer) = Request::local(head(true), Some(Bytes::from_static(b"question"))).await;
    let body = request.body.as_mut().expect("it has a body").next().await;
    assert_eq!(body, Some(Ok(Bytes::from_static(b"question"))));
    let page = Bytes::from(vec![b'p'; 5 * WINDOW_BYTES as usize]);
    tokio::spawn(request.answer.finish(ok_head(), page.clone(), Done::of(Outcome::Ok)));
    let (head, body, done) = answer.collect().await;
    assert_eq!((head, body, done.outcome), (Some(ok_head()), page, Outcome::Ok));
}

fn egress_head() -> EgressHead {
    EgressHead {
        method: "POST".to_owned(),
        url: "https://api.example.com/".to_owned(),
        headers: Vec::new(),
        has_body: false,
        upgrade: false,
        request_id: None,
        cache: None,
    }
}

#[tokio::test]
async fn an_egress_call_sends_its_body_and_reads_its_answer() {
    let (link, _logs) = HostClient::new(tokio::runtime::Handle::current());
    let lost = link.egress(egress_head(), None).await;
    assert!(matches!(lost, Err(EgressFailure::Unreachable(_))), "{lost:?}");
    let (queue, mut reader) = WriteQueue::new();
    let streams = EgressStreams::new(queue);
    link.attach(std::sync::Arc::clone(&streams));
    let (upload, pieces) = upload();
    let call = tokio::spawn({
        let link = link.clone();
        async move { link.egress(egress_head(), Some(pieces)).await }
    });
    upload.pieces().send(Bytes::from(vec![1; BODY_FRAME_BYTES_MAX + 1])).await.expect("it is read");
    upload.end();
    let mut seen = Vec::new();
    while !matches!(seen.last(), Some(Frame::BodyEnd(1))) {
        seen.extend(reader.recv().await.expect("the call goes on").frames());
    }
    assert!(matches!(&seen[0], Frame::Egress(1, head) if head.has_body), "{:?}", seen[0]);
    streams.response(1, ok_head()).expect("the first head");
    let mut answer = call.await.expect("no panic").expect("an answer");
    streams.body(1, Bytes::from_static(b"data")).await.expect("within the window");
    assert_eq!(answer.body.next().await, Some(Ok(Bytes::from_static(b"data"))));
    streams.done(1, Done::of(Outcome::Ok));
    assert_eq!(answer.body.next().await, None);
    drop(answer);
    assert_eq!(frames(&mut reader), [], "a call that ended is not cancelled");
}

#[tokio::test]
async fn an_egress_call_that_is_dropped_is_cancelled_and_a_lost_connection_breaks_its_body() {
    let (link, _logs) = HostClient::new(tokio::runtime::Handle::current());
    let (queue, mut reader) = WriteQueue::new();
    let streams = EgressStreams::new(queue);
    link.attach(std::sync::Arc::clone(&streams));
    let waiting = tokio::time::timeout(Duration::from_millis(10), link.egress(egress_head(), None)).await;
    assert!(waiting.is_err());
    let sent = frames(&mut reader);
    assert_eq!(sent[1..], [Frame::Cancel(1, CancelReason::Unwanted)], "{sent:?}");
    let (answer, ()) = tokio::join!(link.egress(egress_head(), None), async {
        reader.recv().await;
        streams.response(2, ok_head()).expect("the first head");
        assert_eq!(streams.response(2, ok_head()), Err(StreamError::SecondHead(2)));
    });
    let mut answer = answer.expect("an answer");
    streams.cancel_all();
    assert_eq!(answer.body.next().await, Some(Err(BodyBroken)));
    link.detach(&streams);
    assert!(link.egress(egress_head(), None).await.is_err());
}

#[tokio::test]
async fn a_denied_egress_call_says_why() {
    let (link, _logs) = HostClient::new(tokio::runtime::Handle::current());
    let (queue, mut reader) = WriteQueue::new();
    let streams = EgressStreams::new(queue);
    link.attach(std::sync::Arc::clone(&streams));
    let denied = EgressFailure::Denied("not in the list".to_owned());
    let (answer, ()) = tokio::join!(link.egress(egress_head(), None), async {
        reader.recv().await;
        streams.done(1, Done { egress: Some(denied.clone()), ..Done::of(Outcome::Ok) });
    });
    assert_eq!(answer.err(), Some(denied));
}

#[tokio::test]
async fn log_lines_are_cut_batched_and_counted_when_dropped() {
    let (link, mut logs) = HostClient::new(tokio::runtime::Handle::current());
    let line = |message: String| LogLine {
        time_ms: 0,
        level: LogLevel::Info,
        request_id: None,
        message,
        stack: None,
    };
    link.log(line("ä".repeat(LOG_BYTES_MAX)));
    for number in 0..1_000 {
        link.log(line(number.to_string()));
    }
    let mut lines = Vec::new();
    while let Ok(Some(batch)) = tokio::time::timeout(Duration::from_millis(10), logs.batch()).await {
        assert!(batch.len() <= LOG_LINES_MAX);
        lines.extend(batch);
    }
    assert!(lines[0].message.len() <= LOG_BYTES_MAX && lines[0].message.ends_with("… (cut)"));
    assert_eq!(lines[1].message, "0");
    let told: Vec<&str> =
        lines.iter().filter(|line| line.level == LogLevel::Warn).map(|line| line.message.as_str()).collect();
    let dropped = 1_001 - (lines.len() - told.len());
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with(&format!("{dropped} log lines were dropped")), "{told:?}");
}
