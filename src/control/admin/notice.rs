//! What an operator is told beside an answer, in a header: the command line shows it on stderr.

use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};

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

    /// Puts each on an answer.
    pub(super) fn beside(notices: Vec<Self>, answer: impl IntoResponse) -> Response {
        let mut response = answer.into_response();
        for Self(notice) in notices {
            response.headers_mut().append(NOTICE_HEADER, notice);
        }
        response
    }
}
