use super::*;
use http_body_util::StreamBody;
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
