use super::*;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Collected};
use tokio::sync::mpsc;
use vitrine_wire::Frame;
use vitrine_wire::limits::WINDOW_BYTES;

#[tokio::test]
async fn a_broker_that_panics_gives_the_call_an_end() {
    assert_eq!(whole(async { Ok(()) }).await, Ok(()));
    let failed = whole(async { panic!("on purpose") }).await;
    assert!(
        matches!(&failed, Err(EgressFailure::Unreachable(text)) if text.contains("defect")),
        "{failed:?}"
    );
}

/// A call that nobody carries out, and its body.
fn uploading(answer: &AnswerSink) -> (Call, Upload) {
    let (body, upload) = call::upload();
    let task = tokio::spawn(std::future::pending::<()>()).abort_handle();
    (Call { task, body: Some(body), window: answer.window() }, upload)
}

#[tokio::test]
async fn a_body_has_as_many_bytes_under_way_as_its_window_and_no_more() {
    let (frames, mut sent) = mpsc::channel(1);
    let answer = AnswerSink::new(7, frames);
    let (call, upload) = uploading(&answer);
    let mut taken = upload.into_body(answer);
    let piece = Bytes::from(vec![b'x'; WINDOW_BYTES as usize / 2]);
    assert!(call.on_body(piece.clone()) && call.on_body(piece.clone()));
    assert!(call.on_body(Bytes::new()), "nothing is no byte");
    assert_eq!(taken.frame().await.unwrap().unwrap().into_data().unwrap(), piece);
    assert_eq!(sent.recv().await, Some(Frame::Credit(7, WINDOW_BYTES / 2)));
    assert!(call.on_body(piece), "what is taken makes room");
    assert!(!call.on_body(Bytes::from_static(b"x")));
}

/// What a client sends of a body of one piece.
async fn sent(whole: bool) -> Option<Bytes> {
    let (frames, _credit) = mpsc::channel(1);
    let answer = AnswerSink::new(1, frames);
    let (mut call, upload) = uploading(&answer);
    assert!(call.on_body(Bytes::from_static(b"piece")));
    if whole {
        call.on_body_end();
    }
    drop(call);
    upload.into_body(answer).collect().await.ok().map(Collected::to_bytes)
}

#[tokio::test]
async fn a_body_that_breaks_off_does_not_look_whole() {
    assert_eq!(sent(true).await.as_deref(), Some(&b"piece"[..]));
    assert_eq!(sent(false).await, None);
}
