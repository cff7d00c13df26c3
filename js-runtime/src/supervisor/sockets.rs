//! The two listening sockets of an instance.

use std::io::Error;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use vitrine_wire::{CONTROL_SOCKET, REQUESTS_SOCKET};

/// Longest path of a Unix socket, in bytes: the system's 108 without the final zero.
const PATH_BYTES_MAX: usize = 107;

/// Everyone who reaches the socket's folder may connect. The folder is the host's and keeps others out; the worker runs
/// under another uid than the host, so that a narrower mode would lock the host out.
const SOCKET_MODE: u32 = 0o666;

/// Why a socket can't be made.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The system has no room for the name.
    #[error(
        "the socket path {path} is {length} bytes long, at most {PATH_BYTES_MAX} are possible; use a shorter folder"
    )]
    TooLong {
        /// Path.
        path: PathBuf,
        /// Its length.
        length: usize,
    },
    /// Another worker listens there.
    #[error("another worker answers at {path}; stop it or use another folder")]
    InUse {
        /// Path.
        path: PathBuf,
    },
    /// Something that is no socket has the name.
    #[error("{path} exists and is not a socket; remove it or use another folder")]
    NotASocket {
        /// Path.
        path: PathBuf,
    },
    /// The system refused.
    #[error("can't {step} {path}")]
    System {
        /// What was tried.
        step: &'static str,
        /// Path.
        path: PathBuf,
        /// Cause.
        #[source]
        source: Error,
    },
}

/// Both sockets. The render process inherits them; they are removed with this.
#[derive(Debug)]
pub(super) struct Sockets {
    requests: Socket,
    control: Socket,
}

#[derive(Debug)]
struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Sockets {
    pub(super) fn bind(folder: &Path) -> Result<Self, SocketError> {
        let requests = Socket::bind(folder.join(REQUESTS_SOCKET))?;
        // The host takes the control socket's existence for both.
        Ok(Self { requests, control: Socket::bind(folder.join(CONTROL_SOCKET))? })
    }

    pub(super) fn requests_fd(&self) -> RawFd {
        self.requests.listener.as_raw_fd()
    }

    pub(super) fn control_fd(&self) -> RawFd {
        self.control.listener.as_raw_fd()
    }
}

impl Socket {
    fn bind(path: PathBuf) -> Result<Self, SocketError> {
        let length = path.as_os_str().as_bytes().len();
        if length > PATH_BYTES_MAX {
            return Err(SocketError::TooLong { path, length });
        }
        check_free(&path)?;
        // The name appears once the socket takes connections, so that a process that finds it can connect.
        let hidden = path.with_extension("new");
        let system = |step| {
            let path = path.clone();
            move |source| SocketError::System { step, path, source }
        };
        // A worker that was killed in this place left it behind.
        drop(std::fs::remove_file(&hidden));
        let listener = UnixListener::bind(&hidden).map_err(system("listen at"))?;
        std::fs::set_permissions(&hidden, std::fs::Permissions::from_mode(SOCKET_MODE))
            .map_err(system("set the mode of"))?;
        std::fs::rename(&hidden, &path).map_err(system("give its name to"))?;
        // SAFETY: the descriptor is open, and the call touches no memory. Only the render process is ever started from
        // here, and it is to inherit the socket.
        if unsafe { libc::fcntl(listener.as_raw_fd(), libc::F_SETFD, 0) } != 0 {
            return Err(system("pass on")(Error::last_os_error()));
        }
        Ok(Self { listener, path })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // A socket that is left over is found stale by the next worker.
        drop(std::fs::remove_file(&self.path));
    }
}

/// Checks that nothing but the socket of a worker that is gone has the name.
fn check_free(path: &Path) -> Result<(), SocketError> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(SocketError::System { step: "look at", path: path.to_owned(), source }),
        Ok(found) if !found.file_type().is_socket() => Err(SocketError::NotASocket { path: path.to_owned() }),
        Ok(_) if UnixStream::connect(path).is_ok() => Err(SocketError::InUse { path: path.to_owned() }),
        Ok(_) => Ok(()),
    }
}
