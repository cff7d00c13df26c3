//! A request that holds a worker which is replaced meanwhile.

use super::super::super::fixture::fake_worker::fake_worker;
use super::*;
use tokio::time::Instant;
use vitrine_core::limits::RECONNECT_WAIT_MS;

#[tokio::test]
async fn a_request_waits_for_a_dead_worker_no_longer_than_until_it_is_discarded() {
    let site = site().await;
    let dying = fake_worker(&"shop@v1".parse().unwrap()).await;
    site.pool.replace(dying.instance());
    assert_eq!(site.get("/page").send().await.unwrap().status(), 200);
    let mut state = dying.worker.state();
    dying.end();
    state.wait_for(|state| matches!(state, WorkerState::Lost)).await.unwrap();

    let page = tokio::spawn(site.get("/page").send());
    // A body can be sent once: that of this request is not until there is a worker to take it.
    let form = tokio::spawn(site.ask(http::Method::POST, "/echo").body("four").send());
    while site.pool.in_flight() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!page.is_finished() && !form.is_finished());
    let begun = Instant::now();
    site.pool.take();
    dying.worker.discard();
    let (page, form) = (page.await.unwrap().unwrap(), form.await.unwrap().unwrap());
    assert_eq!((page.status().as_u16(), form.status().as_u16()), (200, 200));
    assert_eq!(form.text().await.unwrap(), "4");
    // Without a word they wait for it to come back.
    assert!(begun.elapsed() < Duration::from_millis(RECONNECT_WAIT_MS / 2), "{:?}", begun.elapsed());
    let asked = site.seen.lock().unwrap().iter().filter(|frame| matches!(frame, Frame::Request(..))).count();
    assert_eq!(asked, 2, "both were answered by the worker in its place");
}
