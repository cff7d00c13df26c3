//! How a verb can fail, and the exit code for it.

use crate::cli::{hints, print, visible};
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use serde_json::json;
use std::error::Error;
use std::process::ExitCode;
use vitrine_control::release::Diagnosis;

/// How `error:` looks, as it does in errors about arguments.
const ERROR: Style = AnsiColor::Red.on_default().bold();

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
        /// What the host answered, if it was the host that refused.
        answer: Option<Answer>,
    },
    /// Exit 1: `solo` can't serve its bundle.
    #[error("{message}")]
    Unservable {
        /// What went wrong.
        message: String,
        /// What else is known about it.
        diagnosis: Box<Diagnosis>,
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
    #[error("the host at {url} can't be reached")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// What to do: start it, name another, or trust its certificate.
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

/// How the host refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Name of the problem, such as `quota`; nothing when the answer was no problem of the admin side.
    pub code: Option<String>,
    /// What the host knows about a release that did not come up.
    pub diagnosis: Option<Box<Diagnosis>>,
}

/// An error as `--json` prints it, in `{"error": …}`.
#[derive(Debug, Serialize)]
pub(super) struct ErrorObject {
    /// A word for programs: a problem of the admin side, or how the verb failed.
    pub code: String,
    /// What went wrong, and mostly what to do about it.
    pub message: String,
    /// What else to do about it.
    pub hint: Option<String>,
    /// HTTP status of the host's answer.
    pub status: Option<u16>,
    /// Exit code.
    pub exit: u8,
    /// What is behind it, the nearest first.
    pub causes: Vec<String>,
    /// The worker's last lines.
    pub log: Vec<String>,
    /// What the host knows about a release that did not come up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Diagnosis>,
}

impl ErrorObject {
    /// Tells it on stderr.
    pub(super) fn tell(&self) {
        print::tell(&json!({ "error": self }).to_string());
    }
}

impl Failure {
    /// Whether the host does not accept the token.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Refused { answer: Some(answer), .. } if answer.status == 401)
    }

    /// A refusal without log lines.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::Refused { message: message.into(), log: Vec::new(), answer: None }
    }

    /// For `map_err`: something on this machine.
    pub fn local<E: Into<Box<dyn Error + Send + Sync>>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Local { doing, source: source.into() }
    }

    const fn exit(&self) -> u8 {
        match self {
            Self::Refused { .. } | Self::Unservable { .. } | Self::Local { .. } => 1,
            Self::Usage(_) => 2,
            Self::Unreachable { .. } | Self::NotRunning(_) => 3,
            Self::Missing(_) => 4,
            Self::Interrupted(_) => 130,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::Refused { answer: Some(Answer { code: Some(code), .. }), .. } => code,
            Self::Refused { .. } => "refused",
            Self::Unservable { .. } => "unservable",
            Self::Local { .. } => "failed",
            Self::Usage(_) => "usage",
            Self::Unreachable { .. } | Self::NotRunning(_) => "unreachable",
            Self::Missing(_) => "missing",
            Self::Interrupted(_) => "interrupted",
        }
    }

    fn hint(&self) -> Option<String> {
        let Self::Unreachable { advice, .. } = self else { return None };
        Some(advice.clone())
    }

    fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut cause = self.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        causes
    }

    fn log(&self) -> &[String] {
        if let Self::Refused { log, .. } = self { log } else { &[] }
    }

    fn diagnosis(&self) -> Option<&Diagnosis> {
        match self {
            Self::Refused { answer: Some(answer), .. } => answer.diagnosis.as_deref(),
            Self::Unservable { diagnosis, .. } => Some(diagnosis),
            _ => None,
        }
    }

    fn findings(&self) -> Vec<String> {
        match self {
            Self::Unservable { diagnosis, .. } => diagnosis.lines_alone(),
            _ => self.diagnosis().map(Diagnosis::lines).unwrap_or_default(),
        }
    }

    fn object(&self) -> ErrorObject {
        let status = match self {
            Self::Refused { answer, .. } => answer.as_ref().map(|answer| answer.status),
            Self::Missing(_) => Some(404),
            _ => None,
        };
        ErrorObject {
            code: self.code().to_owned(),
            message: hints::addressed(&self.to_string()).into_owned(),
            hint: self.hint().map(|hint| hints::addressed(&hint).into_owned()),
            status,
            exit: self.exit(),
            causes: self.causes(),
            log: self.log().to_vec(),
            diagnosis: self.diagnosis().cloned(),
        }
    }

    /// Tells the user on stderr, and gives the exit code.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        if print::is_json() {
            self.object().tell()
        } else {
            self.tell()
        }
        ExitCode::from(self.exit())
    }

    fn tell(&self) {
        let hint = self.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
        let text = visible::block(&hints::addressed(&format!("{self}{hint}")), "  ");
        print::tell(&format!("{ERROR}error:{ERROR:#} {text}"));
        self.causes()
            .iter()
            .for_each(|cause| print::talk(&format!("  because: {}", visible::block(cause, "    "))));
        self.findings()
            .iter()
            .for_each(|finding| print::talk(&format!("  {}", visible::block(finding, "  "))));
        if !self.log().is_empty() {
            print::talk("last lines of the worker:");
            self.log().iter().for_each(|line| print::talk(&format!("  | {}", visible::block(line, "  | "))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_for_programs_has_the_hosts_own_word_and_the_exit_code() {
        let answer = Some(Answer { status: 409, code: Some("quota".into()), diagnosis: None });
        let refused = Failure::Refused { message: "full".into(), log: vec!["l".into()], answer };
        let told = serde_json::to_value(refused.object()).unwrap();
        let expected = json!({
            "code": "quota", "message": "full", "hint": null, "status": 409, "exit": 1, "causes": [], "log": ["l"],
        });
        assert_eq!(told, expected);
        let io = |text: &str| Box::new(std::io::Error::other(text));
        let gone = Failure::Unreachable {
            url: "http://h".into(),
            advice: "VITRINE_ADMIN names it".into(),
            source: io("refused"),
        }
        .object();
        assert_eq!((gone.code.as_str(), gone.exit, gone.causes), ("unreachable", 3, vec!["refused".into()]));
        assert!(gone.hint.unwrap().contains("VITRINE_ADMIN"));
        assert_eq!(Failure::Missing("no app".into()).object().status, Some(404));
        assert_eq!(Failure::Usage("no".into()).object().exit, 2);
    }
}
