//! One deployment: what it has said so far, and how it ended.

use super::view::{DeployEnd, DeployLine, DeployProgress, DeployView};
use crate::admin::access::Caller;
use crate::admin::idempotency::IdempotencyKey;
use crate::release::{DeployObserver, DeployPhase};
use bytes::Bytes;
use futures_util::{Stream, stream};
use serde::Serialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::watch;
use vitrine_core::id::ReleaseId;
use vitrine_core::limits::{DEPLOY_KEEP_ALIVE_MS, DEPLOY_LINE_BYTES_MAX, DEPLOY_LINES_MAX};
use vitrine_core::scope::{Actor, Verb};

/// A deployment that runs or ran.
#[derive(Debug)]
pub(super) struct Operation {
    /// Its number: that of the deploy.
    pub number: u64,
    /// What it brings.
    pub release: ReleaseId,
    /// Who began it.
    pub who: Actor,
    /// When, in milliseconds since the Unix epoch.
    pub begun_ms: u64,
    /// The key that its request came with.
    pub once: Option<IdempotencyKey>,
    /// Whether its app was removed: the name may be another's now.
    pub orphaned: AtomicBool,
    said: watch::Sender<Said>,
}

#[derive(Debug)]
struct Said {
    phase: DeployPhase,
    lines: VecDeque<DeployProgress>,
    /// Lines before the first one of those.
    dropped: usize,
    ended: Option<(u64, Arc<DeployEnd>)>,
}

impl Operation {
    /// One that begins now.
    pub(super) fn begin(
        number: u64,
        release: ReleaseId,
        who: Actor,
        begun_ms: u64,
        once: Option<IdempotencyKey>,
    ) -> Self {
        let phase = DeployPhase::Accepted;
        let said = watch::Sender::new(Said { phase, lines: VecDeque::new(), dropped: 0, ended: None });
        let orphaned = AtomicBool::new(false);
        let operation = Self { number, release, who, begun_ms, once, orphaned, said };
        operation.enter(phase, format!("the archive of {} is whole", operation.release));
        operation
    }

    /// A phase begins.
    pub(super) fn enter(&self, phase: DeployPhase, message: String) {
        self.said.send_modify(|said| {
            said.phase = phase;
            said.say(DeployProgress { phase, message: Some(cut(message)), log: None });
        });
    }

    /// It is over, unless it was before.
    pub(super) fn end(&self, end: DeployEnd, now_ms: u64) {
        self.said.send_modify(|said| {
            if said.ended.is_none() {
                said.phase = DeployPhase::Done;
                said.ended = Some((now_ms, Arc::new(end)));
            }
        });
    }

    /// Whether it is over.
    pub(super) fn is_over(&self) -> bool {
        self.said.borrow().ended.is_some()
    }

    /// As this caller may see it. What an app wrote, and what the host knows of it, is for the one who began it, and its log for those
    /// who may read logs.
    pub(super) fn view(&self, caller: &Caller) -> DeployView {
        let said = self.said.borrow();
        let ReleaseId { app, version } = &self.release;
        let is_own = caller.actor == self.who || caller.is_root();
        let sees_log = is_own || caller.may(Verb::Logs, Some(app));
        let end = said.ended.as_ref().map(|(_, end)| end);
        let mut error = end.and_then(|end| end.error.clone());
        if let Some(error) = error.as_mut().filter(|_| !is_own) {
            error.diagnosis = None;
            // It quotes the app where its start failed.
            error.detail = error.title.clone();
            if !sees_log {
                error.log.clear();
            }
        }
        let log = said.lines.iter().filter(|_| sees_log).filter_map(|line| line.log.clone());
        DeployView {
            id: self.number.to_string(),
            app: app.to_string(),
            version: version.to_string(),
            who: Some(self.who.to_string()),
            begun_ms: self.begun_ms,
            ended_ms: said.ended.as_ref().map(|(at_ms, _)| *at_ms),
            phase: said.phase,
            result: end.map(|end| end.result),
            url: end.and_then(|end| end.url.clone()),
            error,
            log: log.collect(),
        }
    }

    /// Its lines from the first one that is kept, and those to come, to its end; with a sign of life now and then.
    pub(super) fn follow(&self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + use<> {
        stream::unfold(Some((self.said.subscribe(), 0)), async |follower| {
            let (mut said, next) = follower?;
            loop {
                let (lines, next, is_over) = said.borrow_and_update().after(next);
                if !lines.is_empty() {
                    return Some((Ok(lines.into()), (!is_over).then_some((said, next))));
                }
                let quiet = Duration::from_millis(DEPLOY_KEEP_ALIVE_MS);
                match tokio::time::timeout(quiet, said.changed()).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return None,
                    Err(_) => {
                        let phase = said.borrow().phase;
                        let line = line(&DeployProgress { phase, message: None, log: None });
                        return Some((Ok(line.into()), Some((said, next))));
                    }
                }
            }
        })
    }
}

impl DeployObserver for Operation {
    fn entered(&self, phase: DeployPhase) {
        let release = &self.release;
        let message = match phase {
            DeployPhase::Accepted | DeployPhase::Done => return,
            DeployPhase::Storing => format!("checking and storing {release}"),
            DeployPhase::Booting => format!("booting and warming {release}"),
            DeployPhase::Hooks => format!("running the hooks before traffic for {release}"),
            DeployPhase::Switching => format!("making {release} live"),
            DeployPhase::Undoing => format!("removing {release} again"),
        };
        self.enter(phase, message);
    }

    fn logged(&self, line: String) {
        self.said.send_modify(|said| {
            let phase = said.phase;
            said.say(DeployProgress { phase, message: None, log: Some(cut(line)) });
        });
    }
}

impl Said {
    fn say(&mut self, line: DeployProgress) {
        if self.lines.len() == DEPLOY_LINES_MAX {
            self.lines.pop_front();
            self.dropped += 1;
        }
        self.lines.push_back(line);
    }

    /// What was said after so many lines, how many there are then, and whether that was all.
    fn after(&self, next: usize) -> (Vec<u8>, usize, bool) {
        let unread = self.lines.iter().skip(next.saturating_sub(self.dropped));
        let mut text: Vec<u8> = unread.flat_map(line).collect();
        if let Some((_, end)) = &self.ended {
            text.extend(line(&DeployLine::End(Box::new(DeployEnd::clone(end)))));
        }
        (text, self.dropped + self.lines.len(), self.ended.is_some())
    }
}

fn line(value: &impl Serialize) -> Vec<u8> {
    let mut json = serde_json::to_vec(value).expect("views are plain structs: they always serialize");
    json.push(b'\n');
    json
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(DEPLOY_LINE_BYTES_MAX));
    text
}
