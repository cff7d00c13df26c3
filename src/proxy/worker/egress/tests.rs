use super::*;
use bytes::Bytes;
use http_body_util::Collected;
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

/// A call that is never carried out, and its body.
fn uploading(answer: &AnswerSink) -> (Call, Inbox<()>) {
    let (body, upload) = inbox::body(&crate::worker::fixture::memory());
    let task = tokio::spawn(std::future::pending::<()>()).abort_handle();
    (Call { task, body: Some(body), window: answer.window() }, upload)
}

#[tokio::test]
async fn a_body_has_as_many_bytes_under_way_as_its_window_and_no_more() {
    let (frames, mut sent) = crate::worker::handshake::queue();
    let answer = AnswerSink::new(7, frames);
    let (call, upload) = uploading(&answer);
    let mut taken = request_body(upload, answer);
    let piece = Bytes::from(vec![b'x'; WINDOW_BYTES as usize / 2]);
    assert!(call.on_body(&piece).is_ok() && call.on_body(&piece).is_ok());
    assert!(call.on_body(&[]).is_ok(), "nothing is no byte");
    assert_eq!(taken.frame().await.unwrap().unwrap().into_data().unwrap(), piece);
    assert_eq!(sent.recv().await, Some(Frame::Credit(7, WINDOW_BYTES / 2)));
    assert!(call.on_body(&piece).is_ok(), "what is taken makes room");
    assert!(call.on_body(b"x").is_err());
}

/// What a client sends of a body of one piece.
async fn sent(whole: bool) -> Option<Bytes> {
    let (frames, _credit) = crate::worker::handshake::queue();
    let answer = AnswerSink::new(1, frames);
    let (mut call, upload) = uploading(&answer);
    assert!(call.on_body(b"piece").is_ok());
    if whole {
        call.on_body_end();
    }
    drop(call);
    request_body(upload, answer).collect().await.ok().map(Collected::to_bytes)
}

#[tokio::test]
async fn a_body_that_breaks_off_does_not_look_whole() {
    assert_eq!(sent(true).await.as_deref(), Some(&b"piece"[..]));
    assert_eq!(sent(false).await, None);
}

#[test]
fn methods_that_make_a_tunnel_or_an_echo_are_no_methods() {
    for name in ["CONNECT", "TRACE", "TRACK", "connect", "Trace", "", "A B", "A\r\nB"] {
        assert_eq!(method(name), None, "{name:?}");
    }
    assert_eq!(method("PATCH"), Some(Method::PATCH));
    assert!(method("PROPFIND").is_some());
}

#[tokio::test]
async fn a_denial_does_not_tell_the_app_what_a_name_resolves_to() {
    let bundle = ["http://localhost:1".parse().unwrap()];
    let egress = Egress::new(
        &"shop".parse().unwrap(),
        &bundle,
        &EgressPolicy::default(),
        Arc::default(),
        Sockets::new(8),
    );
    let head = EgressHead {
        method: "GET".into(),
        url: "http://localhost:1/".into(),
        headers: Vec::new(),
        has_body: false,
        upgrade: false,
        request_id: None,
        cache: None,
    };
    let url = head.url.parse().unwrap();
    let mut asked = Asked { host: String::new(), denied: None };
    let failed = egress.fetch(&head, url, None, None, &mut asked).await.map(drop).unwrap_err();
    let EgressFailure::Denied(text) = &failed else { panic!("{failed:?}") };
    assert!(text.contains("localhost") && !text.contains("127.0.0.1") && !text.contains("::1"), "{text}");
    // Nor does the app's log.
    let denied = asked.denied.unwrap();
    assert!(denied.address.as_ref().is_some_and(|address| address.ends_with(":1")), "{denied:?}");
    let line = egress.note(&denied, None).unwrap().message;
    assert!(line.contains(r#"allow_private = ["localhost:1"]"#), "{line}");
    assert!(!line.contains("127.0.0.1") && !line.contains("::1"), "{line}");
    assert_eq!(egress.note(&denied, None), None, "not twice in a minute");
}
