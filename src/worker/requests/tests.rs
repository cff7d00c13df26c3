use super::*;
use futures_util::SinkExt;
use http_body_util::StreamBody;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio_util::codec::Framed;
use vitrine_wire::Codec;

fn head(has_body: bool) -> RequestHead {
    RequestHead {
        method: "POST".into(),
        url: "http://shop.localhost/".into(),
        headers: Vec::new(),
        has_body,
        request_id: "r".into(),
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
    let (connection, run) = Connection::start(Framed::new(host, Codec));
    let running = tokio::spawn(run);
    let waiting = [None, Some(endless())].map(|body| {
        let connection = Arc::clone(&connection);
        tokio::spawn(async move { connection.request(head(body.is_some()), body).await.map(drop) })
    });
    let mut worker = Framed::new(worker, Codec);
    for _ in 0..2 {
        while !matches!(worker.next().await, Some(Ok(Frame::Request(..)))) {}
    }
    // As when the control socket is lost first: nobody reads the requests socket to its end.
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
        // Whoever says so may be gone by now, which is as good.
        let _ = answered.await;
        Err("the client went away".into())
    });
    StreamBody::new(pieces).boxed_unsync()
}

#[tokio::test]
async fn an_upload_that_breaks_off_ends_the_answer_that_has_begun() {
    let (host, worker) = UnixStream::pair().unwrap();
    let (connection, run) = Connection::start(Framed::new(host, Codec));
    tokio::spawn(run);
    let mut worker = Framed::new(worker, Codec);
    let (answered, wait) = oneshot::channel();
    let request = connection.request(head(true), Some(broken_after(wait)));
    let begin = async {
        while !matches!(worker.next().await, Some(Ok(Frame::Request(..)))) {}
        let head = ResponseHead { status: 200, headers: Vec::new() };
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
