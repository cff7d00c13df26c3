//! A native program that took over a worker and tries what must not work.

use crate::attempts::{self, Place};
use std::path::Path;
use std::process::ExitCode;

/// App whose worker ends at once.
pub const FAILING_APP: &str = "fails";

/// What the name of an attacked app ends with: the port of this machine that the attack tries.
pub const APP_PREFIX: &str = "attack-";

/// Is this program in the place of a worker? Then it attacks, and gives its exit code.
pub fn run_as_worker() -> Option<ExitCode> {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("--version") => Some(ExitCode::SUCCESS),
        Some("supervise") if arguments.iter().any(|argument| argument.starts_with(FAILING_APP)) => {
            println!("no use");
            Some(ExitCode::from(9))
        }
        Some("supervise") => {
            let value = |name: &str| {
                let at = arguments.iter().position(|argument| argument == name).expect("every worker has it");
                arguments[at + 1].as_str()
            };
            let port =
                value("--release").trim_start_matches(APP_PREFIX).split('@').next().unwrap_or_default();
            let port = port.parse().expect("the release names a port");
            attack(&Place { sockets: Path::new(value("--sockets")), port });
            Some(ExitCode::SUCCESS)
        }
        _ => None,
    }
}

fn attack(place: &Place) {
    // Else the first byte beyond the bound of a file's size would end this program.
    // SAFETY: no handler is set.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    // One that goes on by itself, in a session of its own, and must not outlive the worker.
    // SAFETY: the child only waits.
    if unsafe { libc::fork() } == 0 {
        // SAFETY: no argument.
        unsafe { libc::setsid() };
        loop {
            std::thread::park();
        }
    }
    for attempt in attempts::all() {
        match (attempt.run)(place) {
            Ok(()) => println!("ALLOWED {}", attempt.name),
            Err(error) => println!("denied {}: {error}", attempt.name),
        }
    }
    println!("end");
    loop {
        std::thread::park();
    }
}
