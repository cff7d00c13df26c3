//! Everything that can be said, as one list.

use crate::{
    BootFailure, CancelReason, Done, EgressHead, Hello, LogLine, Pong, Purge, Ready, RequestHead,
    ResponseHead, SnapshotPiece, SnapshotRequest, Start,
};
use bytes::Bytes;

/// Number of a stream, chosen by the side that opens it, never used twice on one connection. Frames about the
/// connection or the instance carry 0.
pub type StreamId = u32;

/// One message in either direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// First frame of each side.
    Hello(Hello),
    /// Host opens a stream on the requests socket.
    Request(StreamId, RequestHead),
    /// Worker opens a stream on the control socket.
    Egress(StreamId, EgressHead),
    /// Head of the answer.
    Response(StreamId, ResponseHead),
    /// Piece of a body, at most `BODY_FRAME_BYTES_MAX` long.
    Body(StreamId, Bytes),
    /// End of a request's or egress call's body.
    BodyEnd(StreamId),
    /// End of the answer.
    Done(StreamId, Done),
    /// The sender gives the stream up.
    Cancel(StreamId, CancelReason),
    /// The receiver of a body took this many bytes.
    Credit(StreamId, u32),
    /// Worker opens a stream on the control socket: purge what the cache holds of the app. Its answer is `Done` alone.
    Purge(StreamId, Purge),
    /// Host: begin.
    Start(Start),
    /// Worker: serving.
    Ready(Ready),
    /// Worker: this bundle can't be served.
    BootFailed(BootFailure),
    /// Worker: lines that the app wrote, at most `LOG_LINES_MAX`.
    Log(Vec<LogLine>),
    /// Host: are you alive.
    Ping(u64),
    /// Worker: yes, and so are these.
    Pong(Pong),
    /// Host: give memory back and stop polling.
    Freeze,
    /// Host: serve again.
    Thaw,
    /// Worker: `true` frozen, `false` serving again.
    Frozen(bool),
    /// Host: take nothing new, finish within this many milliseconds, answer `Drained`.
    Drain(u64),
    /// Worker: nothing is in flight.
    Drained,
    /// Host, instead of `Start`: make a snapshot.
    TakeSnapshot(SnapshotRequest),
    /// Worker: a piece of it.
    SnapshotPiece(SnapshotPiece),
}

impl Frame {
    /// The name of its kind, for logs: what is in it may be secret.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Request(..) => "request",
            Self::Egress(..) => "egress",
            Self::Response(..) => "response",
            Self::Body(..) => "body",
            Self::BodyEnd(_) => "body_end",
            Self::Done(..) => "done",
            Self::Cancel(..) => "cancel",
            Self::Credit(..) => "credit",
            Self::Purge(..) => "purge",
            Self::Start(_) => "start",
            Self::Ready(_) => "ready",
            Self::BootFailed(_) => "boot_failed",
            Self::Log(_) => "log",
            Self::Ping(_) => "ping",
            Self::Pong(_) => "pong",
            Self::Freeze => "freeze",
            Self::Thaw => "thaw",
            Self::Frozen(_) => "frozen",
            Self::Drain(_) => "drain",
            Self::Drained => "drained",
            Self::TakeSnapshot(_) => "take_snapshot",
            Self::SnapshotPiece(_) => "snapshot_piece",
        }
    }
}
