//! The host's end of the pipe to the engine process: many calls at once, and the process started again when it ends.

use super::{Action, EngineError, EngineOptions, Reply};
use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::codec::{FramedRead, FramedWrite, LinesCodec};
use vitrine_core::limits::{
    ENGINE_CALLS_MAX, ENGINE_LINE_BYTES_MAX, ENGINE_RESTART_PAUSE_MAX_MS, ENGINE_RESTART_PAUSE_MIN_MS,
    ENGINE_SOUND_MS,
};

/// A call on its way: the action and where its answer goes.
#[derive(Debug)]
pub(crate) struct Call {
    action: Action,
    reply: oneshot::Sender<Result<Reply, EngineError>>,
}

/// One line to the engine process.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// Pairs it with its answer.
    pub id: u64,
    /// What to do.
    pub action: Action,
}

/// One line from the engine process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answered {
    /// Of the question.
    pub id: u64,
    /// What came of it.
    pub reply: Reply,
}

/// Codec of both directions.
pub(crate) fn codec() -> LinesCodec {
    LinesCodec::new_with_max_length(ENGINE_LINE_BYTES_MAX)
}

/// Starts the engine process and the task that talks to it until every sender is dropped.
pub(crate) fn open(options: EngineOptions) -> io::Result<mpsc::Sender<Call>> {
    let process = spawn(&options)?;
    let (calls, waiting) = mpsc::channel(ENGINE_CALLS_MAX);
    tokio::spawn(keep(options, process, waiting));
    Ok(calls)
}

/// Asks, and waits for the answer no longer than that.
///
/// # Errors
/// See [`EngineError`].
pub(crate) async fn call(
    calls: &mpsc::Sender<Call>,
    action: Action,
    timeout_ms: u64,
) -> Result<Reply, EngineError> {
    let name = action.name();
    let asked = async {
        let (reply, answer) = oneshot::channel();
        let gone = || EngineError::Gone(Arc::new(io::ErrorKind::BrokenPipe.into()));
        calls.send(Call { action, reply }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    };
    let bound = Duration::from_millis(timeout_ms);
    tokio::time::timeout(bound, asked)
        .await
        .unwrap_or(Err(EngineError::TimedOut { action: name, timeout_ms }))
}

fn spawn(options: &EngineOptions) -> io::Result<Child> {
    // Its own group: Ctrl-C on the host's terminal is the host's to handle, with the engine still there.
    Command::new(&options.program)
        .args(options.arguments())
        // Variables that the operator has for the command line are not passed on to the engine.
        .env_remove("VITRINE_TOKEN")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
}

async fn keep(options: EngineOptions, first: Child, mut calls: mpsc::Receiver<Call>) {
    let mut process = Ok(first);
    let mut pause_ms = 0;
    loop {
        let begun = Instant::now();
        let reason = match process {
            Ok(child) => match serve(child, &mut calls).await {
                Ended::Host => return,
                Ended::Engine(reason) => reason,
            },
            Err(err) => err,
        };
        if begun.elapsed() >= Duration::from_millis(ENGINE_SOUND_MS) {
            pause_ms = 0;
        }
        tracing::error!(reason = %reason, restart_in_ms = pause_ms, "the engine process ended");
        if !refuse(&mut calls, &reason, pause_ms).await {
            return;
        }
        pause_ms = (pause_ms * 2).clamp(ENGINE_RESTART_PAUSE_MIN_MS, ENGINE_RESTART_PAUSE_MAX_MS);
        process = spawn(&options);
    }
}

/// Answers calls with an error until the pause is over. Returns false when all callers are gone.
async fn refuse(calls: &mut mpsc::Receiver<Call>, reason: &io::Error, pause_ms: u64) -> bool {
    let until = Instant::now() + Duration::from_millis(pause_ms);
    loop {
        if Instant::now() >= until {
            return !calls.is_closed();
        }
        match tokio::time::timeout_at(until, calls.recv()).await {
            Err(_) => return true,
            Ok(None) => return false,
            Ok(Some(call)) => answer(call.reply, Err(gone(reason))),
        }
    }
}

fn gone(reason: &io::Error) -> EngineError {
    EngineError::Gone(Arc::new(io::Error::new(reason.kind(), reason.to_string())))
}

/// A caller that stopped waiting needs no answer.
fn answer(reply: oneshot::Sender<Result<Reply, EngineError>>, with: Result<Reply, EngineError>) {
    let _ = reply.send(with);
}

enum Ended {
    /// All callers are gone.
    Host,
    /// The process ended, or says what it should not.
    Engine(io::Error),
}

async fn serve(mut child: Child, calls: &mut mpsc::Receiver<Call>) -> Ended {
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Ended::Engine(io::ErrorKind::BrokenPipe.into());
    };
    let mut pending = Pending::default();
    let ended = exchange(stdin, stdout, calls, &mut pending).await;
    // Its pipe is closed, so it ends; one that hangs must not act beside its successor.
    if matches!(ended, Ended::Engine(_)) {
        let _ = child.start_kill();
    }
    let status = child.wait().await;
    match ended {
        Ended::Host => Ended::Host,
        Ended::Engine(reason) => {
            let status = status.map_or_else(|err| err.to_string(), |status| status.to_string());
            let reason = io::Error::new(reason.kind(), format!("{reason} ({status})"));
            for (_, reply) in pending.replies.drain() {
                answer(reply, Err(gone(&reason)));
            }
            Ended::Engine(reason)
        }
    }
}

async fn exchange(
    stdin: ChildStdin,
    stdout: ChildStdout,
    calls: &mut mpsc::Receiver<Call>,
    pending: &mut Pending,
) -> Ended {
    let mut to = FramedWrite::new(stdin, codec());
    let mut from = FramedRead::new(stdout, codec());
    loop {
        tokio::select! {
            call = calls.recv() => {
                let Some(call) = call else { return Ended::Host };
                let Some(line) = pending.ask(call) else { continue };
                if let Err(err) = to.send(line).await {
                    return Ended::Engine(io::Error::other(err));
                }
            }
            line = from.next() => match line {
                Some(Ok(line)) => if let Err(err) = pending.answered(&line) {
                    return Ended::Engine(err);
                },
                Some(Err(err)) => return Ended::Engine(io::Error::other(err)),
                None => return Ended::Engine(io::ErrorKind::UnexpectedEof.into()),
            },
        }
    }
}

/// Calls that the engine has and has not answered.
#[derive(Debug, Default)]
struct Pending {
    next: u64,
    replies: HashMap<u64, oneshot::Sender<Result<Reply, EngineError>>>,
}

impl Pending {
    /// The line to send; none if the caller gave up or too much waits.
    fn ask(&mut self, call: Call) -> Option<String> {
        if call.reply.is_closed() {
            return None;
        }
        if self.replies.len() >= ENGINE_CALLS_MAX {
            self.replies.retain(|_, reply| !reply.is_closed());
        }
        if self.replies.len() >= ENGINE_CALLS_MAX {
            let reason = format!("{ENGINE_CALLS_MAX} calls wait for the engine already; try again later");
            answer(call.reply, Ok(Reply::Failed(reason)));
            return None;
        }
        self.next += 1;
        match serde_json::to_string(&Asked { id: self.next, action: call.action }) {
            Ok(line) => {
                self.replies.insert(self.next, call.reply);
                Some(line)
            }
            Err(err) => {
                answer(call.reply, Ok(Reply::Failed(format!("the call can't be written down: {err}"))));
                None
            }
        }
    }

    fn answered(&mut self, line: &str) -> io::Result<()> {
        let Answered { id, reply } = serde_json::from_str(line)?;
        if let Some(waiting) = self.replies.remove(&id) {
            answer(waiting, Ok(reply));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
