//! One file of kept lines: its name, and its compression.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Extension of a closed segment.
pub(super) const PACKED: &str = "zst";
/// Extension of a segment before it is compressed.
pub(super) const PLAIN: &str = "jsonl";
const HALF_DONE: &str = "half";
const LEVEL: i32 = 3;

/// When a segment began, in milliseconds since the Unix epoch, and who writes it.
pub(super) type Name = (u64, String);

/// A file of kept lines.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub path: PathBuf,
    pub bytes: u64,
    pub ended_ms: u64,
}

impl Segment {
    pub(super) fn at(path: PathBuf) -> Option<Self> {
        let told = fs::metadata(&path).ok()?;
        Some(Self { path, bytes: told.len(), ended_ms: ms_of(told.modified().ok()?) })
    }
}

/// Writes a segment's compressed twin and removes the segment; gives the twin.
pub(super) fn packed_file(segment: &Segment, packer: &str) -> io::Result<Segment> {
    let half_done = segment.path.with_extension(format!("{packer}.{HALF_DONE}"));
    let into = packed(&segment.path);
    let packed_now = || -> io::Result<u64> {
        let mut half = private().create(true).truncate(true).open(&half_done)?;
        zstd::stream::copy_encode(File::open(&segment.path)?, &mut half, LEVEL)?;
        let ended = UNIX_EPOCH + Duration::from_millis(segment.ended_ms);
        half.set_times(FileTimes::new().set_modified(ended))?;
        // The plain segment is removed: a host that loses its power must find this one whole.
        half.sync_data()?;
        let bytes = half.metadata()?.len();
        fs::rename(&half_done, &into)?;
        Ok(bytes)
    };
    let done = packed_now();
    // Of both there is one at the end, unless the disk refuses that, too.
    let _ = fs::remove_file(if done.is_ok() { &segment.path } else { &half_done });
    Ok(Segment { bytes: done?, path: into, ended_ms: segment.ended_ms })
}

/// Name of the compressed twin of a plain segment.
pub(super) fn packed(path: &Path) -> PathBuf {
    path.with_extension(format!("{PLAIN}.{PACKED}"))
}

/// What a file's name says of a segment, and whether it is plain.
pub(super) fn name_of(path: &Path) -> Option<(Name, bool)> {
    let name = path.file_name()?.to_str()?;
    let (stem, is_plain) = match name.strip_suffix(&format!(".{PLAIN}")) {
        Some(stem) => (stem, true),
        None => (name.strip_suffix(&format!(".{PLAIN}.{PACKED}"))?, false),
    };
    let (begun_ms, writer) = stem.split_once('-')?;
    Some(((begun_ms.parse().ok()?, writer.to_owned()), is_plain))
}

/// Who compresses a segment into a file that is half done.
pub(super) fn packer_of(path: &Path) -> Option<&str> {
    stem(path, HALF_DONE)?.rsplit(['.', '-']).next()
}

pub(super) fn stem<'a>(path: &'a Path, extension: &str) -> Option<&'a str> {
    path.file_name()?.to_str()?.strip_suffix(extension)?.strip_suffix('.')
}

pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

pub(super) fn now_ms() -> u64 {
    ms_of(SystemTime::now())
}

fn ms_of(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
