//! The command line as a user runs it.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Variables that name a host, a token or a folder, or say how wide a terminal is.
const NAMES: [&str; 5] =
    ["VITRINE_ADMIN", "VITRINE_TOKEN", "VITRINE_DATA", "VITRINE_HEALTHCHECK_URL", "COLUMNS"];

/// A call that is not made yet.
#[derive(Debug)]
pub struct Cli {
    command: Command,
    stdin: Vec<u8>,
}

/// What a call gave.
#[derive(Debug)]
pub struct Ran {
    /// Exit code.
    pub code: i32,
    /// Data.
    pub stdout: String,
    /// Talk.
    pub stderr: String,
}

impl Cli {
    /// `vitrine ARGS`, with no host named by the environment.
    pub fn new(args: &[&str]) -> Self {
        let mut command = Command::new(crate::program());
        command.args(args);
        Self::of(command)
    }

    /// As [`Cli::new`], at a terminal of its own: what stdin is given is typed there, and all that it prints is in its stdout.
    pub fn at_terminal(args: &[&str]) -> Self {
        let words: String = args.iter().map(|word| format!(" '{word}'")).collect();
        let mut command = Command::new("script");
        command.args(["-qec", &format!("'{}'{words}", crate::program().display()), "/dev/null"]);
        Self::of(command)
    }

    fn of(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::piped());
        for name in NAMES {
            command.env_remove(name);
        }
        Self { command, stdin: Vec::new() }
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it in this folder.
    pub fn within(mut self, folder: &std::path::Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Gives it this on stdin.
    pub fn stdin(mut self, content: impl Into<Vec<u8>>) -> Self {
        self.stdin = content.into();
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Ran {
        self.run_while(|_| ())
    }

    /// Runs it, and presses Ctrl-C once `reached` has come back.
    pub fn interrupted_when(self, reached: impl FnOnce()) -> Ran {
        self.signalled_when("-INT", reached)
    }

    /// Runs it, and sends it this signal once `reached` has come back.
    pub fn signalled_when(self, signal: &str, reached: impl FnOnce()) -> Ran {
        self.run_while(|pid| {
            reached();
            assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
        })
    }

    fn run_while(mut self, meanwhile: impl FnOnce(u32)) -> Ran {
        let mut child = self.command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A call that does not read its stdin has closed it by now.
        let _ = stdin.write_all(&self.stdin);
        drop(stdin);
        meanwhile(child.id());
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs it, and expects exit 0.
    pub fn ok(self) -> Ran {
        let ran = self.run();
        assert_eq!(ran.code, 0, "{ran:?}");
        ran
    }

    /// Runs it, and expects this exit code, these words on stderr, and nothing on stdout.
    pub fn fails(self, code: i32, words: &[&str]) -> Ran {
        let ran = self.run();
        assert_eq!(ran.code, code, "{ran:?}");
        assert_eq!(ran.stdout, "", "{ran:?}");
        for word in words {
            assert!(ran.stderr.contains(word), "no `{word}` in: {}", ran.stderr);
        }
        ran
    }
}

impl Ran {
    /// stdout as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
