//! Parts of a request, parsed; whatever does not parse is a [`Problem`].

use crate::admin::access::Caller;
use crate::admin::problem::{Kind, Problem};
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::time::Duration;
use vitrine_core::id::Digest;
use vitrine_core::limits::{BODY_STALL_MS, IDEMPOTENCY_KEY_BYTES_MAX};

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        // Only what needs no caller can be reached without a token.
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Problem::new(Kind::Unauthorized, "this needs a token"))
    }
}

/// Names in the path.
#[derive(Debug)]
pub(super) struct Segments<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Segments<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(segments)) => Ok(Self(segments)),
            Err(PathRejection::FailedToDeserializePathParams(error)) => {
                Err(Problem::new(Kind::BadRequest, error.body_text()))
            }
            Err(other) => Err(Problem::new(Kind::Internal, other.body_text())),
        }
    }
}

/// The query string. `T` denies unknown fields, so a misspelt parameter is named and not ignored.
#[derive(Debug)]
pub(super) struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parsed = Query::from_request_parts(parts, state).await;
        let Query(params) =
            parsed.map_err(|error: QueryRejection| Problem::new(Kind::BadRequest, error.body_text()))?;
        Ok(Self(params))
    }
}

/// The `Idempotency-Key` of a request.
///
/// # Errors
/// It is empty, too long or not visible ASCII.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let usable = value.to_str().ok().filter(|key| (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len()));
    usable.map(|key| Some(key.to_owned())).ok_or_else(|| {
        let text =
            format!("Idempotency-Key must be 1 to {IDEMPOTENCY_KEY_BYTES_MAX} visible ASCII characters");
        Problem::new(Kind::BadRequest, text)
    })
}

/// A request that changes something: its body and what tells two such requests apart.
#[derive(Debug)]
pub(super) struct Call {
    /// See [`idempotency_key`].
    pub key: Option<String>,
    /// Digest of method, target and body.
    pub digest: Digest,
    body: Bytes,
}

impl Call {
    /// The body as text.
    ///
    /// # Errors
    /// It is no UTF-8.
    pub(super) fn text(&self) -> Result<String, Problem> {
        let text = std::str::from_utf8(&self.body);
        text.map(str::to_owned).map_err(|_| Problem::new(Kind::BadRequest, "the body is no UTF-8 text"))
    }

    /// The body as JSON. An empty body is an empty object, so that a call without arguments needs none.
    ///
    /// # Errors
    /// No JSON is [`Kind::BadRequest`]; JSON of another shape [`Kind::Invalid`], which names the field.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body).map_err(|error| {
            let kind = if error.is_data() { Kind::Invalid } else { Kind::BadRequest };
            Problem::new(kind, format!("the body is not as expected: {error}"))
        })
    }
}

impl<S: Send + Sync> FromRequest<S> for Call {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let key = idempotency_key(request.headers())?;
        let head = request_line(&request);
        let reading = Bytes::from_request(request, state);
        let body = tokio::time::timeout(Duration::from_millis(BODY_STALL_MS), reading)
            .await
            .map_err(|_| Problem::new(Kind::Timeout, format!("no whole body within {BODY_STALL_MS} ms")))?
            .map_err(|error: BytesRejection| {
                let large = error.status() == StatusCode::PAYLOAD_TOO_LARGE;
                Problem::new(if large { Kind::TooLarge } else { Kind::BadRequest }, error.body_text())
            })?;
        let mut whole = head.into_bytes();
        whole.extend_from_slice(&body);
        Ok(Self { key, digest: Digest::of(&whole), body })
    }
}

/// Method and target, as one line.
#[must_use]
pub(super) fn request_line(request: &Request) -> String {
    format!("{} {}\n", request.method(), request.uri())
}
