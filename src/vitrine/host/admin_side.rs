//! The admin side of a running host.

use super::{HostError, sockets_error};
use std::os::fd::OwnedFd;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vitrine_control::admin::{Admin, AdminOptions, Pause};

/// The admin side, which serves.
pub(super) struct AdminSide {
    /// Where it answers, with its real port.
    pub url: String,
    /// Its listening socket, for a successor.
    pub socket: OwnedFd,
    /// Where it is asked to rest.
    pub pauses: mpsc::Sender<Pause>,
    /// Ends it.
    pub stop: CancellationToken,
    /// Ends with it.
    pub task: JoinHandle<()>,
}

impl AdminSide {
    /// Binds it and lets it serve. `bound` is called in between: no call is answered before that returns.
    ///
    /// # Errors
    /// [`HostError::Admin`], [`HostError::System`].
    pub(super) fn begin(options: AdminOptions, bound: impl FnOnce()) -> Result<Self, HostError> {
        let admin = Admin::bind(options)?;
        let (url, socket) = (admin.url(), admin.socket().map_err(sockets_error)?);
        bound();
        let (pauses, asked) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let task = tokio::spawn(admin.serve(stop.clone(), asked));
        Ok(Self { url, socket, pauses, stop, task })
    }
}
