//! The machine against lists of what may follow what.

use super::*;
use Event::{CantGoBack, Failed, GoingBack, Passed, RolledBackFrom, Superseded};
use proptest::prelude::*;

const EVENTS: [Event; 6] = [Passed, Failed, Superseded, RolledBackFrom, GoingBack, CantGoBack];

/// Everything that may happen, as a list: status before, whether users get the release, whether there was one before it, event,
/// status after.
fn allowed(shifted: bool, previous: bool, last: bool) -> Vec<(Status, Event, Status)> {
    use Status::{
        InProgress, Pending, RollbackFailed, RollbackInProgress, RollbackRequested, RollbackSuccessful,
        StopRequested, Stopped, Successful,
    };
    let mut list = vec![
        (Pending, Passed, InProgress),
        (Pending, Failed, Stopped),
        (Pending, Superseded, StopRequested),
        (StopRequested, Passed, Stopped),
        (StopRequested, Failed, Stopped),
        (RollbackRequested, GoingBack, RollbackInProgress),
    ];
    for going in [RollbackRequested, RollbackInProgress] {
        list.push((going, Superseded, RollbackSuccessful));
        list.push((going, RolledBackFrom, RollbackSuccessful));
        list.push((going, CantGoBack, RollbackFailed));
    }
    list.push((InProgress, Passed, if last { Successful } else { InProgress }));
    match (shifted, previous) {
        (false, _) => list.extend([(InProgress, Failed, Stopped), (InProgress, Superseded, StopRequested)]),
        (true, true) => list.push((InProgress, Failed, RollbackRequested)),
        (true, false) => list.push((InProgress, Failed, RollbackFailed)),
    }
    if shifted {
        list.extend([(InProgress, Superseded, Stopped), (InProgress, RolledBackFrom, RollbackSuccessful)]);
    }
    list
}

proptest! {
    #[test]
    fn it_goes_as_the_list_says(
        previous: bool,
        events in prop::collection::vec(prop_oneof![
            4 => Just(Passed),
            1 => prop::sample::select(EVENTS.to_vec()),
        ], 1..40),
    ) {
        let mut progress = Progress::pending(previous);
        let mut passed = 0;
        for event in events {
            // The seventh stage is the shift of production traffic; the tenth is the last.
            let list = allowed(passed >= 7, previous, passed == 9);
            let row = list.iter().find(|(from, by, _)| (*from, *by) == (progress.status, event));
            let before = progress;
            let after = progress.after(event);
            prop_assert_eq!(after.ok().map(|after| after.status), row.map(|row| row.2), "{:?} {:?}", before, event);
            let Ok(after) = after else { continue };
            let goes_on = event == Passed && after.status == Status::InProgress;
            passed += usize::from(goes_on);
            prop_assert_eq!(after.stage, Stage::ALL[passed], "{:?} {:?}", before, event);
            prop_assert!(!before.is_over(), "nothing happens to what is over");
            progress = after;
        }
    }
}

#[test]
fn each_stage_has_its_work_in_ecs_order() {
    let mut progress = Progress::pending(true);
    let mut works = Vec::new();
    while !progress.is_over() {
        works.extend(progress.work());
        progress = progress.after(Passed).unwrap();
    }
    assert_eq!(progress.status, Status::Successful);
    use Work::{Bake, HooksAfterTraffic, HooksBeforeTraffic, Shift, Start};
    assert_eq!(works, [Start, HooksBeforeTraffic, Shift, HooksAfterTraffic, Bake]);
    let names = Stage::ALL.map(|stage| serde_json::to_value(stage).unwrap().as_str().unwrap().to_owned());
    assert_eq!(names, Stage::ALL.map(|stage| stage.as_str().to_owned()));
    assert_eq!(names[0], "RECONCILE_SERVICE");
    assert_eq!(
        names[6..],
        ["PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP"]
    );
}

#[test]
fn what_fails_after_the_shift_goes_back_once_and_what_fails_before_changes_nothing() {
    let at = |stage| Progress { stage, status: Status::InProgress, has_previous: true };
    assert_eq!(at(Stage::PostTestTrafficShift).after(Failed).unwrap().status, Status::Stopped);
    assert_eq!(at(Stage::ProductionTrafficShift).after(Failed).unwrap().status, Status::Stopped);
    let mut progress = at(Stage::BakeTime).after(Failed).unwrap();
    for (event, status) in
        [(GoingBack, Status::RollbackInProgress), (RolledBackFrom, Status::RollbackSuccessful)]
    {
        progress = progress.after(event).unwrap();
        assert_eq!(progress.status, status);
    }
    for event in EVENTS {
        assert!(progress.after(event).is_err(), "a rollback is not rolled back");
    }
}
