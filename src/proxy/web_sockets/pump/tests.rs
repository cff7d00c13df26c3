//! The pump between a connection in memory and a worker that a test plays. Time passes by itself while all wait.

use super::*;
use std::future::pending;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;
use vitrine_core::limits::SOCKET_CLOSE_MS;

/// Takes so many pieces and no more.
struct Takes(mpsc::Sender<Bytes>);

impl Outbound for Takes {
    async fn send(&mut self, data: Bytes) -> bool {
        self.0.send(data).await.is_ok()
    }
}

/// Says nothing, and ends with its sender.
struct Says(mpsc::Receiver<Bytes>);

impl Inbound for Says {
    async fn next(&mut self) -> Option<Bytes> {
        self.0.recv().await
    }

    fn end_reason(&self) -> CloseReason {
        CloseReason::Failed
    }
}

/// A pump that runs: the other side's connection, the worker's two ends, and what it comes to.
fn start() -> (DuplexStream, mpsc::Receiver<Bytes>, mpsc::Sender<Bytes>, tokio::task::JoinHandle<Summary>) {
    let (ours, theirs) = duplex(64 << 10);
    let (takes, taken) = mpsc::channel(1);
    let (say, says) = mpsc::channel(1);
    let running = tokio::spawn(async move {
        let (mut inbound, app) = (Says(says), "pump".parse().unwrap());
        run(ours, Role::Server, Duration::from_secs(600), &mut inbound, Takes(takes), pending(), app).await
    });
    (theirs, taken, say, running)
}

#[tokio::test(start_paused = true)]
async fn one_that_vanished_is_noticed_within_three_pings_time() {
    let (theirs, mut taken, _say, running) = start();
    let begun = Instant::now();
    let summary = running.await.unwrap();
    let took = begun.elapsed();
    assert!(took <= Duration::from_millis(3 * SOCKET_PING_MS), "{took:?}");
    assert_eq!(summary.close_code, CLOSED_WITHOUT_A_WORD);
    assert_eq!(taken.recv().await, None);
    drop(theirs);
}

#[tokio::test(start_paused = true)]
async fn a_close_is_answered_at_once_whatever_the_worker_does() {
    let (theirs, mut taken, say, running) = start();
    let mut client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    // More than the worker takes.
    client.send(Message::text("taken")).await.unwrap();
    let begun = Instant::now();
    client.close(Some(CloseFrame { code: 4000.into(), reason: "enough".into() })).await.unwrap();
    let answer = client.next().await.unwrap().unwrap();
    assert!(answer.is_close(), "{answer:?}");
    assert!(client.next().await.is_none(), "the connection ends, too");
    assert!(begun.elapsed() < Duration::from_millis(SOCKET_CLOSE_MS), "{:?}", begun.elapsed());
    assert!(taken.recv().await.is_some());
    assert_eq!(close_of(&taken.recv().await.unwrap()[5..]), (4000, "enough".to_owned()));
    drop(say);
    assert_eq!(running.await.unwrap().close_code, 4000);
}

#[tokio::test(start_paused = true)]
async fn one_whose_message_is_too_long_is_heard_until_it_has_the_close() {
    let (theirs, mut taken, say, running) = start();
    let mut client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    // Sent whole before anything is read, as a browser's queue is.
    client.send(Message::binary(vec![0; 3 * MESSAGE_BYTES_MAX])).await.unwrap();
    let Some(Ok(Message::Close(Some(frame)))) = client.next().await else { panic!("no close") };
    assert_eq!(frame.code, CloseCode::Size);
    drop(client);
    assert_eq!(close_of(&taken.recv().await.unwrap()[5..]).0, CLOSED_WITHOUT_A_WORD);
    drop(say);
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_gone_closes_with_a_code() {
    let (theirs, taken, say, running) = start();
    let mut client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    drop(taken);
    client.send(Message::text("lost")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    drop(say);
    let Some(Ok(Message::Close(Some(frame)))) = client.next().await else { panic!("no close") };
    assert_eq!(frame.code, CloseCode::Error);
    drop(client);
    running.await.unwrap();
}
