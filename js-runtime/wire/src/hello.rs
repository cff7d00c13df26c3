//! The first frame of each connection, in both directions.

use serde::{Deserialize, Serialize};

/// The protocol that this build speaks.
pub const PROTOCOL: u16 = 5;
/// The oldest protocol that this build still accepts from its peer. A worker of an older one, which a host before this one started, is
/// replaced: it does not know [`RequestHead::ledger`](crate::RequestHead::ledger).
pub const PROTOCOL_OLDEST: u16 = 5;

/// SHA-256 over everything that decides what an instance runs: release, bundle digest, configuration, limits.
pub type SpecHash = [u8; 32];

/// Which side speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Peer {
    /// The host: it connects.
    Host,
    /// The worker: it listens.
    Worker,
}

/// Which socket this is. It is said aloud so that swapped sockets are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Channel {
    /// Requests and their answers.
    Requests,
    /// Configuration, egress, logs and the instance's life.
    Control,
}

/// Who is at the other end and what it believes this instance to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Protocol version of the sender.
    pub protocol: u16,
    /// Side of the sender.
    pub peer: Peer,
    /// Socket that the sender believes this to be.
    pub channel: Channel,
    /// `APP@VERSION`.
    pub release: String,
    /// See [`SpecHash`].
    pub spec_hash: SpecHash,
}

/// Why a hello was refused. The connection ends, and a host counts the instance as dead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HelloError {
    /// The peer's protocol is older than [`PROTOCOL_OLDEST`] or newer than this build knows.
    #[error("the peer speaks protocol {theirs}, this build accepts {PROTOCOL_OLDEST} to {PROTOCOL}")]
    Protocol {
        /// Version that the peer named.
        theirs: u16,
    },
    /// Host met host, or worker met worker.
    #[error("the peer calls itself {0:?}, which is this side")]
    Peer(Peer),
    /// The sockets are swapped.
    #[error("the peer believes this to be the {theirs:?} socket")]
    Channel {
        /// Socket that the peer named.
        theirs: Channel,
    },
    /// The peer serves another release.
    #[error("the peer is {theirs}, expected {ours}")]
    Release {
        /// Release that the peer named.
        theirs: String,
        /// Release that this side has.
        ours: String,
    },
    /// Same release, other specification.
    #[error("the peer was started with another specification of {release}")]
    Spec {
        /// Release of both.
        release: String,
    },
}

impl Hello {
    /// A hello of this build.
    #[must_use]
    pub fn new(peer: Peer, channel: Channel, release: &str, spec_hash: SpecHash) -> Self {
        Self { protocol: PROTOCOL, peer, channel, release: release.to_owned(), spec_hash }
    }

    /// Checks the other side's hello against this one.
    ///
    /// # Errors
    /// The first field that does not fit.
    pub fn accept(&self, theirs: &Self) -> Result<(), HelloError> {
        if !(PROTOCOL_OLDEST..=PROTOCOL).contains(&theirs.protocol) {
            return Err(HelloError::Protocol { theirs: theirs.protocol });
        }
        if theirs.peer == self.peer {
            return Err(HelloError::Peer(theirs.peer));
        }
        if theirs.channel != self.channel {
            return Err(HelloError::Channel { theirs: theirs.channel });
        }
        if theirs.release != self.release {
            return Err(HelloError::Release { theirs: theirs.release.clone(), ours: self.release.clone() });
        }
        if theirs.spec_hash != self.spec_hash {
            return Err(HelloError::Spec { release: self.release.clone() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Hello, Hello) {
        (
            Hello::new(Peer::Host, Channel::Control, "catalog@v1", [7; 32]),
            Hello::new(Peer::Worker, Channel::Control, "catalog@v1", [7; 32]),
        )
    }

    #[test]
    fn both_sides_of_one_instance_accept_each_other() {
        let (host, worker) = pair();
        assert_eq!(host.accept(&worker), Ok(()));
        assert_eq!(worker.accept(&host), Ok(()));
    }

    #[test]
    fn every_field_that_differs_is_refused() {
        let (host, worker) = pair();
        assert!(matches!(host.accept(&host), Err(HelloError::Peer(Peer::Host))));
        let other = Hello { protocol: PROTOCOL + 1, ..worker.clone() };
        assert!(matches!(host.accept(&other), Err(HelloError::Protocol { .. })));
        let other = Hello { channel: Channel::Requests, ..worker.clone() };
        assert!(matches!(host.accept(&other), Err(HelloError::Channel { .. })));
        let other = Hello { release: "catalog@v2".into(), ..worker.clone() };
        assert!(matches!(host.accept(&other), Err(HelloError::Release { .. })));
        let other = Hello { spec_hash: [8; 32], ..worker };
        assert!(matches!(host.accept(&other), Err(HelloError::Spec { .. })));
    }
}
