use super::*;
use crate::worker::fixture::{End, NoLog, Played, memory, ready, start};
use crate::worker::{Sockets, Worker};
use futures_util::SinkExt as _;
use vitrine_core::config::EgressPolicy;
use vitrine_wire::{BootFailure, BootStage};

/// A call that is denied.
fn call() -> EgressHead {
    EgressHead {
        method: "GET".into(),
        url: "http://unlisted.example/".into(),
        headers: Vec::new(),
        has_body: false,
        upgrade: false,
        request_id: None,
        cache: None,
    }
}

#[tokio::test]
async fn a_call_is_given_up_behind_a_full_queue_and_its_worker_hears_of_it() {
    let egress =
        Egress::new(&"shop".parse().unwrap(), &[], &EgressPolicy::default(), Arc::default(), Sockets::new(8));
    let mut session = Session::default();
    let (frames, mut queue) = handshake::queue();
    let full = Duration::from_millis(20);
    while tokio::time::timeout(full, frames.send(Frame::BodyEnd(2))).await.is_ok() {}
    session.on_egress(&egress, call(), AnswerSink::new(1, frames.clone()), 1, &memory()).unwrap();
    // The loop that calls this is the queue's only reader.
    session.give_up(1, &frames);
    let end = async {
        loop {
            if let Some(Frame::Done(1, done)) = queue.recv().await {
                break done;
            }
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(5), end).await.unwrap();
    assert_eq!(done.egress, Some(EgressFailure::Limit(TOO_MUCH_HELD.to_owned())));
    session.tasks.shutdown().await;
}

#[tokio::test]
async fn a_worker_that_takes_no_answers_can_begin_a_bounded_number_of_calls() {
    let egress =
        Egress::new(&"shop".parse().unwrap(), &[], &EgressPolicy::default(), Arc::default(), Sockets::new(8));
    let mut session = Session::default();
    // The queue is not read, as behind a socket that its worker does not read.
    let (frames, mut queue) = handshake::queue();
    let begin = |session: &mut Session, stream| {
        session.on_egress(&egress, call(), AnswerSink::new(stream, frames.clone()), stream, &memory())
    };
    let most = EGRESS_CALLS_UNENDED_MAX as StreamId;
    for stream in 0..most {
        assert_eq!(begin(&mut session, stream), Ok(()), "{stream}");
    }
    assert_eq!(begin(&mut session, most), Err(Breach::TooManyCalls));
    // One that takes them may go on.
    assert!(matches!(queue.recv().await, Some(Frame::Done(..))));
    session.tasks.join_next().await.unwrap().unwrap();
    assert_eq!(begin(&mut session, most + 1), Ok(()));
    session.tasks.shutdown().await;
    assert_eq!(begin(&mut session, most + 1), Err(Breach::Reused(most + 1)));
}

/// A host's handle to a worker that the test plays.
async fn connected(played: &Played) -> (Arc<Worker>, End) {
    let egress =
        Egress::new(&"shop".parse().unwrap(), &[], &EgressPolicy::default(), Arc::default(), Sockets::new(8));
    let connecting = Worker::connect(played.identity.clone(), start(), egress, Arc::new(NoLog), memory());
    let (worker, control) = tokio::join!(connecting, played.control());
    (worker.unwrap(), control)
}

/// Ends when the host has closed the connection.
async fn closed(mut end: End) {
    let reading = async { while let Some(Ok(_)) = end.next().await {} };
    tokio::time::timeout(Duration::from_secs(5), reading).await.expect("the host ends the connection");
}

#[tokio::test]
async fn what_is_out_of_turn_ends_the_connection_and_takes_no_descriptor() {
    let failed = BootFailure { stage: BootStage::Load, message: "no entry".into(), error: None };
    let pong = Pong { nonce: 900, queued: 0, isolates: Vec::new() };
    for frame in [ready(), Frame::BootFailed(failed), Frame::Pong(pong), Frame::Frozen(true), Frame::Drained]
    {
        let played = Played::listen(&"shop@v1".parse().unwrap());
        let (worker, mut control) = connected(&played).await;
        control.send(ready()).await.unwrap();
        let requests = played.requests().await;
        worker.ready(Duration::from_secs(5)).await.unwrap();
        for _ in 0..900 {
            // It may be closed by now.
            let _ = control.send(frame.clone()).await;
        }
        closed(control).await;
        closed(requests).await;
        assert!(!worker.is_ready(), "{frame:?}");
        let more = tokio::time::timeout(Duration::from_millis(20), played.requests.accept()).await;
        assert!(more.is_err(), "another connection for {frame:?}");
        // The next connection begins anew.
        let mut control = played.control().await;
        control.send(ready()).await.unwrap();
        let _requests = played.requests().await;
        worker.ready(Duration::from_secs(5)).await.unwrap();
    }
}
