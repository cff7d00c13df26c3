//! The `vitrine` binary: parse, run, map to an exit code.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    #[cfg(feature = "failpoints")]
    let _faults = vitrine_core::failpoint::scenario();
    vitrine::cli::main()
}
