//! How a verb can fail, and the exit code for it.

use crate::cli::{print, visible};
use std::error::Error;
use std::process::ExitCode;

/// How a verb can fail.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Exit 1: the host refused it or it did not work.
    #[error("{message}")]
    Refused {
        /// What went wrong and what to do about it.
        message: String,
        /// The worker's last lines, if a release did not come up.
        log: Vec<String>,
    },
    /// Exit 1: something on this machine.
    #[error("{doing} failed")]
    Local {
        /// What was being done.
        doing: &'static str,
        /// Cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Exit 2: the arguments do not fit together.
    #[error("{0}")]
    Usage(String),
    /// Exit 3.
    #[error("the host at {url} can't be reached; is `vitrine serve` running there? {advice}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// How to name another host.
        advice: String,
        /// Cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Exit 3: the host that is named does not run here.
    #[error("{0}")]
    NotRunning(String),
    /// Exit 130, as a shell has it for a program that Ctrl-C ended.
    #[error("{0}")]
    Interrupted(String),
    /// Exit 4.
    #[error("{0}")]
    Missing(String),
}

impl Failure {
    /// A refusal without log lines.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::Refused { message: message.into(), log: Vec::new() }
    }

    /// For `map_err`: something on this machine.
    pub fn local<E: Into<Box<dyn Error + Send + Sync>>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Local { doing, source: source.into() }
    }

    const fn code(&self) -> u8 {
        match self {
            Self::Refused { .. } | Self::Local { .. } => 1,
            Self::Usage(_) => 2,
            Self::Unreachable { .. } | Self::NotRunning(_) => 3,
            Self::Missing(_) => 4,
            Self::Interrupted(_) => 130,
        }
    }

    /// Tells the user on stderr, and gives the exit code.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        let mut text = format!("error: {}", visible::block(&self.to_string(), "  "));
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(&format!("\n  because: {}", visible::block(&error.to_string(), "    ")));
            cause = error.source();
        }
        print::talk(&text);
        if let Self::Refused { log, .. } = self
            && !log.is_empty()
        {
            print::talk("last lines of the worker:");
            log.iter().for_each(|line| print::talk(&format!("  | {}", visible::block(line, "  | "))));
        }
        ExitCode::from(self.code())
    }
}
