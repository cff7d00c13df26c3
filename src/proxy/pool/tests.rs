//! Claims, drains and freezes of a pool whose workers a test plays.

use super::*;
use crate::worker::fixture::{NoLog, Played, memory, start};
use crate::worker::{Egress, Sockets};
use vitrine_core::config::EgressPolicy;

const LONG: Duration = Duration::from_secs(60);

fn pool() -> Arc<Pool> {
    Pool::new("catalog@v1".parse().unwrap())
}

/// An instance whose worker is connected and says nothing. Time must not stand still meanwhile.
async fn instance(pool: &Pool) -> Arc<Instance> {
    let played = Played::listen(pool.release());
    let (app, none) = (&pool.release().app, EgressPolicy::default());
    let egress = Egress::new(app, &[], &none, Arc::default(), Sockets::new(8));
    let connecting = Worker::connect(played.identity.clone(), start(), egress, Arc::new(NoLog), memory());
    let (worker, _control) = tokio::join!(connecting, played.control());
    Instance::new(worker.unwrap(), None, None)
}

async fn pool_of_one() -> Arc<Pool> {
    let pool = pool();
    pool.add(instance(&pool).await);
    pool
}

#[tokio::test]
async fn a_claim_without_an_instance_leaves_nothing_in_flight() {
    let pool = pool();
    assert_eq!(pool.claim().unwrap_err(), ClaimError::NoWorker);
    assert_eq!(pool.in_flight(), 0);
}

#[tokio::test]
async fn a_drain_waits_for_what_is_in_flight_and_refuses_what_comes() {
    let pool = pool_of_one().await;
    let claim = pool.claim().unwrap();
    let draining = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { pool.drain(LONG).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(pool.claim().unwrap_err(), ClaimError::Draining);
    assert!(!draining.is_finished());
    drop(claim);
    assert_eq!(draining.await.unwrap(), 0);
}

#[tokio::test]
async fn a_drain_ends_at_its_deadline_and_says_what_is_left() {
    let pool = pool_of_one().await;
    let _claim = pool.claim().unwrap();
    tokio::time::pause();
    assert_eq!(pool.drain(Duration::from_secs(1)).await, 1);
    assert_eq!(pool.take().len(), 1);
    assert_eq!(pool.in_flight(), 1, "what was taken out still finishes");
    assert_eq!(
        pool.claim().unwrap_err(),
        ClaimError::NoWorker,
        "a pool that lost its instances drains no more"
    );
}

#[tokio::test]
async fn a_pool_freezes_only_while_nothing_is_in_flight_and_takes_claims_once_it_thaws() {
    let pool = pool_of_one().await;
    let claim = pool.claim().unwrap();
    assert!(!pool.freeze());
    drop(pool.claim().unwrap());
    drop(claim);
    assert!(pool.freeze());
    assert_eq!(pool.claim().unwrap_err(), ClaimError::NoWorker);
    pool.thaw();
    assert!(pool.claim().is_ok());
}

#[tokio::test]
async fn a_socket_keeps_no_pool_busy_and_is_waited_for_all_the_same() {
    let instance = instance(&pool()).await;
    // Born when time stands still: its times are whole milliseconds.
    tokio::time::pause();
    let pool = pool();
    pool.add(instance);
    let mut socket = pool.claim().unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!((pool.requests(), pool.in_flight(), pool.idle_ms()), (1, 1, 0));
    socket.becomes_socket();
    socket.becomes_socket();
    assert_eq!((pool.requests(), pool.in_flight(), pool.idle_ms()), (0, 1, 0));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!((1_000..1_010).contains(&pool.idle_ms()));
    assert!(!pool.freeze());
    assert_eq!(pool.wait_idle(Duration::from_secs(1)).await, 1);
    let (left, ()) = tokio::join!(pool.drain(LONG), async { drop(socket) });
    assert_eq!(left, 0);
    assert!((2_000..2_010).contains(&pool.idle_ms()), "its end is no request");
}

#[tokio::test]
async fn who_waits_for_a_pool_goes_on_once_a_claim_would_be_given_an_instance() {
    let pool = pool();
    let opens = |pool: &Arc<Pool>| {
        let pool = Arc::clone(pool);
        tokio::spawn(async move { tokio::time::timeout(Duration::from_secs(5), pool.open()).await })
    };
    let waiting = opens(&pool);
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    pool.add(instance(&pool).await);
    waiting.await.unwrap().unwrap();
    assert!(pool.freeze());
    let waiting = opens(&pool);
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    pool.thaw();
    waiting.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_claim_slips_past_a_drain() {
    for _ in 0..200 {
        let pool = pool_of_one().await;
        let claims: Vec<_> = (0..8)
            .map(|_| {
                let pool = Arc::clone(&pool);
                tokio::spawn(async move { pool.claim().is_ok() })
            })
            .collect();
        let left = pool.drain(Duration::from_secs(5)).await;
        assert_eq!(left, 0);
        for claim in claims {
            claim.await.unwrap();
        }
        assert_eq!(pool.claim().unwrap_err(), ClaimError::Draining);
    }
}

#[tokio::test]
async fn an_instance_that_is_taken_out_gets_no_claim_and_is_waited_for_alone() {
    let pool = pool_of_one().await;
    let other = instance(&pool).await;
    pool.add(Arc::clone(&other));
    let claims: Vec<Claim> = (0..8).map(|_| pool.claim().unwrap()).collect();
    let left = pool.remove(other.id()).unwrap();
    assert!(pool.remove(other.id()).is_none());
    let (there, here): (Vec<_>, Vec<_>) =
        claims.into_iter().partition(|claim| claim.instance.id() == other.id());
    assert_eq!((left.in_flight().all(), pool.in_flight(), pool.size()), (there.len(), 8, 1));
    assert!(there.iter().all(|claim| claim.leaving().has_changed().unwrap()));
    assert!(here.iter().all(|claim| !claim.leaving().has_changed().unwrap()));
    assert!((0..8).all(|_| pool.claim().unwrap().instance.id() != other.id()));
    let (settled, ()) = tokio::join!(left.wait_idle(LONG), async { drop(there) });
    assert_eq!(settled, 0);
    assert_eq!(pool.in_flight(), here.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_claim_slips_past_the_end_of_an_instance() {
    let pool = pool_of_one().await;
    for _ in 0..200 {
        let coming = instance(&pool).await;
        pool.add(Arc::clone(&coming));
        let claims: Vec<_> = (0..8)
            .map(|_| {
                let pool = Arc::clone(&pool);
                tokio::spawn(async move { pool.claim().unwrap().instance.id().clone() })
            })
            .collect();
        let left = pool.remove(coming.id()).unwrap();
        assert_eq!(left.wait_idle(Duration::from_secs(5)).await, 0);
        assert!(pool.claim().unwrap().instance.id() != coming.id());
        assert_eq!(left.in_flight().all(), 0, "a claim came after the last one had ended");
        for claim in claims {
            claim.await.unwrap();
        }
    }
}

#[tokio::test]
async fn one_instance_takes_the_place_of_all_others() {
    let pool = pool_of_one().await;
    pool.add(instance(&pool).await);
    let before = pool.claim().unwrap();
    let next = instance(&pool).await;
    let replaced = pool.replace(Arc::clone(&next));
    assert_eq!((replaced.len(), pool.size(), pool.in_flight()), (2, 1, 1));
    assert_eq!(pool.claim().unwrap().instance.id(), next.id());
    assert!(before.leaving().has_changed().unwrap());
}
