//! Releases: what may happen to them, and making it happen.

use crate::bundle::BundleDir;
use crate::id::{AppName, Digest, ReleaseId, Version};
use crate::pool::Pool;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// What became of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Its worker is being started.
    Booting,
    /// It has a worker and is not live.
    Standby,
    /// Users get it.
    Live,
    /// It left the table's live place and finishes its requests.
    Draining,
    /// Retained without a worker; a request wakes it.
    Sleeping,
}

/// A release as the admin side shows it.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReleaseView {
    /// App.
    pub app: String,
    /// Version.
    pub version: String,
    /// Bundle digest.
    pub digest: String,
    /// Configuration revision.
    pub config_revision: u64,
    /// See [`Phase`].
    pub phase: Phase,
    /// Its own URL.
    pub url: String,
    /// Preview name, if it is one.
    pub preview: Option<String>,
    /// When a preview ends, in milliseconds since the Unix epoch.
    pub expires_ms: Option<u64>,
    /// When it was uploaded, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When it was last made live, in milliseconds since the Unix epoch.
    pub promoted_ms: Option<u64>,
    /// Whether it was rolled back from.
    pub rolled_back: bool,
    /// Requests in flight.
    pub in_flight: usize,
    /// Worker that serves it.
    pub instance: Option<String>,
    /// Limits in force.
    #[schema(value_type = Object)]
    pub limits: vitrine_wire::WorkerLimits,
}

/// An app as the admin side shows it.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AppView {
    /// App.
    pub app: String,
    /// Its URL.
    pub url: String,
    /// Live version.
    pub live: Option<String>,
    /// Retained releases, newest first.
    pub releases: Vec<ReleaseView>,
}

/// A name of an app's environment. Values are never shown, not even those that are no secrets to be listed as such.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EnvView {
    /// Name.
    pub name: String,
    /// Whether it is a secret.
    pub secret: bool,
    /// The value, unless it is a secret.
    pub value: Option<String>,
    /// When it was set, in milliseconds since the Unix epoch.
    pub updated_ms: u64,
}

/// How a bundle is to be taken in.
#[derive(Debug, Clone)]
pub struct UploadOptions {
    /// Make it a preview of this name.
    pub preview: Option<Version>,
    /// How long a preview lives.
    pub ttl: Option<Duration>,
    /// Time until ready.
    pub boot_deadline: Duration,
}

/// What an upload did.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Uploaded {
    /// Whether it is new (201) or was there with the same content (200).
    pub created: bool,
    /// The release.
    pub release: ReleaseView,
}

/// What a switch did.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Switched {
    /// App.
    pub app: String,
    /// Version that is live now.
    pub version: String,
    /// Version that was live before.
    pub previous: Option<String>,
    /// Epoch of the table that says so.
    pub epoch: u64,
    /// Its URL.
    pub url: String,
}

/// Why an operation on releases was refused or failed. Nothing live has changed when one of these is given.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// 404.
    #[error("there is no app `{0}`")]
    NoApp(AppName),
    /// 404.
    #[error("there is no release `{0}`")]
    NoRelease(ReleaseId),
    /// 409: same version, other content.
    #[error("`{release}` exists with other content ({existing}); pick another version")]
    OtherContent {
        /// Which.
        release: ReleaseId,
        /// Digest that it has.
        existing: Digest,
    },
    /// 409: the host label is taken.
    #[error("the host name label `{label}` is taken by {by}")]
    LabelTaken {
        /// Label.
        label: String,
        /// Who has it.
        by: String,
    },
    /// 409: the state does not allow it (remove of a live release, `--from` that is not live, nothing to roll back to).
    #[error("{0}")]
    Refused(String),
    /// 422: the bundle can't be served; its log says why.
    #[error("`{release}` can't be served: {reason}")]
    Unservable {
        /// Which.
        release: ReleaseId,
        /// First cause.
        reason: String,
        /// Last lines of its worker.
        log: Vec<String>,
    },
    /// 503: the engine.
    #[error("the worker of `{release}` could not be started")]
    Engine {
        /// Which.
        release: ReleaseId,
        /// Cause.
        #[source]
        source: crate::container::EngineError,
    },
    /// 503 or 507: the store.
    #[error("{operation} could not be recorded")]
    Store {
        /// What was being done.
        operation: &'static str,
        /// Cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why a sleeping release did not wake.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WakeError {
    /// Too many are waiting or waking.
    #[error("too many releases are waking")]
    Busy,
    /// Its boot failed.
    #[error("the release could not be started: {0}")]
    Failed(String),
}

/// The control plane's one door: the admin side calls it, the edge only wakes.
#[derive(Debug, Clone)]
pub struct Releases;

impl Releases {
    /// Takes a checked bundle in: stores it, boots its worker, warms it. The staging folder is consumed.
    ///
    /// # Errors
    /// See [`ReleaseError`]; nothing is stored then and the version stays free.
    pub async fn upload(
        &self,
        _app: AppName,
        _version: Option<Version>,
        _staged: BundleDir,
        _options: UploadOptions,
    ) -> Result<Uploaded, ReleaseError> {
        todo!()
    }

    /// Makes a release live; boots it first if it sleeps. Returns once persisted and swapped.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn promote(
        &self,
        _release: ReleaseId,
        _boot_deadline: Duration,
    ) -> Result<Switched, ReleaseError> {
        todo!()
    }

    /// Makes an earlier release live: `to`, or the newest earlier live one that was not itself rolled back from.
    ///
    /// # Errors
    /// See [`ReleaseError`]; `from` that is not live is refused.
    pub async fn rollback(
        &self,
        _app: AppName,
        _to: Option<Version>,
        _from: Option<Version>,
    ) -> Result<Switched, ReleaseError> {
        todo!()
    }

    /// Removes one release that is not live, or the whole app.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn remove(&self, _app: AppName, _version: Option<Version>) -> Result<(), ReleaseError> {
        todo!()
    }

    /// Sets (or, with `None`, unsets) a value. When a release is live, a new release of the same bundle with the new
    /// values is booted and made live; gives that switch.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn set_env(
        &self,
        _app: AppName,
        _name: String,
        _value: Option<String>,
        _secret: bool,
    ) -> Result<Option<Switched>, ReleaseError> {
        todo!()
    }

    /// Names (and plain values) of an app's environment.
    ///
    /// # Errors
    /// [`ReleaseError::NoApp`].
    pub fn env(&self, _app: &AppName) -> Result<Vec<EnvView>, ReleaseError> {
        todo!()
    }

    /// Every app.
    #[must_use]
    pub fn apps(&self) -> Vec<AppView> {
        todo!()
    }

    /// One app.
    ///
    /// # Errors
    /// [`ReleaseError::NoApp`].
    pub fn app(&self, _app: &AppName) -> Result<AppView, ReleaseError> {
        todo!()
    }

    /// Starts the worker of a sleeping release and waits until it serves. Coalesced and bounded.
    ///
    /// # Errors
    /// See [`WakeError`].
    pub async fn wake(&self, _release: &ReleaseId) -> Result<Arc<Pool>, WakeError> {
        todo!()
    }

    /// Recent log lines of an app or release, and those to come.
    ///
    /// # Errors
    /// [`ReleaseError::NoApp`].
    pub fn logs(
        &self,
        _app: &AppName,
        _version: Option<&Version>,
        _since_ms: u64,
    ) -> Result<
        (Vec<crate::worker::WorkerLog>, tokio::sync::broadcast::Receiver<crate::worker::WorkerLog>),
        ReleaseError,
    > {
        todo!()
    }
}
