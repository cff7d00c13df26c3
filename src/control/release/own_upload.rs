//! The upload that took a release in: it is undone for a caller that left, unless another one was told that the release is there.

use std::sync::atomic::{AtomicU64, Ordering};

/// Number of the deploy that took a release in, while that may be undone.
#[derive(Debug, Default)]
pub(super) struct OwnUpload(AtomicU64);

/// The release stays: it was there at the start of the host, or a second caller relies on it.
const STAYS: u64 = 0;
/// It is being removed.
const UNDONE: u64 = u64::MAX;

impl OwnUpload {
    /// The release was taken in by this deploy.
    pub(super) fn begun_by(&self, deploy: u64) {
        self.0.store(deploy, Ordering::SeqCst);
    }

    /// Another caller is about to be told that the release is there. False when it is being removed.
    pub(super) fn keep(&self) -> bool {
        let kept = |upload| (upload != UNDONE).then_some(STAYS);
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, kept).is_ok()
    }

    /// Begins to undo this deploy, unless the release stays or is another deploy's. Gives whether it does.
    pub(super) fn undo(&self, deploy: u64) -> bool {
        self.0.compare_exchange(deploy, UNDONE, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// The release could not be removed.
    pub(super) fn could_not_be_undone(&self) {
        let _ = self.0.compare_exchange(UNDONE, STAYS, Ordering::SeqCst, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_undone_unless_another_caller_was_told_that_its_release_is_there() {
        let upload = OwnUpload::default();
        assert!(upload.keep() && !upload.undo(7), "an earlier host took it in");
        upload.begun_by(7);
        assert!(!upload.undo(6), "its name was another release's then");
        assert!(upload.keep() && !upload.undo(7));
        upload.begun_by(8);
        assert!(upload.undo(8) && !upload.keep(), "nobody is told of what is being removed");
        upload.could_not_be_undone();
        assert!(upload.keep() && !upload.undo(8));
    }
}
