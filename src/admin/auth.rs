//! Who may call: whoever shows the token.

use crate::admin::Token;
use crate::admin::problem::{Kind, Problem};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;

/// Lets a request pass that shows the token as `Authorization: Bearer TOKEN`.
///
/// # Errors
/// [`Kind::Unauthorized`], which does not say how near the token was.
pub async fn require_token(
    State(token): State<Token>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    match bearer(request.headers()) {
        Some(shown) if token.matches(shown) => Ok(next.run(request).await),
        Some(_) => Err(Problem::new(
            Kind::Unauthorized,
            "the token is not this host's; it lies in the host's data folder, in admin.token",
        )),
        None => Err(Problem::new(
            Kind::Unauthorized,
            "send `Authorization: Bearer TOKEN`; the token lies in the host's data folder, in admin.token",
        )),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
