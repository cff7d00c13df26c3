//! Sends the body of an egress call from an isolate's thread to the wire.

use crate::limits::isolate::UPLOAD_PIECES;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc;

/// The sending end of an upload. Dropped without [`UploadSender::end`], the upload has broken off.
#[derive(Debug)]
pub struct UploadSender {
    pieces: mpsc::Sender<Bytes>,
    whole: Arc<AtomicBool>,
}

/// The receiving end of an upload.
#[derive(Debug)]
pub struct UploadReader {
    pieces: mpsc::Receiver<Bytes>,
    whole: Arc<AtomicBool>,
}

/// An upload that nothing was sent of.
#[must_use]
pub fn upload() -> (UploadSender, UploadReader) {
    let (sender, receiver) = mpsc::channel(UPLOAD_PIECES);
    let whole = Arc::new(AtomicBool::new(false));
    (UploadSender { pieces: sender, whole: Arc::clone(&whole) }, UploadReader { pieces: receiver, whole })
}

impl UploadSender {
    /// Where its pieces go.
    #[must_use]
    pub fn pieces(&self) -> mpsc::Sender<Bytes> {
        self.pieces.clone()
    }

    /// All of it was sent.
    pub fn end(self) {
        self.whole.store(true, Ordering::Release);
    }
}

impl UploadReader {
    /// The next piece; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        self.pieces.recv().await
    }

    /// Whether an end that was reached is that of the whole upload.
    pub(super) fn is_whole(&self) -> bool {
        self.whole.load(Ordering::Acquire)
    }
}
