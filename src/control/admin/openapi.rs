//! The description of the admin side, made from its handlers.

use utoipa::openapi::OpenApi;
use utoipa::openapi::info::InfoBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};

/// Adds what no handler says: title, version and how to authenticate.
#[must_use]
pub(super) fn describe(mut api: OpenApi) -> OpenApi {
    api.info = InfoBuilder::new()
        .title("Vitrine admin API")
        .version("1")
        .description(Some(
            "Releases of apps on one host. The role of each operation is what its token must allow on the app of the \
             path, or on every app where the path has none; `any` is every token, `root` the host's own alone. Errors are problem+json (RFC 9457). PUT and POST honour \
             `Idempotency-Key`: the same request with the same key is carried out once and gets the same answer.",
        ))
        .build();
    let bearer =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The host's token")).build();
    let components = api.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    api.security = Some(vec![SecurityRequirement::new("token", [""; 0])]);
    api
}
