//! An answer that is kept while it comes: a task of its own reads it from the worker, whatever its client does, and the client and those who
//! follow get it from there.

use super::fill::{Filled, Frozen};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use vitrine_cache::{End, Following};
use vitrine_core::limits::CACHE_ENTRY_BYTES_MAX;
use vitrine_proxy::pool::Claim;
use vitrine_proxy::worker::{AnswerBody, Piece};
use vitrine_wire::{Done, Outcome};

/// What the task leaves to the client for whom it reads.
#[derive(Debug, Default)]
struct Left {
    /// The end of the render.
    done: Option<Box<Done>>,
    /// What is not read yet of an answer that is too large to be kept.
    rest: Option<(AnswerBody, Claim)>,
}

/// The body of such an answer, for one client.
#[derive(Debug)]
pub(crate) struct Coming {
    following: Following,
    /// Of the client for whom the app was asked.
    left: Option<Arc<Mutex<Left>>>,
    /// How long the worker may say nothing.
    silence_timeout: Duration,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    /// A piece.
    Data(Bytes),
    /// The end.
    End(Box<Done>),
    /// The rest comes from the worker itself, which may say nothing for so long.
    Rest(AnswerBody, Claim, Duration),
}

impl Coming {
    /// For a request that follows.
    pub(crate) const fn of_follower(following: Following) -> Self {
        Self { following, left: None, silence_timeout: Duration::ZERO }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        let end = match ready!(self.following.poll_next(cx)) {
            Ok(piece) => return Poll::Ready(Next::Data(piece)),
            Err(end) => end,
        };
        let left = self
            .left
            .as_ref()
            .map(|left| std::mem::take(&mut *left.lock().unwrap_or_else(PoisonError::into_inner)));
        let Left { done, rest } = left.unwrap_or_default();
        if let Some((body, claim)) = rest {
            return Poll::Ready(Next::Rest(body, claim, self.silence_timeout));
        }
        let outcome = match end {
            End::Whole | End::NotShared => Outcome::Ok,
            End::TooLarge | End::Failed => Outcome::UpstreamGone,
        };
        Poll::Ready(Next::End(done.unwrap_or_else(|| Box::new(Done::of(outcome)))))
    }
}

/// Reads an answer from its worker in a task of its own. Gives the body for the client that asked.
pub(crate) fn pump(
    filled: Filled,
    asked: Frozen,
    first: VecDeque<Bytes>,
    body: AnswerBody,
    claim: Claim,
    silence_timeout: Duration,
) -> Coming {
    let left = Arc::<Mutex<Left>>::default();
    let following = filled.filling().follow();
    if filled.is_known(&asked) {
        let (status, headers) = filled.head();
        filled.filling().share(status, headers.clone());
    }
    let of_client = Arc::clone(&left);
    tokio::spawn(async move {
        let mut whole = BytesMut::new();
        first.into_iter().for_each(|piece| take(&filled, &mut whole, piece));
        let mut body = body;
        loop {
            if whole.len() > CACHE_ENTRY_BYTES_MAX {
                left.lock().unwrap_or_else(PoisonError::into_inner).rest = Some((body, claim));
                filled.too_large();
                return;
            }
            let done = match tokio::time::timeout(silence_timeout, body.next()).await {
                Ok(Some(Piece::Data(data))) => {
                    take(&filled, &mut whole, data);
                    continue;
                }
                Ok(Some(Piece::End(done))) => done,
                Ok(None) => Box::new(Done::of(Outcome::UpstreamGone)),
                Err(_) => Box::new(Done::of(Outcome::StreamIdle)),
            };
            left.lock().unwrap_or_else(PoisonError::into_inner).done = Some(done.clone());
            // Why it was not kept is on the record.
            let _ = filled.keep(&asked, whole.freeze(), &done);
            return;
        }
    });
    Coming { following, left: Some(of_client), silence_timeout }
}

fn take(filled: &Filled, whole: &mut BytesMut, piece: Bytes) {
    whole.extend_from_slice(&piece);
    filled.filling().data(piece);
}
