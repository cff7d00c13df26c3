//! Many requests on one connection.

use crate::client::Client;
use crate::worker::Worker;
use bytes::Bytes;
use std::collections::HashMap;
use std::time::Duration;
use vitrine_wire::limits::{BODY_FRAME_BYTES_MAX, WINDOW_BYTES};
use vitrine_wire::{CancelReason, Channel, Frame, Outcome};

/// Answers by path: the body back, a long page, a stream that never ends, how the read of an upload ended.
const APP: &str = "
let aborted = 0, upload = 'reading', store;
const stored = new Promise((done) => { store = done; });
async function readAll(body) {
    for await (const piece of body) await stored;
}
export default { async fetch(request) {
    const path = new URL(request.url).pathname;
    if (path === '/echo') return new Response(await request.text());
    if (path === '/long') return new Response('x'.repeat(1_000_000));
    if (path === '/unread') return new Response('not read');
    if (path === '/store') {
        await readAll(request.body).then(() => { upload = 'whole'; }, (error) => { upload = error.message; });
        return new Response('stored');
    }
    if (path === '/early') {
        request.text().then(() => { upload = 'whole'; }, (error) => { upload = error.message; });
        return new Response('early');
    }
    if (path === '/go-on') { store(); return new Response('on'); }
    if (path === '/upload') return new Response(upload);
    if (path === '/aborted') return new Response(String(aborted));
    if (path === '/endless') {
        request.signal.addEventListener('abort', () => { aborted += 1; });
        return new Response(new ReadableStream({
            async pull(controller) {
                await new Promise((resolve) => setTimeout(resolve, 5));
                controller.enqueue(new TextEncoder().encode('tick'));
            },
        }));
    }
    return new Response('hello');
} };";

async fn isolates_in_flight(control: &mut Client) -> u32 {
    control.send(Frame::Ping(1)).await;
    match control.expect("a pong", |frame| matches!(frame, Frame::Pong(_))).await {
        Frame::Pong(pong) => pong.isolates.iter().map(|isolate| isolate.in_flight).sum(),
        frame => panic!("{frame:?}"),
    }
}

async fn until_aborted(requests: &mut Client, first_stream: u32, expected: &[u8]) {
    for stream in first_stream..first_stream + 200 {
        let answer = requests.fetch(stream, "/aborted").await;
        if answer.body == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the app was not told that its client went away");
}

#[tokio::test]
async fn a_hundred_interleaved_uploads_come_back_whole() {
    let worker = Worker::start(APP);
    let (_control, mut requests) = worker.serving().await;
    let body = |stream: u32| format!("{stream:04}").repeat(20_000).into_bytes();
    for stream in 1..=100 {
        requests.request(stream, "/echo", true).await;
    }
    for piece in 0..5 {
        for stream in 1..=100 {
            let part = Bytes::from(body(stream)).slice(piece * 16_000..(piece + 1) * 16_000);
            requests.send(Frame::Body(stream, part)).await;
        }
    }
    for stream in (1..=100).rev() {
        requests.send(Frame::BodyEnd(stream)).await;
    }
    let mut bodies: HashMap<u32, Vec<u8>> = HashMap::new();
    let mut done = 0;
    while done < 100 {
        match requests.next().await.expect("answers go on") {
            Frame::Response(_, head) => assert_eq!(head.status, 200),
            Frame::Body(stream, data) => {
                bodies.entry(stream).or_default().extend_from_slice(&data);
                requests.send(Frame::Credit(stream, data.len() as u32)).await;
            }
            Frame::Done(stream, end) => {
                assert_eq!(end.outcome, Outcome::Ok, "{end:?}");
                assert_eq!(bodies.remove(&stream), Some(body(stream)), "stream {stream}");
                done += 1;
            }
            Frame::Credit(..) => {}
            frame => panic!("unexpected: {frame:?}"),
        }
    }
}

#[tokio::test]
async fn a_stalled_reader_holds_its_own_stream_only() {
    let worker = Worker::start(APP);
    let (_control, mut requests) = worker.serving().await;
    requests.get(1, "/long").await;
    let mut sent = 0;
    while sent < WINDOW_BYTES as usize {
        if let Frame::Body(1, data) = requests.next().await.expect("the answer begins") {
            sent += data.len();
        }
    }
    assert_eq!(sent, WINDOW_BYTES as usize);
    // Nothing is credited: stream 1 stands still, and others pass it.
    for stream in 2..20 {
        assert_eq!(requests.fetch(stream, "/").await.body, b"hello");
    }
    requests.send(Frame::Credit(1, sent as u32)).await;
    let rest = requests.answer(1).await;
    assert_eq!(sent + rest.body.len(), 1_000_000);
    assert_eq!(rest.done.outcome, Outcome::Ok);
}

#[tokio::test]
async fn a_cancelled_stream_is_silent_and_the_app_is_told() {
    let worker = Worker::start(APP);
    let (mut control, mut requests) = worker.serving().await;
    requests.get(1, "/endless").await;
    requests.expect("the first piece", |frame| matches!(frame, Frame::Body(1, _))).await;
    assert_eq!(isolates_in_flight(&mut control).await, 1);
    requests.send(Frame::Cancel(1, CancelReason::ClientGone)).await;
    // What was on its way may still arrive; after the answer to another stream nothing does.
    requests.get(2, "/").await;
    requests.expect("the second answer", |frame| matches!(frame, Frame::Done(2, _))).await;
    until_aborted(&mut requests, 3, b"1").await;
    assert_eq!(isolates_in_flight(&mut control).await, 0);
}

/// How the app's read of an upload ended.
async fn read_upload(requests: &mut Client, first_stream: u32) -> String {
    for stream in first_stream..first_stream + 200 {
        let body = requests.fetch(stream, "/upload").await.body;
        if body != b"reading" {
            return String::from_utf8(body).expect("UTF-8");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the read of the upload never ends");
}

#[tokio::test]
async fn an_upload_whose_client_went_away_while_a_piece_was_stored_does_not_look_whole() {
    let worker = Worker::start(APP);
    let (mut control, mut requests) = worker.serving().await;
    requests.request(1, "/store", true).await;
    requests.send(Frame::Body(1, Bytes::from_static(b"first half"))).await;
    assert_eq!(requests.fetch(2, "/").await.body, b"hello");
    requests.send(Frame::Cancel(1, CancelReason::ClientGone)).await;
    while isolates_in_flight(&mut control).await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    requests.fetch(3, "/go-on").await;
    let end = read_upload(&mut requests, 4).await;
    assert!(end.contains("could not be read"), "{end}");
}

#[tokio::test]
async fn a_read_that_waits_for_an_upload_ends_with_the_answer() {
    let worker = Worker::start(APP);
    let (_control, mut requests) = worker.serving().await;
    requests.request(1, "/early", true).await;
    assert_eq!(requests.answer(1).await.body, b"early");
    let end = read_upload(&mut requests, 2).await;
    assert!(end.contains("could not be read"), "{end}");
}

#[tokio::test]
async fn a_lost_connection_cancels_its_requests() {
    let worker = Worker::start(APP);
    let (mut control, mut requests) = worker.serving().await;
    let mut lost = worker.connect(Channel::Requests).await;
    for stream in 1..=3 {
        lost.get(stream, "/endless").await;
    }
    for stream in 1..=3 {
        lost.expect("a piece", |frame| matches!(frame, Frame::Body(on, _) if *on == stream)).await;
    }
    drop(lost);
    until_aborted(&mut requests, 1, b"3").await;
    assert_eq!(isolates_in_flight(&mut control).await, 0);
}

#[tokio::test]
async fn an_upload_that_nobody_reads_does_not_hold_its_sender() {
    let worker = Worker::start(APP);
    let (_control, mut requests) = worker.serving().await;
    requests.request(1, "/unread", true).await;
    let answer = requests.answer(1).await;
    assert_eq!(answer.head.map(|head| head.status), Some(200));
    assert_eq!((answer.body.as_slice(), answer.done.outcome), (b"not read".as_slice(), Outcome::Ok));
    // Late pieces of a stream that is over.
    requests.send(Frame::Body(1, Bytes::from_static(&[0; 1024]))).await;
    requests.send(Frame::BodyEnd(1)).await;
    assert_eq!(requests.fetch(2, "/").await.body, b"hello");
}

#[tokio::test]
async fn breaking_the_rules_of_a_stream_ends_the_connection() {
    let worker = Worker::start(APP);
    let (_control, _requests) = worker.serving().await;
    let piece = Bytes::from(vec![b'x'; BODY_FRAME_BYTES_MAX]);
    let reused = |client: Client| async move {
        let mut client = client;
        client.request(1, "/echo", true).await;
        client.request(1, "/echo", true).await;
        client
    };
    let after_end = |client: Client| async move {
        let mut client = client;
        client.request(1, "/echo", true).await;
        client.send(Frame::Body(1, Bytes::new())).await;
        client.get(2, "/endless").await;
        client.send(Frame::Body(2, Bytes::from_static(b"x"))).await;
        client
    };
    let over_credit = |client: Client| async move {
        let mut client = client;
        client.get(1, "/endless").await;
        client.send(Frame::Credit(1, WINDOW_BYTES + 1)).await;
        client
    };
    let fresh = || worker.connect(Channel::Requests);
    let mut broken =
        vec![reused(fresh().await).await, after_end(fresh().await).await, over_credit(fresh().await).await];
    // A window and more, at once, to an app that waits for something else.
    let mut flood = fresh().await;
    flood.request(1, "/endless", true).await;
    for _ in 0..=WINDOW_BYTES as usize / BODY_FRAME_BYTES_MAX {
        flood.send(Frame::Body(1, piece.clone())).await;
    }
    broken.push(flood);
    for (number, mut client) in broken.into_iter().enumerate() {
        let ended = async { while client.next().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(10), ended)
            .await
            .unwrap_or_else(|_| panic!("misuse {number} was tolerated"));
    }
    let (_control, mut requests) = worker.serving().await;
    assert_eq!(requests.fetch(1, "/").await.body, b"hello");
}
