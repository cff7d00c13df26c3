use super::*;
use crate::config::EgressPolicy;

#[tokio::test]
async fn a_worker_that_takes_no_answers_can_begin_a_bounded_number_of_calls() {
    let egress = Egress::new(&"shop".parse().unwrap(), &[], &EgressPolicy::default(), Arc::default());
    let mut session = Session::default();
    // Nobody takes what is queued, as behind a socket that its worker does not read.
    let (frames, mut queue) = mpsc::channel(1);
    let begin = |session: &mut Session, stream| {
        let head = EgressHead {
            method: "GET".into(),
            url: "http://unlisted.example/".into(),
            headers: Vec::new(),
            has_body: false,
            follow_redirects: false,
            request_id: None,
        };
        session.on_egress(&egress, head, AnswerSink::new(stream, frames.clone()), stream)
    };
    let most = EGRESS_CALLS_UNENDED_MAX as StreamId;
    for stream in 0..most {
        assert!(begin(&mut session, stream), "{stream}");
    }
    assert!(!begin(&mut session, most));
    // One that takes them may go on.
    assert!(matches!(queue.recv().await, Some(Frame::Done(..))));
    session.tasks.join_next().await.unwrap().unwrap();
    assert!(begin(&mut session, most + 1));
}
