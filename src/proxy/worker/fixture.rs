//! The worker's ends of both sockets, for tests.

#![expect(clippy::unwrap_used, reason = "only tests have it")]

use super::{BodyMemory, Endpoint, Identity, LogSink, MemoryShare};
use futures_util::{SinkExt as _, StreamExt as _};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use tokio_util::codec::Framed;
use vitrine_core::id::{Digest, InstanceId, ReleaseId};
use vitrine_wire::{
    CONTROL_SOCKET, Channel, Codec, Contract, Frame, Hello, LogLine, Peer, REQUESTS_SOCKET, Ready, Start,
    WorkerLimits, WorkerSettings,
};

/// A worker's end of one of its sockets.
pub type End = Framed<UnixStream, Codec>;

/// A worker that listens and does nothing by itself.
pub struct Played {
    /// Who it says it is.
    pub identity: Identity,
    /// Where the host asks for its control connection.
    pub control: UnixListener,
    /// Where the host asks for its requests connection.
    pub requests: UnixListener,
    _dir: TempDir,
}

impl Played {
    /// Listens as a worker of this release.
    pub fn listen(release: &ReleaseId) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let bind = |path: &Path| UnixListener::bind(path).unwrap();
        let identity = Identity {
            instance: InstanceId::random(),
            release: release.clone(),
            spec_hash: Digest([7; 32]),
            endpoint: Endpoint::Unix(dir.path().to_owned()),
        };
        let control = bind(&dir.path().join(CONTROL_SOCKET));
        let requests = bind(&dir.path().join(REQUESTS_SOCKET));
        Self { identity, control, requests, _dir: dir }
    }

    /// Takes the host's next control connection and its `Start`.
    pub async fn control(&self) -> End {
        let mut end = self.greet(Channel::Control).await;
        assert!(matches!(end.next().await, Some(Ok(Frame::Start(_)))));
        end
    }

    /// Takes the host's next requests connection.
    pub async fn requests(&self) -> End {
        self.greet(Channel::Requests).await
    }

    async fn greet(&self, channel: Channel) -> End {
        let listener = if channel == Channel::Control { &self.control } else { &self.requests };
        let mut end = Framed::new(listener.accept().await.unwrap().0, Codec);
        assert!(matches!(end.next().await, Some(Ok(Frame::Hello(_)))));
        let Identity { release, spec_hash, .. } = &self.identity;
        let hello = Hello::new(Peer::Worker, channel, &release.to_string(), spec_hash.0);
        end.send(Frame::Hello(hello)).await.unwrap();
        end
    }
}

/// What is said when everything went well.
pub fn ready() -> Frame {
    Frame::Ready(Ready { isolates: 1, boot_us: 1, from_snapshot: false, warm_failure: None })
}

/// Limits that no test reaches by chance.
pub fn settings() -> WorkerSettings {
    let limits = WorkerLimits {
        cpu_ms: 500,
        wall_ms: 5000,
        heap_mb: 128,
        concurrency: 32,
        queue: 256,
        queue_ms: 1000,
        request_mb: 1,
        response_mb: 1,
        client_stall_ms: 1000,
        stream_idle_ms: 60_000,
        subrequests: 1,
        log_lines_per_s: 100,
        isolates: 1,
        isolate_per_request: false,
    };
    WorkerSettings {
        entry: "server/index.js".into(),
        contract: Contract::Fetch,
        warm: Vec::new(),
        host: "localhost".into(),
        limits,
    }
}

/// Memory for what a worker sends.
pub fn memory() -> Arc<MemoryShare> {
    BodyMemory::new(1 << 30).share()
}

/// Takes lines and forgets them.
#[derive(Debug)]
pub struct NoLog;

impl LogSink for NoLog {
    fn take(&self, _: &Identity, _: Vec<LogLine>) {}
}

/// What such a worker is told.
pub fn start() -> Start {
    Start { settings: settings(), env: Vec::new(), is_accepted: false }
}
