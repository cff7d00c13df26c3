//! Memory of the whole process, for what no isolate's heap counts: bytes of `Blob`s, messages that wait, the host calls of
//! an app.

use crate::limits::isolate::RESIDENT_GRACE_MS;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Where the kernel tells it. It has to be opened before the process gives its rights to files up.
pub const STATM: &str = "/proc/self/statm";

static WATCHED: OnceLock<Watched> = OnceLock::new();

struct Watched {
    statm: File,
    page_bytes: u64,
    bound_bytes: AtomicU64,
}

/// Has the watchdog look at [`STATM`]. Without it, and before [`bound`], the process is not bounded.
pub fn watch(statm: File) {
    // SAFETY: no memory is involved.
    let page_bytes = u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    // There is one render process and one such file.
    let _ = WATCHED.set(Watched { statm, page_bytes, bound_bytes: AtomicU64::new(u64::MAX) });
}

/// What the process may take.
pub fn bound(bytes: u64) {
    if let Some(watched) = WATCHED.get() {
        watched.bound_bytes.store(bytes, Ordering::Relaxed);
    }
}

/// Since when the process takes too much.
#[derive(Default)]
pub struct Excess {
    since: Option<Instant>,
}

impl Excess {
    /// Looks. Returns whether the process has just begun to take too much: what runs now is to be ended. If that gives nothing
    /// back for a while, the process ends; its supervisor starts a new one at once.
    pub fn begins(&mut self) -> bool {
        let Some(watched) = WATCHED.get() else { return false };
        if watched.resident_bytes() <= watched.bound_bytes.load(Ordering::Relaxed) {
            self.since = None;
            return false;
        }
        let Some(since) = self.since else {
            self.since = Some(Instant::now());
            return true;
        };
        if since.elapsed() >= Duration::from_millis(RESIDENT_GRACE_MS) {
            eprintln!("memory that no isolate's heap counts stays above its bound: the process ends");
            std::process::abort();
        }
        false
    }
}

impl Watched {
    /// 0 when it can't be told.
    fn resident_bytes(&self) -> u64 {
        let mut text = [0; 128];
        let length = self.statm.read_at(&mut text, 0).unwrap_or_default();
        let text = std::str::from_utf8(&text[..length]).unwrap_or_default();
        // Total, resident, and five more; in pages.
        let pages: u64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
        pages * self.page_bytes
    }
}
