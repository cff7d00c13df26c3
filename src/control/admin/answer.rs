//! Answers of changes, in a form that is kept for a request that comes again.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Status and JSON body of an answer; a body that is empty is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
}

impl Answer {
    /// 200 with this.
    pub(super) fn ok(value: &impl Serialize) -> Self {
        Self::made(false, value)
    }

    /// 201 if something new was made, else 200.
    pub(super) fn made(is_new: bool, value: &impl Serialize) -> Self {
        let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
        let body = serde_json::to_vec(value).expect("views are plain structs: they always serialize");
        Self { status, body }
    }

    /// 204.
    pub(super) const fn empty() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: Vec::new() }
    }

    /// Whether something new was made.
    pub(super) fn is_created(&self) -> bool {
        self.status == StatusCode::CREATED
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        if self.body.is_empty() {
            return self.status.into_response();
        }
        let kind = HeaderValue::from_static("application/json");
        (self.status, [(header::CONTENT_TYPE, kind)], self.body).into_response()
    }
}
