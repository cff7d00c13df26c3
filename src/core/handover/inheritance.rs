//! What a successor was started with.

use super::{HandoverError, Message, Predecessor, Role, STATUS, UPGRADE_SOCKET, VARIABLE, recv, send};
use crate::failpoint;
use crate::limits::HANDOVER_DATA_MS;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};
use tokio::io::BufReader;
use tokio::net::{UnixListener, UnixStream};

/// Where the host before this one is told why this process ends: the status socket, as long as that host waits for a word. None before
/// it is taken.
static TOLD: Mutex<Option<Option<OwnedFd>>> = Mutex::new(None);

/// Sockets of the host before this one, if there was one. Without one it is empty.
#[derive(Debug, Default)]
pub struct Inheritance {
    listeners: Vec<(Role, TcpListener)>,
    status: Option<BufReader<UnixStream>>,
    /// Where a hand-over is asked for.
    pub asked: Option<UnixListener>,
    predecessor: Predecessor,
}

impl Inheritance {
    /// Takes what the environment names. Once a process; needs a tokio runtime.
    ///
    /// # Errors
    /// [`HandoverError::Variable`], [`HandoverError::Socket`].
    pub fn take() -> Result<Self, HandoverError> {
        let Some((text, named)) = named()? else { return Ok(Self::default()) };
        tell_by(None);
        let mut inheritance = Self::default();
        for (name, fd) in named {
            // SAFETY: the host that started this process opened the descriptor for it, and this is the one place that takes it.
            let fd = unsafe { OwnedFd::from_raw_fd(fd) };
            let socket = |source| HandoverError::Socket { operation: "taking an inherited socket", source };
            // Workers and the engine inherit nothing.
            fcntl(&fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map_err(|error| socket(error.into()))?;
            if name == STATUS {
                tell_by(fd.try_clone().ok());
                let stream = std::os::unix::net::UnixStream::from(fd);
                stream.set_nonblocking(true).map_err(socket)?;
                inheritance.status = Some(BufReader::new(UnixStream::from_std(stream).map_err(socket)?));
                continue;
            }
            if name == UPGRADE_SOCKET {
                let listener = std::os::unix::net::UnixListener::from(fd);
                listener.set_nonblocking(true).map_err(socket)?;
                inheritance.asked = Some(UnixListener::from_std(listener).map_err(socket)?);
                continue;
            }
            let role = Role::ALL.into_iter().find(|role| role.as_str() == name);
            let role = role.ok_or_else(|| HandoverError::Variable(text.clone()))?;
            let listener = TcpListener::from(fd);
            listener.set_nonblocking(true).map_err(socket)?;
            inheritance.listeners.push((role, listener));
        }
        Ok(inheritance)
    }

    /// The inherited socket for this role, if it listens where it is wanted; port 0 is any port.
    #[must_use]
    pub fn listener(&mut self, role: Role, wanted: SocketAddr) -> Option<TcpListener> {
        let fits = |listener: &TcpListener| {
            listener
                .local_addr()
                .is_ok_and(|at| at.ip() == wanted.ip() && (wanted.port() == 0 || at.port() == wanted.port()))
        };
        let at = self.listeners.iter().position(|(is, listener)| *is == role && fits(listener))?;
        Some(self.listeners.swap_remove(at).1)
    }

    /// Waits until the data folder is free. At once without a predecessor.
    ///
    /// # Errors
    /// [`HandoverError::Refused`], [`HandoverError::Silent`], [`HandoverError::Socket`].
    pub async fn data_folder(&mut self) -> Result<(), HandoverError> {
        let Some(status) = &mut self.status else { return Ok(()) };
        send(status, &Message::Prepared).await?;
        match recv(status, HANDOVER_DATA_MS).await? {
            Some(Message::Yours) => {
                self.predecessor = Predecessor::expected();
                Ok(())
            }
            _ => Err(HandoverError::Refused),
        }
    }

    /// The host before this one.
    #[must_use]
    pub fn predecessor(&self) -> Predecessor {
        self.predecessor.clone()
    }

    /// Tells the predecessor that this process accepts: it stops accepting.
    ///
    /// # Errors
    /// [`HandoverError::Socket`]: it is gone, which is as good.
    pub async fn ready(self) -> Result<(), HandoverError> {
        let Some(mut status) = self.status else { return Ok(()) };
        failpoint::at("handover.ready");
        tell_by(None);
        send(&mut status, &Message::Ready).await?;
        self.predecessor.follow(status);
        Ok(())
    }
}

/// Tells the host that started this process why it ends, if there is one.
pub fn report_failure(reason: &str) {
    let Some(fd) = tell_by(None).unwrap_or_else(untaken) else { return };
    if let Ok(mut line) = serde_json::to_vec(&Message::Failed { reason: reason.to_owned() }) {
        line.push(b'\n');
        // There is no other receiver.
        let _ = std::os::unix::net::UnixStream::from(fd).write_all(&line);
    }
}

/// Gives what was there before.
fn tell_by(fd: Option<OwnedFd>) -> Option<Option<OwnedFd>> {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner).replace(fd)
}

/// The status socket of a process that ends before it has taken what it inherits.
fn untaken() -> Option<OwnedFd> {
    let (_, named) = named().ok()??;
    let (_, fd) = named.iter().find(|(name, _)| name == STATUS)?;
    // SAFETY: the process is about to end, and the descriptor stays open until then.
    unsafe { BorrowedFd::borrow_raw(*fd) }.try_clone_to_owned().ok()
}

/// The variable's text, and the descriptors that it names.
type Named = (String, Vec<(String, RawFd)>);

fn named() -> Result<Option<Named>, HandoverError> {
    let Ok(text) = std::env::var(VARIABLE) else { return Ok(None) };
    let part = |part: &str| {
        let (name, fd) = part.split_once(':')?;
        Some((name.to_owned(), fd.parse().ok().filter(|fd: &RawFd| *fd > 2)?))
    };
    let named: Option<Vec<_>> = text.split(',').map(part).collect();
    named.map(|named| Some((text.clone(), named))).ok_or(HandoverError::Variable(text))
}
