//! How far an upload is, on a terminal.

use futures_util::TryStreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;
use tokio::fs::File;
use tokio_util::io::ReaderStream;

/// A bar on stderr; nothing at all where stderr is no terminal.
#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Begins at nothing of `bytes`.
    pub(super) fn start(bytes: u64) -> Self {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(bytes).with_style(style).with_message("uploading");
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// The file as a request body that moves the bar.
    pub(super) fn body(&self, file: File) -> reqwest::Body {
        let bar = self.0.clone();
        reqwest::Body::wrap_stream(ReaderStream::new(file).inspect_ok(move |piece| {
            bar.inc(piece.len() as u64);
        }))
    }

    /// Whether all of it was handed over: not whether it has arrived.
    pub(super) fn is_whole(&self) -> bool {
        Some(self.0.position()) >= self.0.length()
    }

    /// What is done now.
    pub(super) fn say(&self, what: String) {
        self.0.set_message(what);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
