//! Carries a change out once, whether or not its caller still waits.

use crate::admin::access::Caller;
use crate::admin::action::{Action, Outcome, dispatch};
use crate::admin::extract::Call;
use crate::admin::problem::{Kind, Problem};
use crate::admin::router::AdminState;
use crate::admin::tokens::TokenView;
use crate::admin::upload::Staged;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::oneshot;
use vitrine_core::audit::Event;
use vitrine_core::id::{Digest, ReleaseId};
use vitrine_core::scope::Actor;
use vitrine_store::{Begun, Store, StoreError};

/// What goes back to the caller, and what is kept for a request that comes again with the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

impl Answer {
    /// Whether something new was made.
    #[must_use]
    pub fn is_created(&self) -> bool {
        self.status == StatusCode::CREATED
    }

    fn json(status: StatusCode, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).expect("views are plain structs: they always serialize");
        Self { status, body }
    }
}

impl From<&Outcome> for Answer {
    fn from(outcome: &Outcome) -> Self {
        let ok = StatusCode::OK;
        match outcome {
            Outcome::Done => Self { status: StatusCode::NO_CONTENT, body: Vec::new() },
            Outcome::Apps(apps) => Self::json(ok, apps),
            Outcome::App(app) => Self::json(ok, app),
            Outcome::Release(release) => Self::json(ok, release),
            Outcome::Uploaded(uploaded) => {
                Self::json(if uploaded.created { StatusCode::CREATED } else { ok }, uploaded)
            }
            Outcome::Switched(switched) => Self::json(ok, switched),
            Outcome::EnvChanged(change) => Self::json(ok, change),
            Outcome::Env(env) => Self::json(ok, env),
            Outcome::KeyRotated(rotated) => Self::json(ok, rotated),
            Outcome::Audit(page) => Self::json(ok, page),
            Outcome::Tokens(tokens) => {
                Self::json(ok, &tokens.iter().cloned().map(TokenView::from).collect::<Vec<_>>())
            }
            Outcome::Token(token, created) => {
                Self::json(if *created { StatusCode::CREATED } else { ok }, &TokenView::from(token.clone()))
            }
        }
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

/// What a request that may come twice is known by.
#[derive(Debug, Clone)]
pub(super) struct IdempotencyKey {
    /// `Idempotency-Key`.
    pub key: String,
    /// Digest of the request.
    pub request: Digest,
}

impl IdempotencyKey {
    /// That of a call, if it came with a key.
    #[must_use]
    pub(super) fn of(call: Call) -> Option<Self> {
        Some(Self { key: call.key?, request: call.digest })
    }
}

/// Reads.
///
/// # Errors
/// See [`Problem`].
pub(super) async fn look_up(state: &AdminState, action: Action) -> Result<Answer, Problem> {
    Ok(Answer::from(&dispatch(state, action).await?))
}

/// Changes something. The change runs in a task of its own: a caller that goes away does not stop it half way. An
/// upload whose caller is gone is undone, unless its key says that the caller may ask again. `staged` lives
/// as long as the action.
///
/// # Errors
/// See [`Problem`]; nothing has changed then.
pub(super) async fn perform(
    state: AdminState,
    once: Option<IdempotencyKey>,
    action: Action,
    staged: Option<Staged>,
) -> Result<Answer, Problem> {
    let upload = match &action {
        Action::Upload { release, .. } if once.is_none() => Some(release.clone()),
        _ => None,
    };
    // Between the door and here lies the whole body: minutes, for a large upload.
    if let Err(problem) = still_valid(Caller::current().as_ref()) {
        remove(staged).await;
        return Err(problem);
    }
    let (answer, waiting) = oneshot::channel();
    let changing = async move {
        let Some(_turn) = state.releases.turn().await else {
            let _ = answer.send(Err(taken_over()));
            return;
        };
        let result = run(&state, once, action).await;
        remove(staged).await;
        if let Err(Ok(unheard)) = answer.send(result)
            && unheard.status == StatusCode::CREATED
            && let Some(release) = upload
        {
            undo(&state, release).await;
        }
    };
    tokio::spawn(Actor::current().acting(changing));
    waiting
        .await
        .map_err(|_| Problem::new(Kind::Internal, "the host gave the request up; its log says why"))?
}

/// Whether the caller's token is still good.
///
/// # Errors
/// [`Kind::Unauthorized`].
pub(super) fn still_valid(caller: Option<&Caller>) -> Result<(), Problem> {
    if caller.is_none_or(Caller::is_valid) {
        return Ok(());
    }
    let text = "the token was revoked, or has expired, since the request began";
    Err(Problem::new(Kind::Unauthorized, text))
}

/// Why nothing is changed any more.
pub(super) fn taken_over() -> Problem {
    Problem::new(Kind::Busy, "another process has taken over; ask again")
}

async fn remove(staged: Option<Staged>) {
    if let Some(staged) = staged {
        staged.remove().await;
    }
}

async fn undo(state: &AdminState, release: ReleaseId) {
    let remove =
        Action::RemoveRelease { release: release.clone(), previews_only: false, spares_baking: false };
    match dispatch(state, remove).await {
        Ok(_) => tracing::info!(%release, "undone: its sender left before it was ready"),
        Err(problem) => {
            tracing::warn!(%release, detail = problem.detail, "its sender left, and it could not be undone");
        }
    }
}

/// Carries it out. What is refused leaves a record as far as one can be written; what is done has left its own.
async fn carry_out(state: &AdminState, action: Action) -> Result<Answer, Problem> {
    let refused = action.refused();
    let result = look_up(state, action).await;
    if let (Err(problem), Some(event)) = (&result, refused) {
        record_refusal(state, event, problem).await;
    }
    result
}

/// Leaves a record of what was refused, as far as one can be written.
pub(super) async fn record_refusal(state: &AdminState, mut event: Event, problem: &Problem) {
    let reason = problem.kind.name();
    event.detail = Some(event.detail.map_or_else(|| reason.into(), |of| format!("{of}: {reason}")));
    if let Err(problem) = record(state, move |store| store.record_event(&event)).await {
        tracing::warn!(detail = problem.detail, "a refused change is not in the audit log");
    }
}

async fn run(state: &AdminState, once: Option<IdempotencyKey>, action: Action) -> Result<Answer, Problem> {
    let Some(IdempotencyKey { key, request }) = once else { return carry_out(state, action).await };
    let (begin, now_ms) = (key.clone(), state.clock.now_ms());
    match record(state, move |store| store.begin_idempotent(&begin, request, now_ms)).await? {
        Begun::New => {}
        Begun::Running => {
            return Err(key_in_use(&key));
        }
        Begun::Done { status, body } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            return Ok(Answer { status, body });
        }
        Begun::Mismatch => {
            return Err(key_reused(&key));
        }
    }
    let result = carry_out(state, action).await;
    let kept = result.as_ref().ok().cloned();
    let recorded = record(state, move |store| match kept {
        Some(answer) => store.finish_idempotent(&key, answer.status.as_u16(), &answer.body),
        // A failure changed nothing, so asking again may do it again.
        None => store.abandon_idempotent(&key),
    });
    if let Err(problem) = recorded.await {
        tracing::warn!(detail = problem.detail, "the answer to an idempotent request could not be kept");
    }
    result
}

/// The same request with this key still runs.
pub(super) fn key_in_use(key: &str) -> Problem {
    Problem::new(Kind::KeyInUse, format!("the request with the key `{key}` still runs"))
}

/// This key came with another request.
pub(super) fn key_reused(key: &str) -> Problem {
    let text = format!("the key `{key}` came with another request before; use a new key");
    Problem::new(Kind::KeyReused, text)
}

/// Store methods wait for the disk, so they run where waiting is fine.
///
/// # Errors
/// See [`Problem`].
pub(super) async fn record<T: Send + 'static>(
    state: &AdminState,
    work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Problem> {
    let store = state.store.by(Actor::current());
    let done = tokio::task::spawn_blocking(move || work(&store)).await;
    Ok(done.map_err(|_| Problem::new(Kind::Internal, "the store gave up; the host's log says why"))??)
}
