//! Why an operation on releases was refused or failed.

use super::capacity::Missing;
use super::diagnosis::Diagnosis;
use super::routing::RoutingError;
use vitrine_bundle::SignatureError;
use vitrine_core::id::{AppName, Digest, ReleaseId, Version};
use vitrine_core::telemetry::error_chain;
use vitrine_core::telemetry::log_store::Busy;
use vitrine_store::StoreError;

/// Why an operation on releases was refused or failed. Nothing live has changed when one of these is given.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The app is unknown.
    #[error("there is no app `{0}`")]
    NoApp(AppName),
    /// The app was removed and is kept.
    #[error("`{app}` was removed; `vitrine restore {app}` brings it back, until {until}")]
    Removed {
        /// Which.
        app: AppName,
        /// Until when, as people write it.
        until: String,
    },
    /// The app has values and no release yet, or none any more.
    #[error(
        "`{0}` has no release; `vitrine deploy {0} DIR` makes one, `vitrine env list {0}` shows values set for it"
    )]
    NoReleases(AppName),
    /// The release is unknown.
    #[error("there is no release `{0}`")]
    NoRelease(ReleaseId),
    /// The version exists with other content.
    #[error("`{release}` exists with other content ({existing}); pick another version")]
    OtherContent {
        /// Which.
        release: ReleaseId,
        /// Digest that it has.
        existing: Digest,
    },
    /// Users had this name with other content, and the sender may not decide what users get.
    #[error(
        "users had `{0}` with other content, or it is in use; deploy this under another version, or with a token that allows `promote`"
    )]
    Reused(ReleaseId),
    /// The host label belongs to another app or release.
    #[error("the host name label `{label}` is taken by {by}")]
    LabelTaken {
        /// Label.
        label: String,
        /// Its owner.
        by: String,
    },
    /// The state does not allow it (remove of a live release, `--from` that is not live, nothing to roll back to).
    #[error("{0}")]
    Refused(String),
    /// A deploy that began later went live.
    #[error("the deploy of `{release}` is superseded: that of `{by}` began later and went live")]
    Superseded {
        /// What it would have made live.
        release: ReleaseId,
        /// What went live.
        by: Version,
    },
    /// The cache can't be purged of that.
    #[error("{0}")]
    Purge(String),
    /// A quota is used up; says which, and the setting that it comes from.
    #[error("{0}")]
    Quota(String),
    /// The host has no capacity for one more worker of the release.
    #[error("there is no room for a worker of `{release}`: {missing}")]
    NoCapacity {
        /// Which.
        release: ReleaseId,
        /// What there is too little of.
        missing: Missing,
    },
    /// The bundle can't be served; its log says why.
    #[error("`{release}` can't be served: {reason}")]
    Unservable {
        /// Which.
        release: ReleaseId,
        /// First cause.
        reason: String,
        /// Last lines of its worker.
        log: Vec<String>,
        /// What else the host knows.
        diagnosis: Box<Diagnosis>,
    },
    /// No permitted key has signed the bundle.
    #[error("`{release}` is not taken in: {reason}")]
    Unsigned {
        /// Which.
        release: ReleaseId,
        /// Why.
        reason: SignatureError,
    },
    /// The engine could not start the worker.
    #[error("the worker of `{release}` could not be started")]
    Engine {
        /// Which.
        release: ReleaseId,
        /// Cause.
        #[source]
        source: vitrine_engine::EngineError,
    },
    /// Too many workers are being started. Nothing was tried.
    #[error(
        "`{release}` could not be started yet, because too many workers are being started; try again in {retry_after_s} s"
    )]
    Queued {
        /// Which.
        release: ReleaseId,
        /// When it is worth trying again, in seconds.
        retry_after_s: u64,
    },
    /// The engine does not answer. Nothing was tried.
    #[error("workers of `{release}` can't be started or stopped now; what runs goes on")]
    EngineAway {
        /// Which.
        release: ReleaseId,
        /// Cause.
        #[source]
        source: vitrine_engine::EngineError,
    },
    /// Too many callers read logs.
    #[error(transparent)]
    LogBusy(#[from] Busy),
    /// Routing rules can't be used.
    #[error(transparent)]
    Routing(#[from] RoutingError),
    /// A store operation failed.
    #[error("{operation} failed")]
    Store {
        /// The operation that failed.
        operation: &'static str,
        /// Cause.
        #[source]
        source: Box<StoreError>,
    },
}

impl ReleaseError {
    /// Whether the release that it is about is not recorded any more.
    pub(super) fn is_no_release(&self) -> bool {
        let unrecorded = |source: &StoreError| matches!(source, StoreError::NoRelease(_));
        matches!(self, Self::NoRelease(_)) || matches!(self, Self::Store { source, .. } if unrecorded(source))
    }

    /// What whoever may look at the app is told: without what the app wrote, which may hold a secret.
    pub(super) fn for_everybody(&self) -> String {
        match self {
            Self::Unservable { release, .. } => format!("`{release}` can't be served; its log says why"),
            other => error_chain(other),
        }
    }

    /// For `map_err` on a store call.
    pub(super) fn store(operation: &'static str) -> impl FnOnce(StoreError) -> Self {
        move |source| Self::Store { operation, source: Box::new(source) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_app_wrote_is_not_for_everybody() {
        let (release, reason) = ("shop@v1".parse().unwrap(), "Error: the key hush is wrong".into());
        let failed = ReleaseError::Unservable { release, reason, log: Vec::new(), diagnosis: Box::default() };
        assert!(error_chain(&failed).contains("hush"));
        assert!(failed.for_everybody().contains("shop@v1") && !failed.for_everybody().contains("hush"));
        assert_eq!(ReleaseError::Refused("it is live".into()).for_everybody(), "it is live");
    }
}

/// Why a sleeping release did not wake.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WakeError {
    /// Too many are waiting, or it was not up in the time that a request is held.
    #[error("too many releases are waking")]
    Busy {
        /// When it is worth trying again, in seconds.
        retry_after_s: u64,
    },
    /// Its boot failed.
    #[error("the release could not be started: {0}")]
    Failed(String),
}
