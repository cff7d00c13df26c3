//! The loop that owns an isolate's thread.
//!
//! Whatever JavaScript waits for is a future that this loop polls; each answer is given to JavaScript as a slice of its own, so
//! that CPU time is charged to the request that asked.

use super::answer::ResponseTask;
use super::engine::{Engine, Killed};
use super::event::{Event, RequestNumber};
use super::response_buffer::ResponseBuffer;
use super::state::{HostFuture, Running, RuntimeState, Usage};
use crate::limits::isolate::{AT_REST_MS, LAST_WORDS_MS};
use crate::pool::in_flight::Admission;
use crate::request::Request;
use deno_core::PollEventLoopOptions;
use deno_core::error::CoreError;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};
use vitrine_wire::{Headers, OWN_CALL_HEADER, Outcome};

/// Why a turn ended badly.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// JavaScript was ended by force.
    #[error(transparent)]
    Killed(#[from] Killed),
    /// Module evaluation, or a part of the platform, failed.
    #[error("the isolate's event loop failed")]
    EventLoop(#[source] CoreError),
}

/// Drives one isolate.
pub struct Driver {
    /// The isolate.
    pub engine: Engine,
    /// What ops and driver have in common.
    pub state: Rc<RuntimeState>,
    waiting: FuturesUnordered<HostFuture>,
    last_request: RequestNumber,
    last_begun: Instant,
    rested: bool,
    event_loop: Arc<LoopWaker>,
}

impl Driver {
    /// A driver of `engine`.
    pub fn new(engine: Engine, state: Rc<RuntimeState>) -> Self {
        let event_loop = Arc::new(LoopWaker::default());
        let waiting = FuturesUnordered::new();
        Self {
            engine,
            state,
            waiting,
            last_request: 0,
            last_begun: Instant::now(),
            rested: false,
            event_loop,
        }
    }

    /// Requests that have begun and not ended.
    pub fn in_flight(&self) -> usize {
        self.state.requests.borrow().len()
    }

    /// Begins a request; gives its number.
    ///
    /// # Errors
    /// JavaScript was ended by force.
    pub fn begin(&mut self, request: Request, admission: Admission) -> Result<RequestNumber, Killed> {
        self.last_request = self.last_request.wrapping_add(1).max(1);
        let number = self.last_request;
        let Request { head, body, answer, cancelled, received } = request;
        let (body, upgrade) = if head.upgrade { (None, body) } else { (body, None) };
        let has_body = body.is_some();
        let buffer = Rc::new(ResponseBuffer::new(self.state.limits.response_mb << 20));
        let begun = Instant::now();
        (self.last_begun, self.rested) = (begun, false);
        let running = Running {
            id: head.request_id,
            own_calls: own_calls(&head.headers),
            headers: head.headers,
            buffer: Rc::clone(&buffer),
            body,
            upgrade,
            stall: answer.stall_clock(),
            body_bytes: 0,
            cpu: Duration::ZERO,
            usage: Usage::from(begun),
            waiting: 0,
            is_streaming: false,
            end: answer.end(),
            aborting: false,
            reads: head.ledger.then(Box::default),
        };
        self.state.requests.borrow_mut().insert(number, running);
        let outgoing = ResponseTask {
            request: number,
            buffer,
            writer: answer,
            cancelled,
            received,
            begun,
            quiet_since: None,
            admission: Some(admission),
        };
        self.state.start(outgoing.run(Rc::clone(&self.state)));
        self.look_at_event_loop();
        self.engine.begin(number, &head.method, &head.url, has_body, head.ledger)?;
        Ok(number)
    }

    /// Gives memory back once nothing has been asked of the isolate for [`AT_REST_MS`]; for each such rest once.
    pub fn rest(&mut self) {
        let at_rest = self.in_flight() == 0 && self.last_begun.elapsed() >= Duration::from_millis(AT_REST_MS);
        if at_rest && !std::mem::replace(&mut self.rested, true) {
            self.engine.shrink();
        }
    }

    /// Tells JavaScript everything that it must be told by now. Returns whether there is more already.
    ///
    /// # Errors
    /// JavaScript was ended by force.
    pub fn run_ready(&mut self) -> Result<bool, Killed> {
        // What is queued meanwhile waits for the next call, so that a chain of zero-delay tasks can't keep the thread.
        let ready = self.state.inbox.borrow().len();
        for _ in 0..ready {
            let Some(event) = self.state.next_event() else { break };
            let aborted = if let Event::Abort(request, _) = event { Some(request) } else { None };
            let fetched = event.fetched();
            self.look_at_event_loop();
            self.engine.tell(event)?;
            if let Some(body) = fetched {
                self.state.drop_unwanted(body);
            }
            if let Some(running) = self.state.requests.borrow_mut().get_mut(&aborted.unwrap_or_default()) {
                running.aborting = false;
                running.buffer.wake();
            }
        }
        Ok(!self.state.inbox.borrow().is_empty())
    }

    /// Waits until there is something to tell JavaScript, or a request has ended.
    ///
    /// # Errors
    /// JavaScript was ended by force, or a part of the platform failed.
    pub async fn wait(&mut self) -> Result<(), TurnError> {
        let before = self.in_flight();
        std::future::poll_fn(|cx| {
            let polled = self.poll(cx);
            if polled.is_pending() && self.in_flight() < before { Poll::Ready(Ok(())) } else { polled }
        })
        .await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TurnError>> {
        self.poll_host(cx);
        if self.event_loop.take(cx.waker()) {
            let waker = Waker::from(Arc::clone(&self.event_loop));
            let polled = self.engine.watched_loop(|runtime| {
                runtime.poll_event_loop(&mut Context::from_waker(&waker), PollEventLoopOptions::default())
            });
            if let Poll::Ready(Err(error)) = polled.map_err(TurnError::from)? {
                return Poll::Ready(Err(TurnError::EventLoop(error)));
            }
            self.engine.report_rest()?;
            self.poll_host(cx);
        }
        if self.state.inbox.borrow().is_empty() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    /// Polls what JavaScript and the answers wait for.
    fn poll_host(&mut self, cx: &mut Context<'_>) {
        loop {
            self.waiting.extend(self.state.started.borrow_mut().drain(..));
            while let Poll::Ready(Some(())) = self.waiting.poll_next_unpin(cx) {}
            if self.state.started.borrow().is_empty() {
                return;
            }
        }
    }

    /// Has the next wait look at `deno_core`'s own event loop, whatever woke it.
    pub fn look_at_event_loop(&self) {
        self.event_loop.woken.store(true, Ordering::Release);
    }

    /// Ends every request that is in flight, without JavaScript: the one to blame as its outcome says, the others as `others`.
    pub async fn fail_in_flight(&mut self, killed: Option<Killed>, others: Outcome) {
        for (number, running) in self.state.requests.borrow_mut().iter_mut() {
            running.waiting = 0;
            running.aborting = false;
            match killed.filter(|killed| killed.request == *number) {
                Some(killed) => running.buffer.abandon(killed.outcome),
                // What is complete already needs no isolate any more.
                None if running.buffer.is_complete() => {}
                None => running.buffer.abandon(others),
            }
        }
        let all = std::future::poll_fn(|cx| {
            self.poll_host(cx);
            if self.in_flight() == 0 { Poll::Ready(()) } else { Poll::Pending }
        });
        // A reader that does not take the end within this time sees the answer cut off when its writer is dropped.
        let _ = tokio::time::timeout(Duration::from_millis(LAST_WORDS_MS), all).await;
    }
}

/// Remembers whether `deno_core`'s event loop asked to be polled: polling it costs several microtask checkpoints.
#[derive(Default)]
struct LoopWaker {
    woken: AtomicBool,
    task: futures_util::task::AtomicWaker,
}

impl LoopWaker {
    fn take(&self, task: &Waker) -> bool {
        self.task.register(task);
        self.woken.swap(false, Ordering::AcqRel)
    }
}

impl Wake for LoopWaker {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.task.wake();
    }
}

/// What the host says of a request that the app makes of itself.
fn own_calls(headers: &Headers) -> u8 {
    let said = headers.iter().find(|(name, _)| name == OWN_CALL_HEADER);
    said.and_then(|(_, depth)| std::str::from_utf8(depth).ok()?.parse().ok()).unwrap_or_default()
}
