//! The control socket of a worker, and the task that keeps both sockets connected.

use super::egress::{AnswerSink, Call, EndedCall};
use super::handshake::{self, FrameSender, Link};
use super::liveness::Liveness;
use super::requests::{Connection, Slot};
use super::turn::{Breach, Turn};
use super::{Command, Egress, Identity, LogSink, MemoryShare, Standing, WorkerError, WorkerState};
use futures_util::StreamExt;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use vitrine_core::health::HealthStatus;
use vitrine_core::limits::{BREACH_PAUSE_MS, EGRESS_CALLS_UNENDED_MAX, RECONNECT_PAUSE_MS};
use vitrine_wire::{Channel, Done, EgressFailure, EgressHead, Frame, Outcome, Pong, Ready, Start, StreamId};

/// Why a call ends whose body the host has no room for.
const TOO_MUCH_HELD: &str = "too many bodies wait for slow servers and clients";

/// Everything that keeps one worker connected.
pub(super) struct ControlTask {
    /// Who it must be.
    pub identity: Identity,
    /// What it is told after each hello.
    pub start: Start,
    /// Broker of its egress calls.
    pub egress: Arc<Egress>,
    /// Where its log lines go.
    pub logs: Arc<dyn LogSink>,
    /// What its bodies may hold.
    pub memory: Arc<MemoryShare>,
    /// Where it stands.
    pub standing: Standing,
    /// The requests connection in use.
    pub connection: Arc<Slot>,
    /// What is asked of it.
    pub commands: mpsc::Receiver<Command>,
    /// Reasons to ask at once whether it lives.
    pub suspected: watch::Receiver<u64>,
}

/// A worker that has said that it is ready, and whether it still lives.
struct Serving {
    ready: Ready,
    connection: Arc<Connection>,
    liveness: Liveness,
    hung: bool,
}

/// What is waiting for an answer of the worker, and the tasks of this connection.
#[derive(Default)]
struct Session {
    pings: HashMap<u64, oneshot::Sender<Pong>>,
    freezing: Vec<(bool, oneshot::Sender<()>)>,
    turn: Turn,
    serving: Option<Serving>,
    suspected: bool,
    /// Whether it says that it is frozen: no ping wakes it then, and thawing it shows whether it lives.
    frozen: bool,
    egress: HashMap<StreamId, Call>,
    tasks: JoinSet<EndedCall>,
    requests: JoinSet<Result<(), Breach>>,
}

/// How a control connection ended.
#[derive(Debug)]
enum Ended {
    /// It was lost.
    Lost,
    /// The worker broke the protocol.
    Broken(Breach),
}

impl From<Breach> for Ended {
    fn from(breach: Breach) -> Self {
        Self::Broken(breach)
    }
}

impl ControlTask {
    /// Serves this control connection and every one after it. Ends only when the worker is discarded or turns out to be another one.
    pub(super) async fn run(mut self, first: Link) {
        let mut link = first;
        loop {
            let ended = self.serve(link).await;
            self.connection.store(None);
            // Its next render process serves whatever its warm pages answer by then.
            self.start.is_accepted |= self.standing.has_served();
            self.standing.set(WorkerState::Lost);
            if let Ended::Broken(breach) = ended {
                let Identity { instance, release, .. } = &self.identity;
                tracing::warn!(%instance, %release, %breach, "a worker broke the protocol");
                tokio::time::sleep(Duration::from_millis(BREACH_PAUSE_MS)).await;
            }
            link = match self.reconnect().await {
                Some(link) => link,
                None => return,
            };
        }
    }

    async fn reconnect(&self) -> Option<Link> {
        while !self.standing.is_discarded() {
            match handshake::connect(&self.identity, Channel::Control).await {
                Ok(link) => {
                    self.standing.set(WorkerState::Booting);
                    return Some(link);
                }
                Err(WorkerError::Mismatch { instance, source }) => {
                    tracing::error!(%instance, %source, "another worker answers at this worker's socket");
                    return None;
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(RECONNECT_PAUSE_MS)).await,
            }
        }
        None
    }

    async fn serve(&mut self, link: Link) -> Ended {
        let (sink, mut source) = link.split();
        let (frames, queue) = handshake::queue();
        let mut session = Session::default();
        let writer = handshake::write(queue, sink);
        tokio::pin!(writer);
        if frames.send(Frame::Start(self.start.clone())).await.is_err() {
            return Ended::Lost;
        }
        loop {
            let (due, wanted) = (session.due(), session.wanted());
            tokio::select! {
                () = &mut writer => return Ended::Lost,
                () = due, if session.serving.is_some() && !session.frozen => self.send_ping(&mut session, &frames),
                () = wanted => session.on_wanted(),
                Ok(()) = self.suspected.changed() => {
                    self.suspected.borrow_and_update();
                    session.suspected = true;
                }
                frame = source.next() => match frame {
                    Some(Ok(frame)) => {
                        if let Err(ended) = self.on_frame(frame, &mut session, &frames).await {
                            return ended;
                        }
                    }
                    Some(Err(error)) => {
                        tracing::warn!(instance = %self.identity.instance, %error, "the control socket broke");
                        return Ended::Lost;
                    }
                    None => return Ended::Lost,
                },
                Some(command) = self.commands.recv() => {
                    let frame = session.command(command);
                    // A full queue here means a worker that does not read: the command times out for its caller.
                    let _ = frames.try_send(frame);
                }
                Some(Ok(ended)) = session.tasks.join_next() => {
                    session.egress.remove(&ended.stream);
                    if let Some(line) = ended.line {
                        self.logs.take(&self.identity, vec![line]);
                    }
                }
                Some(ended) = session.requests.join_next() => {
                    return match ended {
                        Ok(Err(breach)) => Ended::Broken(breach),
                        Ok(Ok(())) | Err(_) => Ended::Lost,
                    };
                }
            }
        }
    }

    /// Does what a frame asks for.
    ///
    /// # Errors
    /// Why the connection ends.
    async fn on_frame(&self, frame: Frame, session: &mut Session, frames: &FrameSender) -> Result<(), Ended> {
        session.turn.hear(&frame)?;
        match frame {
            Frame::Ready(mut ready) => {
                if let Some(failure) = &mut ready.warm_failure {
                    failure.cut();
                }
                return self.on_ready(ready, session).await;
            }
            Frame::BootFailed(mut failure) => {
                failure.cut();
                self.standing.set(WorkerState::Failed(failure));
            }
            Frame::Log(lines) => self.logs.take(&self.identity, lines),
            Frame::Pong(pong) => {
                if let Some(serving) = &mut session.serving {
                    let status = serving.liveness.answered(pong.nonce, Instant::now());
                    self.update_health(serving, status);
                }
                if let Some(asked) = session.pings.remove(&pong.nonce) {
                    // The caller may have stopped waiting.
                    let _ = asked.send(pong);
                }
            }
            Frame::Frozen(frozen) => session.on_frozen(frozen),
            Frame::Egress(stream, head) => {
                let answer = AnswerSink::new(stream, frames.clone());
                session.on_egress(&self.egress, head, answer, stream, &self.memory)?;
            }
            Frame::Purge(stream, purge) => {
                let egress = self.egress.purge(&purge).err();
                let outcome = if egress.is_none() { Outcome::Ok } else { Outcome::Overloaded };
                frames.send_soon(Frame::Done(stream, Done { egress, ..Done::of(outcome) }));
            }
            Frame::Body(stream, data) => {
                if let Some(call) = session.egress.get(&stream) {
                    call.on_body(&data).map_err(|_| Breach::Window(stream))?;
                    if !self.memory.has_room(0) {
                        session.give_up(stream, frames);
                    }
                }
            }
            Frame::BodyEnd(stream) => {
                if let Some(call) = session.egress.get_mut(&stream) {
                    call.on_body_end();
                }
            }
            Frame::Credit(stream, bytes) => {
                if let Some(call) = session.egress.get(&stream)
                    && !call.on_credit(bytes)
                {
                    return Err(Breach::Credit(stream).into());
                }
            }
            Frame::Cancel(stream, _) => {
                if let Some(call) = session.egress.remove(&stream) {
                    call.abort();
                }
            }
            // Nothing else has a turn.
            other => return Err(Breach::OutOfTurn(other.kind()).into()),
        }
        Ok(())
    }

    /// A worker that is ready can be sent requests: connects the second socket and puts it in use.
    async fn on_ready(&self, ready: Ready, session: &mut Session) -> Result<(), Ended> {
        match handshake::connect(&self.identity, Channel::Requests).await {
            Ok(link) => {
                let (connection, run) =
                    Connection::start(link, &self.start.settings.limits, Arc::clone(&self.memory));
                session.requests.spawn(run);
                self.connection.store(Some(Arc::clone(&connection)));
                let liveness = Liveness::begin(Instant::now());
                session.serving = Some(Serving { ready: ready.clone(), connection, liveness, hung: false });
                self.standing.set(WorkerState::Ready(ready));
                Ok(())
            }
            Err(error) => {
                tracing::warn!(instance = %self.identity.instance, %error, "the requests socket can't be connected");
                Err(Ended::Lost)
            }
        }
    }

    /// Counts the pings that were not answered in time, and sends one if that is due.
    fn send_ping(&self, session: &mut Session, frames: &FrameSender) {
        let suspected = std::mem::take(&mut session.suspected);
        let Some(serving) = &mut session.serving else { return };
        let now = Instant::now();
        let (status, is_due) = serving.liveness.round(now, serving.connection.is_awaited(), suspected);
        if is_due {
            let nonce = session.turn.ping();
            serving.liveness.pinged(nonce, now);
            // A full queue is a worker that does not read: its ping is not answered in time.
            let _ = frames.try_send(Frame::Ping(nonce));
        }
        self.update_health(serving, status);
    }

    /// Takes a worker that hangs out of rotation, and one that answers again back in.
    fn update_health(&self, serving: &mut Serving, status: HealthStatus) {
        let hung = status == HealthStatus::Unhealthy;
        if hung == serving.hung {
            return;
        }
        serving.hung = hung;
        let (instance, release) = (&self.identity.instance, &self.identity.release);
        if hung {
            tracing::warn!(%instance, %release, "a worker answers no ping and gets no requests");
            self.connection.store(None);
            self.standing.set(WorkerState::Hung);
        } else {
            tracing::info!(%instance, %release, "a worker that hung answers again");
            self.connection.store(Some(Arc::clone(&serving.connection)));
            self.standing.set(WorkerState::Ready(serving.ready.clone()));
        }
    }
}

impl Session {
    /// Ends when the next ping is due. A suspicion brings it forward, by no more than a fraction of the interval.
    fn due(&self) -> tokio::time::Sleep {
        let now = Instant::now();
        let due = self.serving.as_ref().map_or(now, |serving| serving.liveness.due(self.suspected));
        tokio::time::sleep_until(due)
    }

    /// Ends when a request is sent and none was since the last look.
    fn wanted(&self) -> impl Future<Output = ()> + use<> {
        let connection = self.serving.as_ref().map(|serving| Arc::clone(&serving.connection));
        async move {
            match connection {
                Some(connection) => connection.wanted().await,
                None => std::future::pending().await,
            }
        }
    }

    fn on_wanted(&mut self) {
        if let Some(serving) = &mut self.serving {
            serving.liveness.wanted(Instant::now());
        }
    }

    fn command(&mut self, command: Command) -> Frame {
        match command {
            Command::Ping(asked) => {
                let nonce = self.turn.ping();
                self.pings.retain(|_, asked| !asked.is_closed());
                self.pings.insert(nonce, asked);
                Frame::Ping(nonce)
            }
            Command::Freeze(frozen, asked) => {
                self.turn.freeze(frozen);
                self.freezing.retain(|(_, asked)| !asked.is_closed());
                self.freezing.push((frozen, asked));
                if frozen { Frame::Freeze } else { Frame::Thaw }
            }
        }
    }

    /// Begins a call.
    ///
    /// # Errors
    /// The worker has more calls that have not ended than it may, or one of that number.
    fn on_egress(
        &mut self,
        egress: &Arc<Egress>,
        head: EgressHead,
        answer: AnswerSink,
        stream: StreamId,
        memory: &Arc<MemoryShare>,
    ) -> Result<(), Breach> {
        if self.tasks.len() >= EGRESS_CALLS_UNENDED_MAX {
            return Err(Breach::TooManyCalls);
        }
        if self.egress.contains_key(&stream) {
            return Err(Breach::Reused(stream));
        }
        let call = egress.call(head, answer, &mut self.tasks, stream, memory);
        self.egress.insert(stream, call);
        Ok(())
    }

    /// Ends a call whose body the host has no room for. Does not wait for the write queue: its only reader is the loop that calls this.
    fn give_up(&mut self, stream: StreamId, frames: &FrameSender) {
        if let Some(call) = self.egress.remove(&stream) {
            call.abort();
            let failure = EgressFailure::Limit(TOO_MUCH_HELD.to_owned());
            let done = Done { egress: Some(failure), ..Done::of(Outcome::UpstreamGone) };
            frames.send_soon(Frame::Done(stream, done));
        }
    }

    fn on_frozen(&mut self, frozen: bool) {
        self.frozen = frozen && self.turn.wants_frozen();
        for (_, asked) in self.freezing.extract_if(.., |(wanted, _)| *wanted == frozen) {
            // The caller may have stopped waiting.
            let _ = asked.send(());
        }
    }
}

#[cfg(test)]
mod tests;
