//! What an operator is told beside an answer, in a header: the command line shows it on stderr.

use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use std::convert::Infallible;

/// Carries a notice.
pub const NOTICE_HEADER: HeaderName = HeaderName::from_static("x-vitrine-notice");

/// On answers about what runs here, when workers run as processes because containers could not be used.
pub(super) const FELL_BACK: &str = "workers of this host run as processes, not in containers: Docker could not be used at its first start \
     (isolation = \"auto\"); `vitrine doctor` says why, and `vitrine serve --isolation container` tries again";

/// A sentence beside an answer.
#[derive(Debug, Clone)]
pub(super) struct Notice(HeaderValue);

impl Notice {
    /// Of a text without characters that a header can't have; there is none of another.
    #[must_use]
    pub(super) fn of(text: &str) -> Option<Self> {
        HeaderValue::from_str(text).ok().map(Self)
    }

    /// Puts it, if there is one, on an answer.
    pub(super) fn beside(notice: Option<Self>, answer: impl IntoResponse) -> Response {
        match notice {
            None => answer.into_response(),
            Some(notice) => (notice, answer).into_response(),
        }
    }
}

impl IntoResponseParts for Notice {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        parts.headers_mut().insert(NOTICE_HEADER, self.0);
        Ok(parts)
    }
}
