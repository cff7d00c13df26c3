//! Both sockets of a worker: reads frames into requests, writes answers as frames.

pub mod instance;

mod control;
mod requests;
mod writer;

use crate::limits::{ACCEPT_PAUSE_MS, CONNECTIONS_MAX, SHUTDOWN_FLUSH_MS};
use crate::log::{Severity, causes, note};
use crate::request::{EgressStreams, LogReader, RequestStreams, StreamError, WriteQueue};
use control::LogTurn;
use futures_util::{SinkExt, StreamExt};
use instance::Instance;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::codec::{FramedRead, FramedWrite};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vitrine_wire::limits::{BODY_FRAME_BYTES_MAX, HELLO_TIMEOUT_MS};
use vitrine_wire::{Channel, Codec, DecodeError, Frame, Hello, HelloError, Peer, SpecHash};
use writer::WriteError;

type Reading = FramedRead<OwnedReadHalf, Codec>;
type Writing = FramedWrite<OwnedWriteHalf, Codec>;

/// Why a connection ended other than by the host closing it.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The other side is not the host of this instance.
    #[error("the hello was refused")]
    Hello(#[from] HelloError),
    /// No hello in time.
    #[error("no hello came within {HELLO_TIMEOUT_MS} ms")]
    HelloTimeout,
    /// Closed before the hello.
    #[error("the connection was closed before the hello")]
    NoHello,
    /// Bytes that are no frame, or a socket that failed.
    #[error("can't read from the host")]
    Read(#[from] DecodeError),
    /// A frame that does not belong here.
    #[error("a {kind} frame does not belong on the {channel:?} socket")]
    Unexpected {
        /// Socket.
        channel: Channel,
        /// Name of the frame.
        kind: &'static str,
    },
    /// A stream was used against the protocol.
    #[error("the host broke the rules of a stream")]
    Stream(#[from] StreamError),
    /// Writing failed.
    #[error("writing failed")]
    Write(#[from] WriteError),
}

impl ConnectionError {
    const fn unexpected(channel: Channel, frame: &Frame) -> Self {
        Self::Unexpected { channel, kind: frame.kind() }
    }
}

/// Both sockets of one instance.
pub struct Server {
    instance: Arc<Instance>,
    release: String,
    spec_hash: SpecHash,
    logs: Arc<Mutex<LogReader>>,
    /// The control connections that have said hello and are open, oldest first. Those before the newest stay open, so that a host that
    /// hands over to its successor can finish what it has begun, and take over again if the successor fails.
    controls: watch::Sender<Vec<u64>>,
    /// Number of the last one.
    last_control: AtomicU64,
    closing: CancellationToken,
    connections: TaskTracker,
}

impl Server {
    /// A server that serves `instance` to hosts that expect `release` and `spec_hash`.
    pub fn new(instance: Arc<Instance>, release: String, spec_hash: SpecHash, logs: LogReader) -> Arc<Self> {
        Arc::new(Self {
            instance,
            release,
            spec_hash,
            logs: Arc::new(Mutex::new(logs)),
            controls: watch::Sender::new(Vec::new()),
            last_control: AtomicU64::new(0),
            closing: CancellationToken::new(),
            connections: TaskTracker::new(),
        })
    }

    /// The control connections that have said hello and are open, oldest first.
    pub fn controls(&self) -> watch::Receiver<Vec<u64>> {
        self.controls.subscribe()
    }

    /// Takes connections of one socket until [`Server::close`].
    pub async fn accept(self: Arc<Self>, channel: Channel, listener: UnixListener) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.closing.cancelled() => return,
            };
            match (accepted, Arc::clone(&places).try_acquire_owned()) {
                (Ok((socket, _)), Ok(place)) => {
                    let server = Arc::clone(&self);
                    self.connections.spawn(async move {
                        server.connection(channel, socket).await;
                        drop(place);
                    });
                }
                (Ok(_), Err(_)) => {
                    note(Severity::Warn, "too_many_connections", json!({"channel": format!("{channel:?}")}));
                }
                (Err(error), _) => {
                    note(Severity::Warn, "accept_failed", json!({"error": causes(&error)}));
                    tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
                }
            }
        }
    }

    /// Takes no connection any more, writes what is queued and closes every connection, at most for
    /// [`SHUTDOWN_FLUSH_MS`].
    pub async fn close(&self) {
        self.closing.cancel();
        self.connections.close();
        let flush = Duration::from_millis(SHUTDOWN_FLUSH_MS);
        if tokio::time::timeout(flush, self.connections.wait()).await.is_err() {
            note(Severity::Warn, "flush_timed_out", json!({"timeout_ms": SHUTDOWN_FLUSH_MS}));
        }
    }

    async fn connection(self: Arc<Self>, channel: Channel, socket: UnixStream) {
        let ended = match self.greet(channel, socket).await {
            Err(error) => Err(error),
            Ok((reading, writing)) => match channel {
                Channel::Requests => self.requests(reading, writing).await,
                Channel::Control => self.control(reading, writing).await,
            },
        };
        if let Err(error) = ended {
            let fields = json!({"channel": format!("{channel:?}"), "error": causes(&error)});
            note(Severity::Warn, "connection_ended", fields);
        }
    }

    /// Says hello and checks the host's. Nothing else is read before it fits.
    async fn greet(
        &self,
        channel: Channel,
        socket: UnixStream,
    ) -> Result<(Reading, Writing), ConnectionError> {
        let (reading, writing) = socket.into_split();
        let mut reading = FramedRead::with_capacity(reading, Codec, BODY_FRAME_BYTES_MAX);
        let mut writing = FramedWrite::new(writing, Codec);
        let ours = Hello::new(Peer::Worker, channel, &self.release, self.spec_hash);
        let greeting = async {
            writing.send(Frame::Hello(ours.clone())).await?;
            match reading.next().await.ok_or(ConnectionError::NoHello)?? {
                Frame::Hello(theirs) => Ok(ours.accept(&theirs)?),
                frame => Err(ConnectionError::unexpected(channel, &frame)),
            }
        };
        tokio::select! {
            greeted = tokio::time::timeout(Duration::from_millis(HELLO_TIMEOUT_MS), greeting) => {
                greeted.map_err(|_| ConnectionError::HelloTimeout)??;
            }
            () = self.closing.cancelled() => return Err(ConnectionError::NoHello),
        }
        Ok((reading, writing))
    }

    async fn requests(&self, mut reading: Reading, writing: Writing) -> Result<(), ConnectionError> {
        let (queue, entries) = WriteQueue::new();
        let streams = RequestStreams::new(queue);
        let read = requests::read(&mut reading, &self.instance, &streams);
        let ended = self.run(read, writing, entries).await;
        streams.cancel_all();
        ended
    }

    async fn control(&self, mut reading: Reading, writing: Writing) -> Result<(), ConnectionError> {
        let (queue, entries) = WriteQueue::new();
        let streams = EgressStreams::new(queue.clone());
        let number = self.last_control.fetch_add(1, Ordering::Relaxed);
        self.controls.send_modify(|open| open.push(number));
        self.instance.link().attach(Arc::clone(&streams));
        let turn = LogTurn { number, controls: self.controls() };
        let logs = control::send_logs(Arc::clone(&self.logs), queue.clone(), turn, self.closing.clone());
        let logs = tokio::spawn(logs);
        let read = control::read(&mut reading, &self.instance, &streams, &queue);
        let ended = self.run(read, writing, entries).await;
        logs.abort();
        self.instance.link().detach(&streams);
        streams.cancel_all();
        self.controls.send_modify(|open| open.retain(|other| *other != number));
        ended
    }

    /// Reads and writes one connection until either side ends it or the process closes. What is queued is still written
    /// when the process closes, and nothing of it when the connection is over.
    async fn run(
        &self,
        read: impl Future<Output = Result<(), ConnectionError>>,
        writing: Writing,
        entries: crate::request::WriteQueueReader,
    ) -> Result<(), ConnectionError> {
        let mut writer: JoinHandle<Result<(), WriteError>> =
            tokio::spawn(writer::write(writing, entries, self.closing.clone()));
        let ended = tokio::select! {
            ended = read => ended,
            ended = &mut writer => return Ok(ended.unwrap_or(Ok(()))?),
        };
        writer.abort();
        ended
    }
}
