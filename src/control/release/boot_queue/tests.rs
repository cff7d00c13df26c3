use super::*;
use std::sync::atomic::AtomicBool;

const PATIENCE: Duration = Duration::from_secs(20);

/// Asks for a place in a task of its own; it waits when this is back.
async fn asked(
    queue: &Arc<BootQueue>,
    urgency: Urgency,
) -> tokio::task::JoinHandle<Result<BootPlace, NoPlace>> {
    let queue = Arc::clone(queue);
    let asking = tokio::spawn(async move { queue.place(move || urgency, PATIENCE).await });
    tokio::task::yield_now().await;
    asking
}

#[tokio::test(start_paused = true)]
async fn the_most_urgent_is_next_and_the_first_among_equals() {
    let queue = BootQueue::new(2, 0);
    let mut kept = vec![
        queue.place(|| Urgency::Spare, PATIENCE).await.unwrap(),
        queue.place(|| Urgency::Spare, PATIENCE).await.unwrap(),
    ];
    let ranks = [
        Urgency::Spare,
        Urgency::Live,
        Urgency::Awaited,
        Urgency::Asked,
        Urgency::Live,
        Urgency::Returning,
        Urgency::Replaced,
        Urgency::LiveAwaited,
    ];
    let mut waiting = Vec::new();
    for urgency in ranks {
        waiting.push(Some(asked(&queue, urgency).await));
    }
    assert!(waiting.iter().flatten().all(|one| !one.is_finished()), "both places are taken");
    let mut served = Vec::new();
    while served.len() < ranks.len() {
        drop(kept.remove(0));
        tokio::task::yield_now().await;
        let at = waiting.iter().position(|one| one.as_ref().is_some_and(|one| one.is_finished())).unwrap();
        kept.push(waiting[at].take().unwrap().await.unwrap().unwrap());
        served.push(at);
        assert!(waiting.iter().flatten().all(|one| !one.is_finished()), "one place was free");
    }
    assert_eq!(served, [6, 7, 1, 4, 5, 3, 2, 0]);
}

#[tokio::test(start_paused = true)]
async fn one_that_becomes_more_urgent_while_it_waits_is_served_before_the_others() {
    let queue = BootQueue::new(1, 0);
    let place = queue.place(|| Urgency::Live, PATIENCE).await.unwrap();
    let first = asked(&queue, Urgency::Live).await;
    let awaited = Arc::new(AtomicBool::new(false));
    let (also, seen) = (Arc::clone(&queue), Arc::clone(&awaited));
    let urgency = move || if seen.load(Ordering::SeqCst) { Urgency::LiveAwaited } else { Urgency::Live };
    let second = tokio::spawn(async move { also.place(urgency, PATIENCE).await });
    tokio::task::yield_now().await;
    awaited.store(true, Ordering::SeqCst);
    drop(place);
    let place = second.await.unwrap().unwrap();
    assert!(!first.is_finished());
    drop(place);
    first.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_leaves_no_place_behind() {
    let queue = BootQueue::new(1, 0);
    let place = queue.place(|| Urgency::Live, PATIENCE).await.unwrap();
    let gone = asked(&queue, Urgency::Replaced).await;
    let stays = asked(&queue, Urgency::Spare).await;
    gone.abort();
    assert!(gone.await.is_err());
    drop(place);
    drop(stays.await.unwrap().unwrap());
    // A place that was handed to one that is gone by then is free again, too.
    let place = queue.place(|| Urgency::Live, PATIENCE).await.unwrap();
    let gone = asked(&queue, Urgency::Live).await;
    drop(place);
    gone.abort();
    drop(gone.await);
    queue.place(|| Urgency::Live, PATIENCE).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_at_its_bound_and_says_when_to_come_back() {
    let queue = BootQueue::new(2, 0);
    let _kept = [
        queue.place(|| Urgency::Live, PATIENCE).await.unwrap(),
        queue.place(|| Urgency::Live, PATIENCE).await.unwrap(),
    ];
    let mut waiting = Vec::new();
    for _ in 0..BOOTS_QUEUED_MAX {
        waiting.push(asked(&queue, Urgency::Live).await);
    }
    // Half a second each, two at a time.
    let full = queue.place(|| Urgency::Replaced, PATIENCE).await.unwrap_err();
    assert_eq!(full, NoPlace::Busy { retry_after_s: RETRY_AFTER_S_MAX });
    let begun = Instant::now();
    let late = waiting.remove(0).await.unwrap().unwrap_err();
    assert!(matches!(late, NoPlace::Busy { .. }) && begun.elapsed() >= PATIENCE - Duration::from_secs(1));
    for one in waiting {
        assert!(one.await.unwrap().is_err());
    }
    let alone = queue.place(|| Urgency::Live, PATIENCE).await.unwrap_err();
    assert_eq!(alone, NoPlace::Busy { retry_after_s: RETRY_AFTER_S });
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_closed_starts_nothing_more() {
    let queue = BootQueue::new(1, 0);
    let place = queue.place(|| Urgency::Live, PATIENCE).await.unwrap();
    let waiting = asked(&queue, Urgency::Live).await;
    queue.close();
    assert_eq!(waiting.await.unwrap().unwrap_err(), NoPlace::Closed);
    drop(place);
    assert_eq!(queue.place(|| Urgency::Live, PATIENCE).await.unwrap_err(), NoPlace::Closed);
}

#[tokio::test(start_paused = true)]
async fn starts_that_hang_leave_a_place_for_what_users_get() {
    let queue = BootQueue::new(1, 1);
    let hangs = queue.place(|| Urgency::Awaited, PATIENCE).await.unwrap();
    let spare = asked(&queue, Urgency::Awaited).await;
    assert!(!spare.is_finished());
    drop(queue.place(|| Urgency::Replaced, PATIENCE).await.unwrap());
    tokio::task::yield_now().await;
    assert!(!spare.is_finished(), "the reserve is for what users get");
    drop(hangs);
    spare.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_that_becomes_for_users_while_it_waits_takes_the_reserve() {
    let queue = BootQueue::new(1, 1);
    let _hangs = queue.place(|| Urgency::Awaited, PATIENCE).await.unwrap();
    let insisted = Arc::new(AtomicBool::new(false));
    let (also, seen) = (Arc::clone(&queue), Arc::clone(&insisted));
    let urgency = move || if seen.load(Ordering::SeqCst) { Urgency::Returning } else { Urgency::Spare };
    let begun = Instant::now();
    let waits = tokio::spawn(async move { also.place(urgency, PATIENCE).await });
    tokio::task::yield_now().await;
    insisted.store(true, Ordering::SeqCst);
    queue.hand_out();
    waits.await.unwrap().unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[test]
fn places_are_bounded_by_cores_and_by_memory() {
    let gib = 1 << 30;
    assert_eq!(places(2, 24 * gib, 512), 2);
    assert_eq!(places(64, 24 * gib, 512), 24);
    assert_eq!(places(64, gib, 4_096), 1, "one can always be started");
    assert_eq!(places(4, u64::MAX, 512), 4);
}
