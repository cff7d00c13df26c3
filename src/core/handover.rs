//! From a running host to its successor: the listening sockets, then the data folder, then the requests.
//!
//! The host that runs starts its successor with its listening sockets inherited and a status socket between the two. The successor
//! says that it is prepared, is lent the data folder, adopts or boots what is live, and says that it is ready: from then on it
//! accepts, and the other finishes what it has. Until then nothing is given up: a successor that fails is as if it never was.

mod inheritance;
mod predecessor;

pub use inheritance::{Inheritance, report_failure};
pub use predecessor::Predecessor;

use serde::{Deserialize, Serialize};

/// Names the inherited descriptors: `status:5,edge:6,admin:7`.
pub const VARIABLE: &str = "VITRINE_HANDOVER";
/// The status socket's name among them.
pub const STATUS: &str = "status";
/// The name of the socket at which a hand-over is asked for.
pub const UPGRADE_SOCKET: &str = "upgrade";

/// What a listening socket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The public side.
    Edge,
    /// The public side's TLS listener.
    Tls,
    /// The admin side.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Edge, Self::Tls, Self::Admin];

    /// Its name among the inherited descriptors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Tls => "tls",
            Self::Admin => "admin",
        }
    }
}

/// One line on the status socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "snake_case")]
pub enum Message {
    /// Successor: configuration and sockets are fine, the data folder is next.
    Prepared,
    /// Host: the data folder is free.
    Yours,
    /// Successor: it accepts.
    Ready,
    /// Successor: it gives up.
    Failed {
        /// For an operator.
        reason: String,
    },
    /// Successor: take no further request.
    Settle,
    /// Host: it takes none.
    Settled,
}

/// Why a hand-over did not come about.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// The environment says something else than this program writes.
    #[error("{VARIABLE} is `{0}`, which no host of this version wrote; unset it")]
    Variable(String),
    /// The status socket or an inherited one.
    #[error("{operation} failed during the hand-over")]
    Socket {
        /// What was tried.
        operation: &'static str,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// The other side gave up.
    #[error("the host that was to hand over gave up; it serves on")]
    Refused,
    /// The other side takes too long.
    #[error("the other side of the hand-over said nothing for {waited_ms} ms")]
    Silent {
        /// Bound that passed.
        waited_ms: u64,
    },
    /// The successor says why it can't.
    #[error("the new process gave up: {0}")]
    Failed(String),
    /// The successor ended without a reason.
    #[error("the new process ended before it was ready; the log says why")]
    Ended,
}

/// A line of the status socket. None at its end.
///
/// # Errors
/// [`HandoverError::Socket`], [`HandoverError::Silent`].
pub async fn recv(
    from: &mut (impl tokio::io::AsyncBufRead + Unpin),
    patience_ms: u64,
) -> Result<Option<Message>, HandoverError> {
    use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _};
    let broken = |source| HandoverError::Socket { operation: "reading from the other process", source };
    let mut line = String::new();
    let mut bounded = from.take(crate::limits::HANDOVER_LINE_BYTES_MAX);
    let read = bounded.read_line(&mut line);
    match tokio::time::timeout(std::time::Duration::from_millis(patience_ms), read).await {
        Err(_) => Err(HandoverError::Silent { waited_ms: patience_ms }),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionReset => Ok(None),
        Ok(Err(error)) => Err(broken(error)),
        Ok(Ok(0)) => Ok(None),
        Ok(Ok(_)) => serde_json::from_str(&line).map(Some).map_err(|error| broken(error.into())),
    }
}

/// Says one word.
///
/// # Errors
/// [`HandoverError::Socket`].
pub async fn send(
    to: &mut (impl tokio::io::AsyncWrite + Unpin),
    word: &Message,
) -> Result<(), HandoverError> {
    use tokio::io::AsyncWriteExt as _;
    let broken = |source| HandoverError::Socket { operation: "writing to the other process", source };
    let mut line = serde_json::to_vec(word).map_err(|error| broken(error.into()))?;
    line.push(b'\n');
    to.write_all(&line).await.map_err(broken)
}
