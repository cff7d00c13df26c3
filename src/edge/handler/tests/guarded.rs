//! A release whose host name becomes that of a guarded one while a request waits for it.

use super::super::super::fixture::fake_worker::fake_worker;
use super::super::super::fixture::{app, table, target};
use super::*;
use base64::Engine as _;
use reqwest::RequestBuilder;
use vitrine_proxy::route::guard::Guard;
use vitrine_proxy::route::{RouteTable, Target};

const PASSWORD: &str = "a password of a test";

/// What a request for `shop-v1` gets that was let in, and finds `shop-v1` to be a release that users never got when it is woken.
async fn answer(set: impl FnOnce(RequestBuilder) -> RequestBuilder) -> (reqwest::Response, Vec<Frame>) {
    let site = site_with(Some(Arc::new(Guard::new(PASSWORD, None))), None).await;
    let next = Target { was_live: false, ..target("shop", "v1", &[]) };
    let worker = fake_worker(&next.release).await;
    next.pool.replace(worker.instance());
    let (old, routes) = (Arc::clone(&site.pool), site.routes.clone());
    let happens = move || {
        assert_eq!(futures_util::FutureExt::now_or_never(old.drain(Duration::ZERO)), Some(0));
        routes.publish(RouteTable { epoch: 8, ..table(&[app("shop", "none", vec![next])]) });
    };
    *site.meanwhile.lock().unwrap() = Some(Box::new(happens));
    let url = format!("http://127.0.0.1:{}/page", site.address.port());
    let request = set(site.client.get(url).header("host", "shop-v1.localhost"));
    let answer = request.send().await.unwrap();
    assert!(site.meanwhile.lock().unwrap().is_none(), "it was not woken");
    let seen = worker.seen.lock().unwrap().drain(..).collect();
    (answer, seen)
}

#[tokio::test]
async fn a_request_is_asked_for_the_password_of_the_release_that_takes_the_place_of_its_own() {
    let (refused, seen) = answer(|request| request).await;
    assert_eq!(refused.status(), 401);
    assert!(header(&refused, "www-authenticate").starts_with("Basic "));
    assert!(!seen.iter().any(|frame| matches!(frame, Frame::Request(..))), "its code has run");

    let credentials = base64::engine::general_purpose::STANDARD.encode(format!("anna:{PASSWORD}"));
    let (shown, seen) =
        answer(|request| request.header("authorization", format!("Basic {credentials}"))).await;
    assert_eq!(shown.status(), 200);
    assert!(header(&shown, "set-cookie").starts_with("__vitrine_pass="));
    let [head] = &heads(&seen)[..] else { panic!("one request") };
    assert!(!head.contains("authorization"), "{head}");
}

fn heads(seen: &[Frame]) -> Vec<String> {
    let head = |frame: &Frame| match frame {
        Frame::Request(..) => Some(format!("{frame:?}")),
        _ => None,
    };
    seen.iter().filter_map(head).collect()
}
