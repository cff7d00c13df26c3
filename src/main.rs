//! The `vitrine` binary: parse, run, map to an exit code.

fn main() -> std::process::ExitCode {
    #[cfg(feature = "failpoints")]
    let _faults = vitrine::failpoint::scenario();
    vitrine::cli::main()
}
