//! The one shape of an error on the admin side: `application/problem+json` (RFC 9457).

use crate::release::{Diagnosis, ReleaseError, RoutingError};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use vitrine_bundle::BundleError;
use vitrine_core::id::ReleaseId;
use vitrine_core::telemetry::error_chain;
use vitrine_store::StoreError;

/// What kind of error it is; a closed list, and the last part of a problem's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request can't be understood.
    BadRequest,
    /// No token, or not the right one.
    Unauthorized,
    /// Too many wrong tokens, this one among them.
    TooManyWrong,
    /// The token is good, and not for this.
    Forbidden,
    /// No such path.
    NoPath,
    /// No such app.
    NoApp,
    /// No such release.
    NoRelease,
    /// No such deployment.
    NoDeployment,
    /// No such token.
    NoToken,
    /// The path is there, the method is not.
    MethodNotAllowed,
    /// The body came too slowly.
    Timeout,
    /// The state of releases does not allow it.
    Refused,
    /// The version exists with other content.
    OtherContent,
    /// The host name is taken.
    LabelTaken,
    /// A quota is used up.
    Quota,
    /// The host has no room for one more worker.
    NoCapacity,
    /// The same `Idempotency-Key` is being worked on.
    KeyInUse,
    /// The body is above its bound.
    TooLarge,
    /// The body or a parameter has a value or field that can't be used.
    Invalid,
    /// The bundle is refused before it runs.
    BundleRefused,
    /// The bundle's signature is missing, wrong or old.
    SignatureRefused,
    /// The bundle does not run.
    Unservable,
    /// The `Idempotency-Key` came with another request before.
    KeyReused,
    /// The host is at fault.
    Internal,
    /// Whatever runs workers does not work.
    EngineUnavailable,
    /// State can't be recorded.
    StoreUnavailable,
    /// Too much at once.
    Busy,
    /// No room on the disk.
    DiskFull,
}

impl Kind {
    /// Its name in `type`, its status and its title.
    const fn facts(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::BadRequest => ("bad_request", StatusCode::BAD_REQUEST, "The request can't be understood"),
            Self::Unauthorized => ("unauthorized", StatusCode::UNAUTHORIZED, "A valid token is needed"),
            Self::TooManyWrong => {
                ("too_many_wrong_tokens", StatusCode::TOO_MANY_REQUESTS, "Too many wrong tokens")
            }
            Self::Forbidden => ("forbidden", StatusCode::FORBIDDEN, "The token does not allow this"),
            Self::NoPath => ("no_path", StatusCode::NOT_FOUND, "There is no such path"),
            Self::NoApp => ("no_app", StatusCode::NOT_FOUND, "There is no such app"),
            Self::NoRelease => ("no_release", StatusCode::NOT_FOUND, "There is no such release"),
            Self::NoDeployment => ("no_deployment", StatusCode::NOT_FOUND, "There is no such deployment"),
            Self::NoToken => ("no_token", StatusCode::NOT_FOUND, "There is no such token"),
            Self::MethodNotAllowed => {
                ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, "The path has no such method")
            }
            Self::Timeout => ("timeout", StatusCode::REQUEST_TIMEOUT, "The body came too slowly"),
            Self::Refused => ("refused", StatusCode::CONFLICT, "The state of releases does not allow it"),
            Self::OtherContent => {
                ("other_content", StatusCode::CONFLICT, "The version exists with other content")
            }
            Self::LabelTaken => ("label_taken", StatusCode::CONFLICT, "The host name is taken"),
            Self::NoCapacity => ("no_capacity", StatusCode::CONFLICT, "The host has no room for it"),
            Self::Quota => ("quota", StatusCode::CONFLICT, "A quota is used up"),
            Self::KeyInUse => ("key_in_use", StatusCode::CONFLICT, "The same request is being worked on"),
            Self::TooLarge => ("too_large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::Invalid => ("invalid", StatusCode::UNPROCESSABLE_ENTITY, "A value can't be used"),
            Self::BundleRefused => {
                ("bundle_refused", StatusCode::UNPROCESSABLE_ENTITY, "The bundle is refused")
            }
            Self::SignatureRefused => {
                ("signature_refused", StatusCode::UNPROCESSABLE_ENTITY, "The signature is refused")
            }
            Self::Unservable => {
                ("unservable", StatusCode::UNPROCESSABLE_ENTITY, "The release can't be served")
            }
            Self::KeyReused => {
                ("key_reused", StatusCode::UNPROCESSABLE_ENTITY, "The key belongs to another request")
            }
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "The host is at fault"),
            Self::EngineUnavailable => {
                ("engine_unavailable", StatusCode::SERVICE_UNAVAILABLE, "Workers can't be started now")
            }
            Self::StoreUnavailable => {
                ("store_unavailable", StatusCode::SERVICE_UNAVAILABLE, "State can't be recorded now")
            }
            Self::Busy => ("busy", StatusCode::SERVICE_UNAVAILABLE, "Too much at once"),
            Self::DiskFull => ("disk_full", StatusCode::INSUFFICIENT_STORAGE, "The disk is full"),
        }
    }

    /// Its name in `type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.facts().0
    }

    /// Its status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.facts().1
    }
}

/// An error on its way to a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// See [`Kind`].
    pub kind: Kind,
    /// What went wrong here and what to do about it.
    pub detail: String,
    /// The worker's last log lines, if a release did not come up.
    pub log: Vec<String>,
    /// What the host knows about a release that did not come up.
    pub diagnosis: Option<Box<Diagnosis>>,
}

/// A [`Problem`] as it is sent.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `urn:vitrine:problem:` and a name that does not change.
    pub r#type: String,
    /// The same for every problem of this type.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What went wrong here and what to do about it.
    pub detail: String,
    /// The request, as the host's log names it.
    pub request_id: String,
    /// The worker's last log lines, if a release did not come up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// What the host knows about a release that did not come up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Box<Diagnosis>>,
}

/// What every problem's `type` starts with.
pub const TYPE_PREFIX: &str = "urn:vitrine:problem:";

impl Problem {
    /// A problem without log lines.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), log: Vec::new(), diagnosis: None }
    }

    /// The problem as it is sent, about this request.
    #[must_use]
    pub fn body(&self, request_id: &str) -> ProblemBody {
        let (name, status, title) = self.kind.facts();
        ProblemBody {
            r#type: format!("{TYPE_PREFIX}{name}"),
            title: title.into(),
            status: status.as_u16(),
            detail: self.detail.clone(),
            request_id: request_id.into(),
            log: self.log.clone(),
            diagnosis: self.diagnosis.clone(),
        }
    }

    /// The problem as the answer to this request.
    #[must_use]
    pub fn render(&self, request_id: &str) -> Response {
        let status = self.kind.status();
        let mut response = (status, axum::Json(self.body(request_id))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"vitrine\""));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

impl IntoResponse for Problem {
    /// Only the status and the problem itself: the outermost layer, which knows the request id, renders it.
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

fn store_kind(error: &StoreError) -> Kind {
    match error {
        _ if error.is_disk_full() => Kind::DiskFull,
        // Another caller was faster.
        StoreError::NoRelease(_) => Kind::NoRelease,
        StoreError::Exists(_) | StoreError::Live(_) | StoreError::Removed(_) => Kind::Refused,
        StoreError::TokenExists(_) | StoreError::TooManyTokens(_) | StoreError::Key(_) => Kind::Refused,
        StoreError::NothingToGrant { .. } | StoreError::OwnValue { .. } | StoreError::GrantedValue { .. } => {
            Kind::Refused
        }
        StoreError::EnvTooLarge { .. } => Kind::Invalid,
        _ => Kind::StoreUnavailable,
    }
}

impl From<ReleaseError> for Problem {
    /// As any caller may know it.
    fn from(error: ReleaseError) -> Self {
        Self::of_release(error, false)
    }
}

impl Problem {
    /// What went wrong with a release; only the host's own token is told which private addresses its app asked for.
    #[must_use]
    pub(super) fn of_release(error: ReleaseError, is_root: bool) -> Self {
        let kind = match &error {
            ReleaseError::NoApp(_) | ReleaseError::Removed { .. } => Kind::NoApp,
            ReleaseError::NoReleases(_) | ReleaseError::NoRelease(_) => Kind::NoRelease,
            ReleaseError::OtherContent { .. } | ReleaseError::Reused(_) => Kind::OtherContent,
            ReleaseError::LabelTaken { .. } => Kind::LabelTaken,
            ReleaseError::Quota(_) => Kind::Quota,
            ReleaseError::NoCapacity { .. } => Kind::NoCapacity,
            ReleaseError::Refused(_) | ReleaseError::Superseded { .. } => Kind::Refused,
            ReleaseError::Unsigned { .. } => Kind::SignatureRefused,
            ReleaseError::Unservable { .. } => Kind::Unservable,
            ReleaseError::Queued { .. } | ReleaseError::LogBusy(_) => Kind::Busy,
            ReleaseError::Engine { .. } | ReleaseError::EngineAway { .. } => Kind::EngineUnavailable,
            ReleaseError::Routing(RoutingError::NothingToUndo | RoutingError::Forgotten) => Kind::Refused,
            ReleaseError::Purge(_)
            | ReleaseError::Routing(
                RoutingError::Parse(_) | RoutingError::Compile(_) | RoutingError::BadUrl(_),
            ) => Kind::Invalid,
            ReleaseError::Store { source, .. } => store_kind(source),
        };
        let mut detail = error_chain(&error);
        if let ReleaseError::Superseded { release: ReleaseId { app, version }, .. } = &error {
            detail.push_str(&format!("; `vitrine promote {app} {version}` makes it live all the same"));
        }
        let ReleaseError::Unservable { log, mut diagnosis, .. } = error else {
            return Self::new(kind, detail);
        };
        if !is_root {
            diagnosis.egress_denied.iter_mut().for_each(|denied| *denied = denied.without_address());
        }
        Self { kind, detail, log, diagnosis: Some(diagnosis) }
    }
}

impl From<BundleError> for Problem {
    fn from(error: BundleError) -> Self {
        let kind = match &error {
            BundleError::ArchiveTooLarge { .. } => Kind::TooLarge,
            _ if error.is_disk_full() => Kind::DiskFull,
            _ if error.is_host_fault() => Kind::Internal,
            _ => Kind::BundleRefused,
        };
        Self::new(kind, error_chain(&error))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::new(store_kind(&error), error_chain(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    async fn body(problem: Problem) -> ProblemBody {
        let response = problem.render("r-1");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
    }

    #[tokio::test]
    async fn a_release_that_does_not_run_keeps_its_log() {
        let error = ReleaseError::Unservable {
            release: "shop@v1".parse().unwrap(),
            reason: "SyntaxError".into(),
            log: vec!["line 3".into()],
            diagnosis: Box::default(),
        };
        let body = body(error.into()).await;
        assert_eq!((body.status, body.log, body.request_id), (422, vec!["line 3".into()], "r-1".into()));
        assert_eq!(body.r#type, "urn:vitrine:problem:unservable");
        assert!(body.detail.contains("shop@v1") && body.detail.contains("SyntaxError"), "{}", body.detail);
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        let cause = || std::io::Error::from(std::io::ErrorKind::StorageFull);
        let full = StoreError::DiskFull { operation: "writing", path: "x".into(), source: Box::new(cause()) };
        assert_eq!(Problem::from(full).kind, Kind::DiskFull);
        let source = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let other = StoreError::Io { operation: "writing", path: "x".into(), source };
        assert_eq!(Problem::from(other).kind, Kind::StoreUnavailable);
        let bundle = BundleError::Io { operation: "write", path: "x".into(), source: cause() };
        assert_eq!(Problem::from(bundle).kind, Kind::DiskFull);
    }

    #[test]
    fn a_bundle_at_fault_and_a_host_at_fault_differ() {
        let bundle = BundleError::ParentPath { path: "../x".into() };
        assert_eq!(Problem::from(bundle).kind, Kind::BundleRefused);
        let host = BundleError::Io {
            operation: "writing",
            path: "x".into(),
            source: std::io::ErrorKind::PermissionDenied.into(),
        };
        assert_eq!(Problem::from(host).kind, Kind::Internal);
        assert_eq!(Problem::from(BundleError::ArchiveTooLarge { max_bytes: 1 }).kind, Kind::TooLarge);
    }
}
