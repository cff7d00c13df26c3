use super::*;

fn timeouts(head_ms: u64, idle_ms: u64) -> ConnectionTimeouts {
    ConnectionTimeouts {
        head: Duration::from_millis(head_ms),
        idle: Duration::from_millis(idle_ms),
        answer: Duration::from_millis(15),
        check: Duration::from_millis(1),
    }
}

fn pause() {
    // Twice the longest timeouts below.
    std::thread::sleep(Duration::from_millis(20));
}

#[test]
fn a_connection_that_says_nothing_is_slow_and_one_between_requests_is_idle() {
    let activity = Activity::start();
    pause();
    assert_eq!(activity.verdict(&timeouts(10, 1000)), TimeoutState::Slow);
    drop(activity.begin(false));
    assert_eq!(activity.verdict(&timeouts(10, 1000)), TimeoutState::Fine);
    pause();
    assert_eq!(activity.verdict(&timeouts(10, 10)), TimeoutState::Idle);
}

#[test]
fn a_client_that_still_takes_the_end_of_its_answer_is_not_idle() {
    let timeouts = ConnectionTimeouts { answer: Duration::from_secs(60), ..timeouts(1000, 10) };
    let activity = Activity::start();
    drop(activity.begin(false));
    activity.on_blocked();
    pause();
    assert_eq!(activity.idle_ms(), None);
    assert_eq!(activity.verdict(&timeouts), TimeoutState::Fine);
    activity.on_written(1);
    assert!(activity.idle_ms().is_some());
    assert_eq!(activity.verdict(&timeouts), TimeoutState::Idle);
}

#[test]
fn a_head_that_trickles_after_a_pause_is_slow_but_a_busy_app_is_not() {
    let activity = Activity::start();
    let busy = activity.begin(false);
    activity.on_read();
    pause();
    assert_eq!(activity.verdict(&timeouts(1, 1)), TimeoutState::Fine);
    drop(busy);
    activity.on_read();
    pause();
    activity.on_read();
    assert_eq!(activity.verdict(&timeouts(10, 1000)), TimeoutState::Slow);
}

#[test]
fn the_nearest_end_of_a_clock_is_when_a_verdict_changes() {
    let activity = Activity::start();
    let timeouts = timeouts(40, 1000);
    assert_eq!(activity.due_ms(&timeouts), Some(41));
    let busy = activity.begin(true);
    assert_eq!(activity.due_ms(&timeouts), None);
    // Blocked for the first time: the grace ends before the stall does.
    activity.on_blocked();
    let blocked = activity.age_ms();
    assert!((blocked + 13..=blocked + 15).contains(&activity.due_ms(&timeouts).unwrap()));
    pause();
    assert_eq!(activity.verdict(&timeouts), TimeoutState::Slow);
    // What the client takes then earns it more time than it has had.
    activity.on_written(1);
    activity.on_written(2 * ANSWER_BYTES_PER_S_MIN as usize);
    activity.on_blocked();
    let due = activity.due_ms(&timeouts).unwrap();
    assert!((1_900..2_100).contains(&(due - activity.age_ms())), "{due}");
    drop(busy);
    activity.on_written(1);
    let rests = activity.age_ms();
    assert!((rests + 990..=rests + 1000).contains(&activity.due_ms(&timeouts).unwrap()));
}

#[test]
fn a_client_that_takes_nothing_is_slow_until_it_takes_something() {
    let activity = Activity::start();
    let _busy = activity.begin(true);
    activity.set_stall_ms(10);
    activity.on_blocked();
    pause();
    assert_eq!(activity.verdict(&timeouts(1000, 1000)), TimeoutState::Slow);
    activity.on_written(1 << 20);
    assert_eq!(activity.verdict(&timeouts(1000, 1000)), TimeoutState::Fine);
}

#[test]
fn a_client_that_trickles_is_slow_and_one_that_pauses_is_not() {
    for (taken_bytes, verdict) in [(1, TimeoutState::Slow), (1 << 20, TimeoutState::Fine)] {
        let activity = Activity::start();
        let busy = activity.begin(false);
        activity.set_stall_ms(1000);
        for _ in 0..2 {
            activity.on_blocked();
            pause();
            activity.on_written(taken_bytes);
        }
        assert_eq!(activity.verdict(&timeouts(1000, 1000)), verdict, "{taken_bytes} bytes");
        drop(busy);
        assert_eq!(
            activity.verdict(&timeouts(1000, 1000)),
            TimeoutState::Fine,
            "the next answer's rate is its own"
        );
    }
}

#[test]
fn a_client_that_takes_no_answer_is_slow_unless_an_app_is_waited_for() {
    let activity = Activity::start();
    let _busy = activity.begin(true);
    activity.set_stall_ms(10);
    let turn = activity.begin_turn();
    let working = activity.begin(true);
    pause();
    assert_eq!(activity.verdict(&timeouts(1000, 1000)), TimeoutState::Fine);
    drop(working);
    assert_eq!(activity.verdict(&timeouts(1000, 1000)), TimeoutState::Slow);
    let taken = activity.begin_turn();
    drop(turn);
    assert_eq!(activity.verdict(&timeouts(1000, 1000)), TimeoutState::Fine);
    drop(taken);
    pause();
    assert_eq!(activity.verdict(&timeouts(1000, 1000)), TimeoutState::Fine);
}
