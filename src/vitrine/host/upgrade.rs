//! The running host's end of a hand-over: a socket to be asked at, and the successor to be started.

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use vitrine_control::admin::Pause;
use vitrine_control::release::{Quiesced, Releases};
use vitrine_core::handover::{
    HandoverError, Message, Predecessor, Role, STATUS, UPGRADE_SOCKET, VARIABLE, recv, send,
};
use vitrine_core::limits::{
    HANDOVER_PREPARE_MS, HANDOVER_READY_MS, HANDOVER_REST_MS, PREDECESSOR_LIFE_MS, SETTLE_MS,
};
use vitrine_core::telemetry::error_chain;
use vitrine_proxy::connections::shutdown::Shutdown;
use vitrine_store::{Store, StoreError};

/// The answer to the command that asked for the hand-over: one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum UpgradeReply {
    /// Another process serves.
    Done {
        /// Its process id.
        pid: u32,
        /// From the question to here.
        took_ms: u64,
    },
    /// Nothing has changed.
    Failed {
        /// Why, for an operator.
        error: String,
    },
}

/// Why the host still is the one that serves.
#[derive(Debug, thiserror::Error)]
enum UpgradeError {
    #[error(transparent)]
    Handover(#[from] HandoverError),
    #[error("{} can't be started", .0.display())]
    Start(PathBuf, #[source] io::Error),
    #[error(
        "a deploy or another change is under way and did not end within {HANDOVER_REST_MS} ms; ask again later"
    )]
    Busy,
    #[error("the data folder can't be handed over")]
    Store(#[from] StoreError),
    #[error("the previous upgrade is not over")]
    Again,
    #[error("the host is stopping")]
    Stopping,
}

/// What a hand-over is made of.
#[derive(Debug)]
pub(super) struct Upgrade {
    /// Durable state.
    pub store: Store,
    /// The control plane.
    pub releases: Releases,
    /// The edge's end.
    pub leaving: Shutdown,
    /// The host before this one.
    pub predecessor: Predecessor,
    /// The listening sockets.
    pub sockets: Vec<(Role, OwnedFd)>,
    /// Where a hand-over is asked for.
    pub asked: UnixListener,
    /// Where the admin side is asked to rest.
    pub admin: mpsc::Sender<Pause>,
    /// This program as it was started: whatever lies at its path is the next.
    pub program: PathBuf,
}

/// A successor that was started.
struct Successor {
    child: Child,
    status: BufReader<UnixStream>,
    /// What this process has let go for it.
    rest: Option<Rest>,
}

/// A control plane at rest; it goes on when this is dropped.
struct Rest {
    control: Quiesced,
    _admin: oneshot::Sender<()>,
}

/// Opens the socket at which a hand-over is asked for. Only this user may connect.
///
/// # Errors
/// The path is too long for a socket, or the folder can't be written to.
pub(super) fn listen(store: &Store) -> io::Result<UnixListener> {
    let path = store.layout().upgrade_socket();
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

impl Upgrade {
    /// Hands over when a command asks for it, until the host stops or has handed over.
    pub(super) async fn serve(mut self) {
        loop {
            let accepted = tokio::select! {
                accepted = self.asked.accept() => accepted,
                () = self.leaving.stop.cancelled() => return,
            };
            let Ok((mut caller, _)) = accepted else { continue };
            let begun = Instant::now();
            tracing::info!(program = %self.program.display(), "a successor is started");
            let told = match self.hand_over().await {
                Ok(successor) => {
                    let (pid, took_ms) =
                        (successor.child.id().unwrap_or_default(), begun.elapsed().as_millis() as u64);
                    tracing::info!(pid, took_ms, "handed over; requests under way are finished");
                    tokio::spawn(follow(successor, self.leaving.clone()));
                    UpgradeReply::Done { pid, took_ms }
                }
                Err(error) => {
                    let error = error_chain(&error);
                    tracing::error!(error, "not handed over; this process serves on");
                    UpgradeReply::Failed { error }
                }
            };
            tell(&mut caller, &told).await;
            if matches!(told, UpgradeReply::Done { .. }) {
                return;
            }
        }
    }

    async fn hand_over(&mut self) -> Result<Successor, UpgradeError> {
        if self.predecessor.is_there() {
            // Only one host may be asked to take no further request before something changes.
            let gone = async {
                self.predecessor.settled().await;
                tokio::time::timeout(Duration::from_millis(HANDOVER_REST_MS), self.predecessor.gone()).await
            };
            tokio::select! {
                gone = gone => gone.map_err(|_| UpgradeError::Again)?,
                () = self.leaving.stop.cancelled() => return Err(UpgradeError::Stopping),
            }
        }
        let mut successor = self.start()?;
        match self.hand_over_to(&mut successor).await {
            Ok(()) => Ok(successor),
            Err(error) => {
                end(successor.child).await;
                Err(error)
            }
        }
    }

    /// Everything up to the one moment when the other accepts. Whatever fails leaves this host as it was.
    async fn hand_over_to(&self, successor: &mut Successor) -> Result<(), UpgradeError> {
        let prepared = async {
            expect(&mut successor.status, &Message::Prepared, HANDOVER_PREPARE_MS).await?;
            self.rest().await
        };
        let rest = tokio::select! {
            rest = prepared => rest?,
            () = self.leaving.stop.cancelled() => return Err(UpgradeError::Stopping),
        };
        // From here on a stop waits until the folder is taken back.
        self.stored(Store::release_to_successor).await?;
        let taken = async {
            send(&mut successor.status, &Message::Yours).await?;
            expect(&mut successor.status, &Message::Ready, HANDOVER_READY_MS).await
        };
        let taken = tokio::select! {
            taken = taken => taken.map_err(UpgradeError::from),
            () = self.leaving.stop.cancelled() => Err(UpgradeError::Stopping),
        };
        if let Err(error) = taken {
            // It holds the folder's lock until it has ended.
            let _ = successor.child.start_kill();
            let _ = successor.child.wait().await;
            self.stored(Store::reclaim).await?;
            self.releases.sweep_after_failure().await;
            return Err(error);
        }
        self.leaving.handed_over.cancel();
        rest.control.hand_over();
        self.store.forget_lent();
        successor.rest = Some(rest);
        Ok(())
    }

    async fn rest(&self) -> Result<Rest, UpgradeError> {
        let (begun, resting) = oneshot::channel();
        let (end, over) = oneshot::channel();
        self.admin.send(Pause { begun, over }).await.map_err(|_| UpgradeError::Stopping)?;
        if !resting.await.unwrap_or(false) {
            return Err(UpgradeError::Busy);
        }
        let control = self.releases.pause(Duration::from_millis(HANDOVER_REST_MS)).await;
        Ok(Rest { control: control.ok_or(UpgradeError::Busy)?, _admin: end })
    }

    /// Copies and locks take their time, and a stop is to be heard meanwhile.
    async fn stored(&self, call: fn(&Store) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || call(&store)).await.unwrap_or(Err(StoreError::ShuttingDown))
    }

    /// Starts the successor: this command line, with the sockets inherited.
    fn start(&self) -> Result<Successor, UpgradeError> {
        let failed = |source| UpgradeError::Start(self.program.clone(), source);
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(failed)?;
        let own = [(STATUS, theirs.as_raw_fd()), (UPGRADE_SOCKET, self.asked.as_raw_fd())];
        let listening = self.sockets.iter().map(|(role, fd)| (role.as_str(), fd.as_raw_fd()));
        let (named, passed): (Vec<String>, Vec<RawFd>) =
            own.into_iter().chain(listening).map(|(name, fd)| (format!("{name}:{fd}"), fd)).unzip();
        let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
        let mut command = Command::new(&self.program);
        command.args(arguments).env(VARIABLE, named.join(",")).stdin(Stdio::null());
        // SAFETY: between fork and exec only descriptors are changed: no allocation, no lock.
        unsafe {
            command.pre_exec(move || pass_on(&passed));
        }
        let child = command.spawn().map_err(failed)?;
        drop(theirs);
        ours.set_nonblocking(true).map_err(failed)?;
        let status = BufReader::new(UnixStream::from_std(ours).map_err(failed)?);
        Ok(Successor { child, status, rest: None })
    }
}

/// Lets the successor's descriptors pass through `exec`.
fn pass_on(descriptors: &[RawFd]) -> io::Result<()> {
    for fd in descriptors {
        // SAFETY: the parent holds it open for as long as the fork takes.
        fcntl(unsafe { BorrowedFd::borrow_raw(*fd) }, FcntlArg::F_SETFD(FdFlag::empty()))?;
    }
    Ok(())
}

async fn expect(
    status: &mut BufReader<UnixStream>,
    wanted: &Message,
    patience_ms: u64,
) -> Result<(), HandoverError> {
    match recv(status, patience_ms).await? {
        Some(word) if word == *wanted => Ok(()),
        Some(Message::Failed { reason }) => Err(HandoverError::Failed(reason)),
        _ => Err(HandoverError::Ended),
    }
}

/// Stops for the successor's sake when it asks, and leaves it alone otherwise: it goes on when this process ends.
async fn follow(mut successor: Successor, leaving: Shutdown) {
    while let Ok(Some(word)) = recv(&mut successor.status, PREDECESSOR_LIFE_MS).await {
        if word != Message::Settle {
            continue;
        }
        let settled = tokio::time::timeout(Duration::from_millis(SETTLE_MS), leaving.settle()).await;
        if settled.is_err() || send(&mut successor.status, &Message::Settled).await.is_err() {
            break;
        }
    }
    // Held to the end: the admin side's socket is the other's now, and it takes the end of this one for the end of this process.
    std::future::pending::<()>().await;
}

async fn end(mut child: Child) {
    let _ = child.start_kill();
    let _ = child.wait().await;
}

async fn tell(caller: &mut UnixStream, told: &UpgradeReply) {
    if let Ok(mut line) = serde_json::to_vec(told) {
        line.push(b'\n');
        // The command may be gone; the log has the answer, too.
        let _ = caller.write_all(&line).await;
    }
}
