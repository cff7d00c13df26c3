//! The `vitrine` binary: parse, run, map to an exit code.

fn main() -> std::process::ExitCode {
    vitrine::cli::main()
}
