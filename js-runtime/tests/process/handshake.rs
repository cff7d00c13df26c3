//! Who may talk to a worker, and what ends a connection.

use crate::client::Client;
use crate::worker::{RELEASE, SPEC, Worker};
use vitrine_wire::hello::PROTOCOL;
use vitrine_wire::{Channel, Frame, Hello, Outcome, Peer};

const HELLO: &str = "export default { fetch: () => new Response('hello') };";

#[tokio::test]
async fn a_hello_that_does_not_fit_ends_the_connection_and_nothing_else() {
    let worker = Worker::start(HELLO);
    let fits = Hello::new(Peer::Host, Channel::Requests, RELEASE, SPEC);
    let strangers = [
        Hello { release: "probe@v2".to_owned(), ..fits.clone() },
        Hello { spec_hash: [0; 32], ..fits.clone() },
        Hello { channel: Channel::Control, ..fits.clone() },
        Hello { peer: Peer::Worker, ..fits.clone() },
        Hello { protocol: PROTOCOL + 1, ..fits.clone() },
        Hello { protocol: 0, ..fits },
    ];
    for stranger in &strangers {
        let mut client = Client::greet(&worker.socket(Channel::Requests), stranger).await;
        // Its own hello may still arrive, so that the host can see what it met.
        let mut last = client.next().await;
        if let Some(Frame::Hello(ours)) = &last {
            assert_eq!(ours.release, RELEASE);
            last = client.next().await;
        }
        assert_eq!(last, None, "{stranger:?} was served");
    }
    worker.wait_for("note of each refusal", || worker.events("connection_ended").len() == strangers.len());
    let (_control, mut requests) = worker.serving().await;
    assert_eq!(requests.fetch(1, "/").await.body, b"hello");
}

#[tokio::test]
async fn a_frame_before_the_hello_and_a_host_that_says_nothing_are_cut_off() {
    let worker = Worker::start(HELLO);
    let mut early = Client::silent(&worker.socket(Channel::Control)).await;
    early.send(Frame::Ping(1)).await;
    assert!(matches!(early.next().await, Some(Frame::Hello(_))));
    assert_eq!(early.next().await, None);
    let mut silent = Client::silent(&worker.socket(Channel::Requests)).await;
    let began = std::time::Instant::now();
    assert!(matches!(silent.next().await, Some(Frame::Hello(_))));
    assert_eq!(silent.next().await, None);
    assert!(began.elapsed().as_millis() >= u128::from(vitrine_wire::limits::HELLO_TIMEOUT_MS) - 100);
}

#[tokio::test]
async fn bytes_that_are_no_frame_end_only_their_connection() {
    let worker = Worker::start(HELLO);
    let (mut control, mut requests) = worker.serving().await;
    let attacks: [&[u8]; 4] = [
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        &[0xff; 64],
        // A body piece of two gigabytes on stream 1.
        &[0, 0, 0, 0x80, 5, 0, 0, 0, 1, 0, 0, 0],
        // A request whose payload is empty.
        &[0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0],
    ];
    for attack in attacks {
        let mut client = worker.connect(Channel::Requests).await;
        client.send_raw(attack).await;
        assert_eq!(client.next().await, None);
    }
    let mut misplaced = worker.connect(Channel::Requests).await;
    misplaced.send(Frame::Ping(1)).await;
    assert_eq!(misplaced.next().await, None);
    assert_eq!(requests.fetch(1, "/").await.done.outcome, Outcome::Ok);
    control.send(Frame::Ping(7)).await;
    let pong = control.expect("a pong", |frame| matches!(frame, Frame::Pong(_))).await;
    assert!(matches!(pong, Frame::Pong(pong) if pong.nonce == 7), "another ping's pong");
    worker.wait_for("line of each", || worker.events("connection_ended").len() == attacks.len() + 1);
}

#[tokio::test]
async fn a_second_host_is_ready_at_once_and_the_first_one_finishes_what_it_has() {
    let worker = Worker::start(HELLO);
    let (mut old, mut requests) = worker.serving().await;
    let (mut new, _more) = worker.serving().await;
    assert_eq!(requests.fetch(1, "/").await.body, b"hello");
    for control in [&mut old, &mut new] {
        control.send(Frame::Ping(1)).await;
        control.expect("a pong", |frame| matches!(frame, Frame::Pong(_))).await;
    }
    assert_eq!(worker.events("ready").len(), 1, "it booted twice");
}
