//! The audit log: what was changed, by whom, in which order, and whether any of that was changed since.
//!
//! Each record holds the SHA-256 of its own fields and of the record before it. The store keeps the last one's beside
//! them, so that a change, a gap, another order and a missing end all show. A process that can write the store can write a
//! whole new log as well: against that, the end of the log is to be kept elsewhere (the host's own log has each hash).

use crate::id::{AppName, Version};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What was changed, or was to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditAction {
    /// A release was taken in.
    Deploy,
    /// A release was made live.
    Promote,
    /// An earlier release was made live.
    Rollback,
    /// A release was removed, or an app with all of its own.
    Remove,
    /// A removed app was brought back.
    Restore,
    /// A removed app was dropped for good.
    Purge,
    /// What the cache held of an app was purged.
    CachePurge,
    /// How many instances an app has was set.
    Scale,
    /// A value of an environment was set.
    EnvSet,
    /// A value of an environment was unset.
    EnvUnset,
    /// Previews were given production's value of a name.
    EnvGrant,
    /// That was taken back.
    EnvRevoke,
    /// A release was marked as bad.
    MarkBad,
    /// The mark was taken off again.
    UnmarkBad,
    /// A token was made.
    TokenCreate,
    /// A token was revoked.
    TokenRevoke,
    /// The values of environments were encrypted under a new key.
    KeyRotate,
    /// Values whose key is lost were given up.
    KeyForget,
    /// Routing rules were set.
    RoutesSet,
    /// The routing rules before were put in force again.
    RoutesRollback,
    /// The routing rules of `vitrine.toml` were put in force again.
    RoutesReset,
    /// A backup was made.
    Backup,
    /// The host began to serve.
    Start,
    /// The host ended as it should.
    Stop,
}

impl AuditAction {
    /// The word in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Promote => "promote",
            Self::Rollback => "rollback",
            Self::Remove => "remove",
            Self::Restore => "restore",
            Self::Purge => "purge",
            Self::CachePurge => "cache_purge",
            Self::Scale => "scale",
            Self::EnvSet => "env_set",
            Self::EnvUnset => "env_unset",
            Self::EnvGrant => "env_grant",
            Self::EnvRevoke => "env_revoke",
            Self::MarkBad => "mark_bad",
            Self::UnmarkBad => "unmark_bad",
            Self::TokenCreate => "token_create",
            Self::TokenRevoke => "token_revoke",
            Self::KeyRotate => "key_rotate",
            Self::KeyForget => "key_forget",
            Self::RoutesSet => "routes_set",
            Self::RoutesRollback => "routes_rollback",
            Self::RoutesReset => "routes_reset",
            Self::Backup => "backup",
            Self::Start => "start",
            Self::Stop => "stop",
        }
    }
}

/// How far it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditResult {
    /// Begun; another record says how it ended.
    Begun,
    /// Done.
    Done,
    /// Taken back before it was acknowledged.
    Undone,
    /// Refused or failed; nothing has changed.
    Refused,
}

impl AuditResult {
    /// The word in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Undone => "undone",
            Self::Refused => "refused",
        }
    }
}

/// What is to be recorded; who, when and the place in the chain come with the recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub what: AuditAction,
    /// Of which app.
    pub app: Option<AppName>,
    /// Of which version.
    pub version: Option<Version>,
    /// What else is to be known; never a value of an environment.
    pub detail: Option<String>,
    /// How far it came.
    pub came: AuditResult,
}

impl Event {
    /// Something about no app.
    #[must_use]
    pub const fn of_host(what: AuditAction, detail: Option<String>, came: AuditResult) -> Self {
        Self { what, app: None, version: None, detail, came }
    }
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditRecord {
    /// Its place: 1, 2, 3… This is the order, whatever the clock said.
    pub seq: u64,
    /// When, in milliseconds since the Unix epoch, by the host's clock.
    pub at_ms: u64,
    /// `root`, `token:NAME`, or `host` for what the host did by itself.
    pub who: String,
    /// What.
    pub what: String,
    /// App.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// More.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// `begun`, `done`, `undone` or `refused`.
    pub result: String,
    /// SHA-256 over the record before and all fields above.
    pub hash: String,
}

/// Place and hash of a record: the end of a log, or what somebody noted of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditHead {
    /// Place; 0 of an empty log.
    pub seq: u64,
    /// Hash.
    pub hash: String,
}

impl AuditHead {
    /// The end of a log without records.
    #[must_use]
    pub fn empty() -> Self {
        Self { seq: 0, hash: "0".repeat(64) }
    }
}

impl std::fmt::Display for AuditHead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

impl std::str::FromStr for AuditHead {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once(':').and_then(|(seq, hash)| {
            let digits = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
            Some(Self { seq: seq.parse().ok()?, hash: digits.then(|| hash.to_owned())? })
        });
        parsed.ok_or_else(|| format!("`{text}` is not NUMBER:HASH, as `vitrine audit verify` prints it"))
    }
}

impl AuditRecord {
    /// What its hash has to be after the record before it.
    #[must_use]
    pub fn expected_hash(&self, before: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(before.as_bytes());
        hash.update(self.seq.to_le_bytes());
        hash.update(self.at_ms.to_le_bytes());
        let fields = [
            Some(&self.who),
            Some(&self.what),
            self.app.as_ref(),
            self.version.as_ref(),
            self.detail.as_ref(),
            Some(&self.result),
        ];
        // With their lengths, so that no text can move from one field into the next.
        for field in fields {
            hash.update([u8::from(field.is_some())]);
            let text = field.map_or("", String::as_str);
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        hex::encode(hash.finalize())
    }

    /// Its place and hash.
    #[must_use]
    pub fn head(&self) -> AuditHead {
        AuditHead { seq: self.seq, hash: self.hash.clone() }
    }
}

/// Where a log is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A record is not there, or others lie in its place.
    #[error("record {0} is missing")]
    Missing(u64),
    /// A record, or its place, was changed.
    #[error("record {0} was changed, or is not where it was written")]
    Changed(u64),
    /// There are records behind the end that was noted, or another one in its place.
    #[error("record {0} does not fit the noted end of the log")]
    End(u64),
}

/// Goes through a log from its beginning, piece by piece.
#[derive(Debug)]
pub struct Verifier {
    last: AuditHead,
    noted: Option<AuditHead>,
}

impl Verifier {
    /// At the beginning. `noted` is a record that somebody kept elsewhere, if there is one.
    #[must_use]
    pub fn new(noted: Option<AuditHead>) -> Self {
        Self { last: AuditHead::empty(), noted }
    }

    /// Where it has come to.
    #[must_use]
    pub const fn last(&self) -> &AuditHead {
        &self.last
    }

    /// Takes the next records.
    ///
    /// # Errors
    /// The first that does not follow.
    pub fn take(&mut self, records: &[AuditRecord]) -> Result<(), Broken> {
        for record in records {
            let seq = self.last.seq + 1;
            if record.seq > seq {
                return Err(Broken::Missing(seq));
            }
            if record.seq < seq || record.hash != record.expected_hash(&self.last.hash) {
                return Err(Broken::Changed(seq));
            }
            if self.noted.as_ref().is_some_and(|noted| noted.seq == seq && noted.hash != record.hash) {
                return Err(Broken::Changed(seq));
            }
            self.last = record.head();
        }
        Ok(())
    }

    /// Compares with the end that the store has.
    ///
    /// # Errors
    /// Records that are missing at the end, or too many.
    pub fn finish(&self, end: &AuditHead) -> Result<(), Broken> {
        if self.last.seq < end.seq {
            return Err(Broken::Missing(self.last.seq + 1));
        }
        if self.last != *end {
            return Err(Broken::End(self.last.seq));
        }
        match &self.noted {
            Some(noted) if noted.seq > self.last.seq => Err(Broken::Missing(self.last.seq + 1)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
