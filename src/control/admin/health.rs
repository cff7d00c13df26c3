//! What machines ask: health and metrics. The machine itself asks about the health without a token, networks that the operator lists
//! ask about both. None of it changes anything.

use crate::admin::state::AdminState;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use vitrine_core::telemetry::Metrics;

/// Whether the host can serve.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub(super) struct ReadyBody {
    /// Whether it can.
    pub ready: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The process is up.
#[utoipa::path(get, path = "/healthz", responses((status = 200)))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The host can serve.
#[utoipa::path(
    get,
    path = "/readyz",
    responses((status = 200, body = ReadyBody), (status = 503, body = ReadyBody))
)]
pub(super) async fn readyz(State(state): State<AdminState>) -> (StatusCode, Json<ReadyBody>) {
    match (state.ready)() {
        Ok(()) => (StatusCode::OK, Json(ReadyBody { ready: true, reason: None })),
        Err(reason) => {
            (StatusCode::SERVICE_UNAVAILABLE, Json(ReadyBody { ready: false, reason: Some(reason) }))
        }
    }
}

/// Figures for Prometheus, about every app. Networks that the operator lists read them without a token.
#[utoipa::path(
    get,
    path = "/metrics",
    responses((status = 200, content_type = "text/plain"))
)]
pub(super) async fn metrics(State(state): State<AdminState>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, Metrics::CONTENT_TYPE)], (state.metrics)())
}
