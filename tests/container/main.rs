//! The engine process with real workers: in containers of the local Docker, and as processes.
//!
//! Container tests say SKIPPED when no Docker answers. This program is also the hostile worker that one of them puts
//! into a container in place of the real one.

#![expect(clippy::unwrap_used, reason = "a test that finds something else than it expects is to stop there")]

#[path = "../security/attempts.rs"]
mod attempts;
mod containment;
mod engine;
mod hostile;
mod lifecycle;
mod rig;

use libtest_mimic::{Arguments, Completion, Trial};
use rig::Kind;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = hostile::run_as_worker() {
        return code;
    }
    let arguments = Arguments::from_args();
    let docker = rig::docker_answers();
    let container = |name: &str, test: fn()| {
        let docker = docker.clone();
        Trial::ignorable_test(name, move || match docker {
            Ok(()) => {
                test();
                Ok(Completion::Completed)
            }
            Err(reason) => Ok(Completion::ignored_with(format!("SKIPPED: {reason}"))),
        })
    };
    let process = |name: &str, test: fn()| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let trials = vec![
        container("a_probe_runs_a_worker_and_leaves_only_the_image", lifecycle::probe),
        container("a_container_worker_lives_and_ends", || lifecycle::life(Kind::Container)),
        container("containers_outlive_engine_and_host", lifecycle::outlives),
        container("another_hosts_containers_are_not_touched", lifecycle::foreign),
        container("an_image_of_an_earlier_build_goes_and_the_present_one_stays", lifecycle::prune),
        container("a_bundle_that_is_not_there_is_named", lifecycle::unknown_bundle),
        container("a_runtime_that_docker_does_not_have_is_named", lifecycle::unknown_runtime),
        container("a_worker_has_nothing_that_it_does_not_need", containment::inspected),
        container("a_worker_that_fails_is_told_and_a_hostile_one_can_do_nothing", containment::hostile),
        container("the_same_program_without_the_policy_can_do_many_of_them", containment::uncontained),
        container("an_engine_does_nothing_that_is_no_action_on_its_own_labels", engine::refuses),
        process("a_process_worker_lives_and_ends", || lifecycle::life(Kind::Process)),
        process("process_workers_end_with_their_engine", lifecycle::ends_with_engine),
        process("without_docker_the_probe_says_what_to_do", lifecycle::no_docker),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}
