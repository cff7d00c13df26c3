//! How the host reaches an instance: two connections, one for requests and one for control. Everything above speaks frames and knows
//! no more of it than [`Endpoint`] and [`Stream`].

use std::io;
use std::path::PathBuf;
use tokio::net::UnixStream;
use vitrine_wire::{CONTROL_SOCKET, Channel, REQUESTS_SOCKET};

/// Where an instance is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// Unix sockets in a folder, one for each channel.
    Unix(PathBuf),
}

/// A connection to an instance. One kind so far, so nothing is dispatched at run time.
pub(super) type Stream = UnixStream;

impl Endpoint {
    /// Connects one of the channels.
    ///
    /// # Errors
    /// As the system says.
    pub async fn connect(&self, channel: Channel) -> io::Result<Stream> {
        match self {
            Self::Unix(folder) => UnixStream::connect(folder.join(socket(channel))).await,
        }
    }

    /// The address of one of the channels, for errors.
    #[must_use]
    pub fn address(&self, channel: Channel) -> String {
        match self {
            Self::Unix(folder) => folder.join(socket(channel)).display().to_string(),
        }
    }
}

const fn socket(channel: Channel) -> &'static str {
    match channel {
        Channel::Requests => REQUESTS_SOCKET,
        Channel::Control => CONTROL_SOCKET,
    }
}
