//! Flips and rollbacks under load: no failed request, no body of two releases, no answer from a release that was not live; and how long
//! a rollback takes.
//!
//! A program of its own, because programs of tests run one after the other: the load is the rig's, and nobody else's.

use std::sync::{Mutex, PoisonError};
use vitrine_test_support::figures::Figures;
use vitrine_test_support::flips::{Load, to_and_fro};
use vitrine_test_support::host::Host;
use vitrine_test_support::noise::Noise;

/// How long a rollback to a warm release may take, in milliseconds, where the machine has time for it.
const ROLLBACK_MS: f64 = 50.0;
/// Times that one rollback waits for a thread to run: the control plane's for the connection and for the request, the store's, the
/// control plane's again, the client's.
const TURNS_OF_A_ROLLBACK: f64 = 5.0;
/// One storm at a time.
static ALONE: Mutex<()> = Mutex::new(());

const QUICK: Load = Load { flips: 40, keep_alive: 8, anew: 4, streams: 4, posts: 2, h2: 1 };
const LONG: Load = Load { flips: 1_000, keep_alive: 16, anew: 8, streams: 6, posts: 4, h2: 2 };

fn flips_lose_nothing(load: Load) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let host = Host::start_with(&["--isolation", "process"]);
    let (noise, disk) = (Noise::start(), Noise::of_disk());
    let after = to_and_fro(&host, load);
    let (late, written) = (Figures::of_ms(noise.stop()), Figures::of_ms(disk.stop()));
    assert_eq!(after.faults(), Vec::<String>::new(), "of {} answers", after.told.len());
    after.assert_rained(load);
    let (promoted, back) = (after.took(false), after.took(true));
    println!(
        "{} flips, {} answers, 0 failed, 0 mixed, 0 stale; rollback {back}; promote {promoted}; a thread woke late by {late}, \
         a page took {written} to the disk",
        load.flips,
        after.told.len()
    );
    // It writes once.
    let bound = ROLLBACK_MS + TURNS_OF_A_ROLLBACK * late.at(0.99) + written.at(0.99);
    assert!(
        back.at(0.99) < bound,
        "rollback {back}; the machine is late by {late}, and its disk takes {written}"
    );
}

#[test]
fn flips_and_rollbacks_lose_no_request() {
    flips_lose_nothing(QUICK);
}

#[test]
#[ignore = "minutes"]
fn a_thousand_flips_and_rollbacks_lose_no_request() {
    flips_lose_nothing(LONG);
}
