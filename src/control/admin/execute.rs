//! Carries a change out once, whether or not its caller still waits.

use crate::admin::access::Caller;
use crate::admin::answer::Answer;
use crate::admin::idempotency::{IdempotencyKey, TakenKey, answer_lost, key_in_use, key_reused};
use crate::admin::problem::{Kind, Problem};
use crate::admin::state::{AdminState, OnBehalf};
use axum::http::StatusCode;
use tokio::sync::oneshot;
use vitrine_core::audit::{AuditAction, AuditResult, Event};
use vitrine_core::id::{AppName, ReleaseId, Version};
use vitrine_store::{Begun, Settled};

/// A change that is asked for.
pub(super) struct Change {
    caller: Caller,
    once: Option<IdempotencyKey>,
    /// What the audit log says if it is refused; the reason is added to its detail.
    refusal: Event,
}

impl Change {
    pub(super) fn new(caller: Caller, what: AuditAction) -> Self {
        Self { caller, once: None, refusal: Event::of_host(what, None, AuditResult::Refused) }
    }

    /// Of this app.
    pub(super) fn app(mut self, app: &AppName) -> Self {
        self.refusal.app = Some(app.clone());
        self
    }

    /// Of this version.
    pub(super) fn version(mut self, version: Option<&Version>) -> Self {
        self.refusal.version = version.cloned();
        self
    }

    /// What else the audit log says of it.
    pub(super) fn detail(mut self, detail: String) -> Self {
        self.refusal.detail = Some(detail);
        self
    }

    /// Carried out once for all requests with this key.
    pub(super) fn once(mut self, once: Option<IdempotencyKey>) -> Self {
        self.once = once;
        self
    }

    /// Carries it out in a task of its own: a caller that goes away does not stop it half way.
    ///
    /// # Errors
    /// See [`Problem`]; nothing has changed then.
    pub(super) async fn execute<F>(
        self,
        state: AdminState,
        work: impl FnOnce(OnBehalf) -> F + Send + 'static,
    ) -> Result<Answer, Problem>
    where
        F: Future<Output = Result<Answer, Problem>> + Send,
    {
        self.execute_or(state, work, async |_| {}).await
    }

    /// As [`Change::execute`]; `unheard` undoes what was made for a caller that is gone, unless its key says that it may ask again.
    ///
    /// # Errors
    /// See [`Problem`]; nothing has changed then.
    pub(super) async fn execute_or<F, U>(
        self,
        state: AdminState,
        work: impl FnOnce(OnBehalf) -> F + Send + 'static,
        unheard: impl FnOnce(OnBehalf) -> U + Send + 'static,
    ) -> Result<Answer, Problem>
    where
        F: Future<Output = Result<Answer, Problem>> + Send,
        U: Future<Output = ()> + Send,
    {
        // The caller was let in before its body came: minutes ago, for a large upload.
        still_valid(&self.caller)?;
        let behalf = state.of(&self.caller);
        let may_undo = self.once.is_none();
        let (answer, waiting) = oneshot::channel();
        tokio::spawn(async move {
            let Some(_turn) = state.releases.turn().await else {
                let _ = answer.send(Err(taken_over()));
                return;
            };
            let result = self.run(&state, &behalf, work).await;
            if let Err(Ok(lost)) = answer.send(result)
                && lost.is_created()
                && may_undo
            {
                unheard(behalf).await;
            }
        });
        waiting
            .await
            .map_err(|_| Problem::new(Kind::Internal, "the host gave the request up; its log says why"))?
    }

    async fn run<F>(
        self,
        state: &AdminState,
        behalf: &OnBehalf,
        work: impl FnOnce(OnBehalf) -> F,
    ) -> Result<Answer, Problem>
    where
        F: Future<Output = Result<Answer, Problem>>,
    {
        let Self { once, refusal, .. } = self;
        let Some(IdempotencyKey { key, request }) = once else {
            return carry_out(behalf, refusal, work).await;
        };
        let (begin, now_ms) = (key.clone(), state.clock.now_ms());
        let begun = behalf.stored(move |store| store.begin_idempotent(&begin, request, now_ms)).await?;
        let taken = || TakenKey::new(behalf, &key);
        let (taken, result) = match begun {
            Begun::New => (taken(), carry_out(&behalf.once(&key), refusal, work).await),
            Begun::Settled(settled) => (taken(), recall(behalf, refusal.app.as_ref(), &key, settled)),
            Begun::Running => return Err(key_in_use(&key)),
            Begun::Done { status, body } => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
                return Ok(Answer { status, body });
            }
            Begun::Mismatch => return Err(key_reused(&key)),
        };
        // A failure changed nothing, so asking again may do it again.
        taken.end(result.as_ref().ok().map(|answer| (answer.status, answer.body.clone()))).await;
        result
    }
}

/// The answer to a change that an earlier process made and did not answer.
fn recall(behalf: &OnBehalf, app: Option<&AppName>, key: &str, settled: Settled) -> Result<Answer, Problem> {
    let releases = &behalf.releases;
    let answer = match (settled, app) {
        (Settled::Routed, _) => Some(Answer::ok(&releases.routing()?)),
        (Settled::KeyRotated(rotated), _) => Some(Answer::ok(&rotated)),
        (Settled::Restored, Some(app)) => Some(Answer::ok(&releases.app(app)?)),
        (Settled::Switched { epoch }, Some(app)) => {
            releases.switched_in(app, epoch).map(|switched| Answer::ok(&switched))
        }
        (Settled::Shared { version, weight, epoch }, Some(app)) => {
            Some(Answer::ok(&releases.shared_in(ReleaseId::new(app.clone(), version), weight, epoch)))
        }
        (_, None) => None,
    };
    answer.ok_or_else(|| answer_lost(key))
}

/// A change that is done has left its own record in the audit log; one that is refused gets one here.
async fn carry_out<F>(
    behalf: &OnBehalf,
    refusal: Event,
    work: impl FnOnce(OnBehalf) -> F,
) -> Result<Answer, Problem>
where
    F: Future<Output = Result<Answer, Problem>>,
{
    let result = work(behalf.clone()).await;
    if let Err(problem) = &result {
        record_refusal(behalf, refusal, problem).await;
    }
    result
}

/// Records what was refused, as far as a record can be written.
pub(super) async fn record_refusal(behalf: &OnBehalf, mut event: Event, problem: &Problem) {
    let reason = problem.kind.name();
    event.detail = Some(event.detail.map_or_else(|| reason.into(), |of| format!("{of}: {reason}")));
    if let Err(problem) = behalf.stored(move |store| store.record_event(&event)).await {
        tracing::warn!(detail = problem.detail, "a refused change is not in the audit log");
    }
}

/// Whether the caller's token is still good.
///
/// # Errors
/// [`Kind::Unauthorized`].
pub(super) fn still_valid(caller: &Caller) -> Result<(), Problem> {
    if caller.is_valid() {
        return Ok(());
    }
    let text = "the token was revoked, or has expired, since the request began";
    Err(Problem::new(Kind::Unauthorized, text))
}

/// Nothing is changed any more.
pub(super) fn taken_over() -> Problem {
    Problem::new(Kind::Busy, "another process has taken over; ask again")
}
