use super::*;
use vitrine_wire::{
    BootFailure, BootStage, CancelReason, Channel, Done, EgressHead, Hello, Outcome, Peer, Pong, Ready,
    RequestHead, ResponseHead, SnapshotPiece, SnapshotRequest, Start,
};

fn ready() -> Frame {
    Frame::Ready(Ready { isolates: 1, boot_us: 1, from_snapshot: false, warm_failure: None })
}

fn failed() -> Frame {
    Frame::BootFailed(BootFailure { stage: BootStage::Load, message: "no entry".into(), error: None })
}

fn pong(nonce: u64) -> Frame {
    Frame::Pong(Pong { nonce, queued: 0, isolates: Vec::new() })
}

fn out_of_turn(name: &'static str) -> Result<(), Breach> {
    Err(Breach::OutOfTurn(name))
}

#[test]
fn a_boot_ends_once() {
    for (first, second, name) in [
        (ready(), ready(), "ready"),
        (ready(), failed(), "boot_failed"),
        (failed(), ready(), "ready"),
        (failed(), failed(), "boot_failed"),
    ] {
        let mut turn = Turn::default();
        assert_eq!(turn.hear(&first), Ok(()));
        assert_eq!(turn.hear(&second), out_of_turn(name));
    }
}

#[test]
fn a_ping_has_one_answer() {
    let mut turn = Turn::default();
    assert_eq!(turn.hear(&pong(0)), Err(Breach::Unpinged(0)));
    assert_eq!(turn.hear(&pong(1)), Err(Breach::Unpinged(1)));
    let (first, second) = (turn.ping(), turn.ping());
    assert_eq!((turn.hear(&pong(second)), turn.hear(&pong(first))), (Ok(()), Ok(())));
    assert_eq!(turn.hear(&pong(first)), Err(Breach::Unpinged(first)));
}

#[test]
fn a_worker_that_slept_may_answer_every_ping_of_that_time() {
    let mut turn = Turn::default();
    let asked: Vec<u64> = (0..3 * PINGS_UNANSWERED_MAX).map(|_| turn.ping()).collect();
    assert!(turn.unanswered.len() <= PINGS_UNANSWERED_MAX);
    for nonce in asked {
        assert_eq!(turn.hear(&pong(nonce)), Ok(()), "{nonce}");
    }
}

#[test]
fn frozen_is_an_answer() {
    let mut turn = Turn::default();
    assert_eq!(turn.hear(&Frame::Frozen(true)), out_of_turn("frozen"));
    turn.freeze(true);
    assert!(turn.wants_frozen());
    assert_eq!(turn.hear(&Frame::Frozen(true)), Ok(()));
    assert_eq!(turn.hear(&Frame::Frozen(true)), out_of_turn("frozen"));
}

#[test]
fn what_is_not_a_workers_to_say_there_is_refused() {
    let request = RequestHead {
        method: "GET".into(),
        url: "http://a.localhost/".into(),
        headers: Vec::new(),
        has_body: false,
        upgrade: false,
        request_id: String::new(),
        ledger: false,
    };
    let settings = crate::worker::fixture::settings();
    let take = SnapshotRequest { settings: settings.clone(), env_names: Vec::new(), harmless: Vec::new() };
    for (frame, name) in [
        (Frame::Hello(Hello::new(Peer::Worker, Channel::Control, "a@v1", [0; 32])), "hello"),
        (Frame::Request(1, request), "request"),
        (Frame::Response(1, ResponseHead::new(200, Vec::new())), "response"),
        (Frame::Done(1, Done::of(Outcome::Ok)), "done"),
        (Frame::Start(Start { settings, env: Vec::new(), is_accepted: false }), "start"),
        (Frame::Ping(1), "ping"),
        (Frame::Freeze, "freeze"),
        (Frame::Thaw, "thaw"),
        (Frame::Drain(1), "drain"),
        (Frame::Drained, "drained"),
        (Frame::TakeSnapshot(take), "take_snapshot"),
        (Frame::SnapshotPiece(SnapshotPiece { piece: Ok(Vec::new()), last: true }), "snapshot_piece"),
    ] {
        let mut turn = Turn::default();
        assert_eq!(turn.hear(&frame), out_of_turn(name));
        assert_eq!((turn.hear(&ready()), turn.hear(&frame)), (Ok(()), out_of_turn(name)));
    }
}

#[test]
fn lines_and_calls_come_at_any_time() {
    let call = EgressHead {
        method: "GET".into(),
        url: "http://a.example/".into(),
        headers: Vec::new(),
        has_body: true,
        upgrade: false,
        request_id: None,
        cache: None,
    };
    let frames = [
        Frame::Log(Vec::new()),
        Frame::Egress(1, call),
        Frame::Body(1, "x".into()),
        Frame::BodyEnd(1),
        Frame::Credit(1, 1),
        Frame::Cancel(1, CancelReason::Unwanted),
    ];
    for end in [None, Some(ready()), Some(failed())] {
        let mut turn = Turn::default();
        assert!(end.iter().chain(&frames).all(|frame| turn.hear(frame).is_ok()));
    }
}
