//! A deployment carried out: taken in, promoted, and undone where that fails.

use super::operation::Operation;
use super::view::{DeployEnd, DeployResult};
use crate::admin::access::Caller;
use crate::admin::execute::{record_refusal, still_valid};
use crate::admin::idempotency::{TakenKey, answer_lost, key_in_use, key_reused};
use crate::admin::precheck::could_not_go_live;
use crate::admin::problem::{Kind, Problem};
use crate::admin::state::{AdminState, OnBehalf};
use crate::admin::upload::Staged;
use crate::release::{
    DeployObserver, DeployPhase, PromoteOptions, ReleaseError, Switched, UploadOptions, Uploaded,
};
use axum::http::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use vitrine_bundle::Bundle;
use vitrine_core::audit::{AuditAction, AuditResult, Event};
use vitrine_core::id::ReleaseId;
use vitrine_core::limits::BOOT_DEADLINE_MS;
use vitrine_core::scope::Verb;
use vitrine_store::{Begun, Settled};

/// What a deployment is to do.
pub(super) struct Deploy {
    pub state: AdminState,
    pub operation: Arc<Operation>,
    /// Who asked for it, and is asked for again before it goes live.
    pub caller: Caller,
    pub staged: (Staged, Bundle),
    pub options: UploadOptions,
}

/// How far a deployment came.
#[derive(Default)]
struct Course {
    uploaded: Option<Uploaded>,
    switched: Option<Switched>,
    notices: Vec<String>,
    failed: Option<(DeployResult, Problem)>,
}

impl Deploy {
    /// Takes the key of its request. False when the answer is known: the deployment has ended with it then.
    ///
    /// # Errors
    /// The key belongs to another request.
    pub(super) async fn take_key(&self) -> Result<bool, Problem> {
        let Some(once) = self.operation.once.clone() else { return Ok(true) };
        let (key, now_ms) = (once.key.clone(), self.state.clock.now_ms());
        let behalf = self.state.of(&self.caller);
        let begun = behalf.stored(move |store| store.begin_idempotent(&key, once.request, now_ms)).await?;
        match begun {
            Begun::New => Ok(true),
            Begun::Running => Err(key_in_use(&once.key)),
            Begun::Mismatch => Err(key_reused(&once.key)),
            Begun::Settled(settled) => {
                let end = self.recall(&settled).ok_or_else(|| answer_lost(&once.key))?;
                keep_answer(TakenKey::new(&behalf, &once.key), &end).await;
                self.operation.end(end, self.state.clock.now_ms());
                Ok(false)
            }
            Begun::Done { body, .. } => {
                let end = serde_json::from_slice(&body).map_err(|_| {
                    Problem::new(
                        Kind::KeyReused,
                        format!("the answer to the key `{}` can't be read", once.key),
                    )
                })?;
                self.operation.end(end, self.state.clock.now_ms());
                Ok(false)
            }
        }
    }

    /// How the same request ended in an earlier process that made the release live and did not answer.
    fn recall(&self, settled: &Settled) -> Option<DeployEnd> {
        let Settled::Switched { epoch } = settled else { return None };
        let Operation { number, release, .. } = &*self.operation;
        let releases = &self.state.releases;
        Some(DeployEnd {
            result: DeployResult::Live,
            id: number.to_string(),
            release: release.to_string(),
            url: releases.release(release).ok().and_then(|release| release.url),
            error: None,
            uploaded: None,
            switched: Some(releases.switched_in(&release.app, *epoch)?),
            notices: Vec::new(),
        })
    }

    /// It does not begin. The same request may follow it already, and is told why.
    pub(super) async fn give_up(self, why: Option<Problem>) {
        let failed = why.map(|problem| (DeployResult::Failed, problem));
        if failed.is_some() {
            let unfinished = Unfinished { state: &self.state, operation: &self.operation };
            let end = unfinished.end(Course { failed, ..Course::default() });
            self.operation.end(end, self.state.clock.now_ms());
        }
        self.state.deployments.forget(&self.operation);
        self.staged.0.remove().await;
    }

    /// Carries it out, and says how it ended.
    pub(super) async fn run(self) {
        let Self { state, operation, caller, staged, options } = self;
        let unfinished = Unfinished { state: &state, operation: &operation };
        tracing::info!(deployment = operation.number, release = %operation.release, "a deployment begins");
        let mut course = Course::default();
        let behalf = state.of(&caller);
        let taken = operation.once.as_ref().map(|once| TakenKey::new(&behalf, &once.key));
        let acting = operation.once.as_ref().map_or_else(|| behalf.clone(), |once| behalf.once(&once.key));
        let gone = go(&acting, &operation, &caller, staged, options, &mut course).await;
        course.failed = gone.err();
        let end = unfinished.end(course);
        if let Some(taken) = taken {
            keep_answer(taken, &end).await;
        }
        let result = end.result.as_str();
        tracing::info!(deployment = operation.number, release = %operation.release, result, "a deployment ended");
        operation.end(end, state.clock.now_ms());
    }
}

async fn keep_answer(taken: TakenKey, end: &DeployEnd) {
    let answer = serde_json::to_vec(end).expect("a view is a plain struct: it always serializes");
    taken.end(Some((StatusCode::OK, answer))).await;
}

async fn go(
    behalf: &OnBehalf,
    operation: &Arc<Operation>,
    caller: &Caller,
    (staged, bundle): (Staged, Bundle),
    options: UploadOptions,
    course: &mut Course,
) -> Result<(), (DeployResult, Problem)> {
    let failed = |problem| (DeployResult::Failed, problem);
    let release = &operation.release;
    let (goes_live, digest) = (options.goes_live, bundle.digest);
    let observer: Arc<dyn DeployObserver> = Arc::clone(operation) as Arc<dyn DeployObserver>;
    let ReleaseId { app, version } = release.clone();
    let options = UploadOptions { observer: Some(Arc::clone(&observer)), ..options };
    let uploading = async {
        still_valid(caller)?;
        let uploaded = behalf.releases.upload(app, Some(version), (staged.dir(), bundle), options).await;
        uploaded.map_err(behalf.problem())
    };
    let uploaded: Result<Uploaded, Problem> = uploading.await;
    staged.remove().await;
    let uploaded = match uploaded {
        Ok(uploaded) => uploaded,
        Err(problem) => {
            refused(behalf, AuditAction::Deploy, release, &problem).await;
            return Err(failed(problem));
        }
    };
    let created = uploaded.created;
    course.uploaded = Some(uploaded);
    if created {
        course.notices.extend(behalf.releases.names_lost_to(&release.app, caller.may_see()));
    }
    if !goes_live {
        return Ok(());
    }
    let options = PromoteOptions {
        boot_deadline: Duration::from_millis(BOOT_DEADLINE_MS),
        deploy: Some(operation.number),
        digest: Some(digest),
        observer: Some(observer),
    };
    // A boot takes its time, in which rights may be taken away.
    let promoted = match may_go_live(caller, release) {
        Err(problem) => Err(failed(problem)),
        Ok(()) => behalf.releases.promote(release.clone(), options).await.map_err(|error| match error {
            ReleaseError::Superseded { .. } if created => {
                let detail = format!("{error}; deploy it again to make it live all the same");
                (DeployResult::Superseded, Problem::new(Kind::Refused, detail))
            }
            ReleaseError::Superseded { .. } => (DeployResult::Superseded, behalf.problem()(error)),
            error => failed(behalf.problem()(error)),
        }),
    };
    match promoted {
        Ok(switched) => course.switched = Some(switched),
        Err((result, problem)) => {
            refused(behalf, AuditAction::Promote, release, &problem).await;
            if created {
                undo(behalf, operation).await;
            }
            return Err((result, problem));
        }
    }
    Ok(())
}

fn may_go_live(caller: &Caller, release: &ReleaseId) -> Result<(), Problem> {
    still_valid(caller)?;
    match caller.may(Verb::Promote, Some(&release.app)) {
        true => Ok(()),
        false => Err(could_not_go_live(&release.app)),
    }
}

async fn refused(behalf: &OnBehalf, what: AuditAction, release: &ReleaseId, problem: &Problem) {
    let ReleaseId { app, version } = release.clone();
    let event =
        Event { what, app: Some(app), version: Some(version), detail: None, came: AuditResult::Refused };
    record_refusal(behalf, event, problem).await;
}

/// Leaves the version name free again, unless another release has it by now.
async fn undo(behalf: &OnBehalf, operation: &Operation) {
    let release = &operation.release;
    operation.entered(DeployPhase::Undoing);
    let message = match behalf.releases.undo_upload(release, operation.number).await {
        Ok(true) => format!("{release} was removed again"),
        Ok(false) => format!("{release} is left as it is: another change came in between"),
        Err(error) => {
            let Problem { detail, .. } = error.into();
            tracing::warn!(%release, detail, "a failed deployment could not be undone");
            format!(
                "{release} may still be there: {detail}; see `vitrine releases {}`, remove it with `vitrine remove {release}`",
                release.app
            )
        }
    };
    operation.enter(DeployPhase::Undoing, message);
}

/// Ends a deployment, also when the task that carries it out stops half way.
struct Unfinished<'a> {
    state: &'a AdminState,
    operation: &'a Operation,
}

impl Unfinished<'_> {
    fn end(&self, course: Course) -> DeployEnd {
        let Course { uploaded, switched, notices, failed } = course;
        let id = self.operation.number.to_string();
        let (result, error) = match failed {
            Some((result, problem)) => (result, Some(problem.body(&id))),
            None if switched.is_some() => (DeployResult::Live, None),
            None => (DeployResult::Ready, None),
        };
        // A release that was there before stays.
        let url = uploaded.as_ref().filter(|uploaded| error.is_none() || !uploaded.created);
        let url = url.and_then(|uploaded| uploaded.release.url.clone());
        let release = self.operation.release.to_string();
        DeployEnd { result, id, release, url, error, uploaded, switched, notices }
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.operation.is_over() {
            let problem = Problem::new(Kind::Internal, "the host gave the deployment up; its log says why");
            let end = self.end(Course { failed: Some((DeployResult::Failed, problem)), ..Course::default() });
            self.operation.end(end, self.state.clock.now_ms());
        }
        self.state.deployments.ended(self.operation);
    }
}
