//! The files of the kept lines: a folder for each app, in it segments named by when they began and who writes them.
//!
//! ```text
//! logs/WRITER.lock               locked while that process writes
//! logs/APP/BEGUN-WRITER.jsonl     a segment
//! logs/APP/BEGUN-WRITER.jsonl.zst the same, closed
//! ```
//! Two hosts write beside each other during an upgrade, each its own segments. What a process left that has ended is closed by the
//! next one. A segment ended when its file was last written.

use super::Keeping;
use super::past::{Part, Past};
use crate::limits::{LOG_SEGMENT_BYTES_MAX, LOG_SEGMENT_BYTES_MIN, LOG_SEGMENT_MS, LOG_SEGMENTS_MIN};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fs::{self, DirBuilder, File, FileTimes, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the name of a closed segment ends with.
pub(super) const PACKED: &str = "zst";
const PLAIN: &str = "jsonl";
const LOCK: &str = "lock";
const HALF_DONE: &str = "half";
const LEVEL: i32 = 3;

/// The folder, while this process writes in it.
#[derive(Debug)]
pub(super) struct Folder {
    keeping: Keeping,
    writer: String,
    _lock: File,
    apps: HashMap<Box<str>, Segments>,
    bytes: u64,
    /// Other processes that write here.
    others: BTreeSet<String>,
    /// Plain segments of processes that have ended, and their app.
    left: VecDeque<(Box<str>, u64)>,
}

/// Segments of one app, by when they began.
#[derive(Debug, Default)]
struct Segments {
    all: BTreeMap<u64, Segment>,
    /// The one that is written to.
    open: Option<u64>,
    bytes: u64,
}

#[derive(Debug, Clone)]
struct Segment {
    path: PathBuf,
    bytes: u64,
    ended_ms: u64,
}

impl Folder {
    /// Makes the folder, if need be, and looks at what is in it.
    pub fn open(keeping: Keeping) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&keeping.folder)?;
        let writer = hex::encode(rand::random::<[u8; 4]>());
        let lock = private().create_new(true).open(keeping.folder.join(format!("{writer}.{LOCK}")))?;
        lock.lock()?;
        let mut folder = Self {
            keeping,
            writer,
            _lock: lock,
            apps: HashMap::new(),
            bytes: 0,
            others: BTreeSet::new(),
            left: VecDeque::new(),
        };
        folder.others = folder.others()?;
        folder.look_around();
        Ok(folder)
    }

    /// Other processes that write here now. The locks of those that have ended are removed.
    fn others(&self) -> io::Result<BTreeSet<String>> {
        let mut others = BTreeSet::new();
        for path in fs::read_dir(&self.keeping.folder)?.flatten().map(|entry| entry.path()) {
            let Some(writer) = stem(&path, LOCK).filter(|writer| *writer != self.writer) else { continue };
            match File::open(&path) {
                Ok(lock) if lock.try_lock().is_ok() => fs::remove_file(&path)?,
                Ok(_) => drop(others.insert(writer.to_owned())),
                // It has ended just now.
                Err(_) => {}
            }
        }
        Ok(others)
    }

    /// Notes every segment that there is.
    fn look_around(&mut self) {
        (self.bytes, self.left) = (0, VecDeque::new());
        for app in fs::read_dir(&self.keeping.folder).into_iter().flatten().flatten() {
            if app.file_type().is_ok_and(|kind| kind.is_dir())
                && let Ok(name) = app.file_name().into_string()
            {
                self.take_in(name.into());
            }
        }
    }

    /// Notes the segments of an app, and removes what a process that has ended left half done.
    fn take_in(&mut self, app: Box<str>) {
        let open = self.apps.remove(&app).and_then(|segments| segments.open);
        let mut segments = Segments { open, ..Segments::default() };
        let files = fs::read_dir(self.app_folder(&app)).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = files.map(|entry| entry.path()).collect();
        // A closed segment is behind the plain one of the same name, and stands for both.
        paths.sort_unstable();
        for path in paths {
            let Some((begun_ms, writer, is_plain)) = name_of(&path) else {
                if stem(&path, HALF_DONE).is_some() {
                    let _ = fs::remove_file(&path);
                }
                continue;
            };
            let is_left = writer != self.writer && !self.others.contains(&writer);
            let Some(segment) = Segment::at(path) else { continue };
            if let Some(twin) = segments.all.insert(begun_ms, segment)
                && is_left
            {
                let _ = fs::remove_file(twin.path);
            }
            if is_plain && is_left {
                self.left.push_back((app.clone(), begun_ms));
            }
        }
        segments.bytes = segments.all.values().map(|segment| segment.bytes).sum();
        self.bytes += segments.bytes;
        self.apps.insert(app, segments);
    }

    fn app_folder(&self, app: &str) -> PathBuf {
        self.keeping.folder.join(app)
    }

    /// Bytes of a segment before it is closed.
    fn segment_bytes(&self) -> u64 {
        (self.keeping.bytes_max / LOG_SEGMENTS_MIN).clamp(LOG_SEGMENT_BYTES_MIN, LOG_SEGMENT_BYTES_MAX)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.keeping.folder
    }

    /// Writes lines of an app.
    ///
    /// # Errors
    /// None of them is there then.
    pub fn append(&mut self, app: &str, lines: &[u8]) -> io::Result<()> {
        let now_ms = now_ms();
        let folder = self.app_folder(app);
        let segment_bytes = self.segment_bytes();
        let segments = self.apps.entry(app.into()).or_default();
        let begun_ms = match segments.open {
            Some(begun_ms) => begun_ms,
            None => {
                DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
                // Two segments of one moment have two names.
                let last = segments.all.last_key_value().map_or(0, |(begun_ms, _)| *begun_ms);
                now_ms.max(last + 1)
            }
        };
        let path = segments.all.get(&begun_ms).map_or_else(
            || folder.join(format!("{begun_ms:013}-{}.{PLAIN}", self.writer)),
            |segment| segment.path.clone(),
        );
        let mut file = private().append(true).open(&path)?;
        let before = file.metadata()?.len();
        if let Err(error) = file.write_all(lines) {
            // What can't be taken back is a torn line at the end of a segment, and that is closed.
            let _ = file.set_len(before);
            segments.open = None;
            return Err(error);
        }
        let written = lines.len() as u64;
        let segment = Segment { path, bytes: before + written, ended_ms: now_ms };
        let is_full = segment.bytes >= segment_bytes;
        segments.all.insert(begun_ms, segment);
        segments.open = Some(begun_ms);
        segments.bytes += written;
        self.bytes += written;
        if is_full {
            self.close(app);
        }
        self.keep_bound();
        Ok(())
    }

    /// Closes the segment that is written to.
    fn close(&mut self, app: &str) {
        if let Some(begun_ms) = self.apps.get_mut(app).and_then(|segments| segments.open.take()) {
            self.pack(app, begun_ms);
        }
    }

    /// Compresses a plain segment. One that can't be stays as it is.
    fn pack(&mut self, app: &str, begun_ms: u64) {
        let Some(segments) = self.apps.get_mut(app) else { return };
        let Some(segment) = segments.all.get_mut(&begun_ms) else { return };
        let before = segment.bytes;
        match packed_file(segment) {
            Ok(bytes) => {
                segment.path = packed(&segment.path);
                segment.bytes = bytes;
                segments.bytes = segments.bytes - before + bytes;
                self.bytes = self.bytes - before + bytes;
            }
            Err(error) => {
                tracing::warn!(path = %segment.path.display(), %error, "a segment of an app's log is not compressed");
            }
        }
    }

    /// Removes the oldest segments of whichever app has most, until all together are within the bound.
    fn keep_bound(&mut self) {
        while self.bytes > self.keeping.bytes_max {
            let most = self.apps.iter().max_by_key(|(_, segments)| segments.bytes);
            let Some(app) = most.map(|(app, _)| app.clone()) else { return };
            let segments = &self.apps[&app];
            let Some(oldest) = segments.all.keys().next().copied() else { return };
            if segments.open == Some(oldest) {
                self.close(&app);
                if self.bytes <= self.keeping.bytes_max {
                    return;
                }
            }
            self.remove(&app, oldest);
        }
    }

    fn remove(&mut self, app: &str, begun_ms: u64) {
        let Some(segments) = self.apps.get_mut(app) else { return };
        let Some(segment) = segments.all.remove(&begun_ms) else { return };
        if segments.open == Some(begun_ms) {
            segments.open = None;
        }
        segments.bytes -= segment.bytes;
        self.bytes -= segment.bytes;
        if let Err(error) = fs::remove_file(&segment.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %segment.path.display(), %error, "an old segment of an app's log can't be removed");
        }
    }

    /// Removes what is kept of an app.
    pub fn forget(&mut self, app: &str) {
        if let Some(segments) = self.apps.remove(app) {
            self.bytes -= segments.bytes;
        }
        self.left.retain(|(of, _)| **of != *app);
        if let Err(error) = fs::remove_dir_all(self.app_folder(app))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(app, %error, "the log of a removed app is still kept");
        }
    }

    /// Whether there are segments that processes left which have ended.
    pub fn has_left(&self) -> bool {
        !self.left.is_empty()
    }

    /// Closes one of them.
    pub fn pack_left(&mut self) {
        if let Some((app, begun_ms)) = self.left.pop_front() {
            self.pack(&app, begun_ms);
        }
    }

    /// Removes what is too old, closes what was begun long ago, and looks for what other processes have left.
    pub fn tend(&mut self) {
        let now_ms = now_ms();
        let too_old = |segment: &Segment| now_ms.saturating_sub(segment.ended_ms) > self.keeping.age_max_ms;
        let mut old = Vec::new();
        let mut long_open = Vec::new();
        for (app, segments) in &self.apps {
            let aged = segments.all.iter().filter(|(_, segment)| too_old(segment));
            old.extend(aged.map(|(begun_ms, _)| (app.clone(), *begun_ms)));
            if segments.open.is_some_and(|begun_ms| now_ms.saturating_sub(begun_ms) > LOG_SEGMENT_MS) {
                long_open.push(app.clone());
            }
        }
        old.iter().for_each(|(app, begun_ms)| self.remove(app, *begun_ms));
        long_open.iter().for_each(|app| self.close(app));
        let Ok(others) = self.others() else { return };
        if std::mem::replace(&mut self.others, others).len() > self.others.len() {
            self.look_around();
        }
    }

    /// Parts of an app's log as they are now. Another process may write some of them.
    pub fn look(&self, app: &str) -> Past {
        let files = fs::read_dir(self.app_folder(app)).into_iter().flatten().flatten();
        let mut found: BTreeMap<(u64, String), (PathBuf, bool)> = BTreeMap::new();
        for path in files.map(|entry| entry.path()) {
            if let Some((begun_ms, writer, is_plain)) = name_of(&path) {
                let twin = found.entry((begun_ms, writer)).or_insert_with(|| (path.clone(), is_plain));
                if !is_plain {
                    *twin = (path, false);
                }
            }
        }
        let part = |((begun_ms, _), (path, is_plain)): ((u64, String), (PathBuf, bool))| {
            let segment = Segment::at(path)?;
            let bytes = is_plain.then_some(segment.bytes);
            Some(Part::of_segment(segment.path, bytes, begun_ms, segment.ended_ms))
        };
        Past(found.into_iter().filter_map(part).collect())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What it wrote is left for the next process, which sees that this one has ended.
        let _ = fs::remove_file(self.keeping.folder.join(format!("{}.{LOCK}", self.writer)));
    }
}

impl Segment {
    fn at(path: PathBuf) -> Option<Self> {
        let told = fs::metadata(&path).ok()?;
        Some(Self { path, bytes: told.len(), ended_ms: ms_of(told.modified().ok()?) })
    }
}

/// Writes a segment's compressed twin and removes the segment; gives the twin's length.
fn packed_file(segment: &Segment) -> io::Result<u64> {
    let half_done = segment.path.with_extension(HALF_DONE);
    let packed_now = || {
        let mut into = private().truncate(true).write(true).open(&half_done)?;
        zstd::stream::copy_encode(File::open(&segment.path)?, &mut into, LEVEL)?;
        let ended = UNIX_EPOCH + Duration::from_millis(segment.ended_ms);
        into.set_times(FileTimes::new().set_modified(ended))?;
        let bytes = into.metadata()?.len();
        fs::rename(&half_done, packed(&segment.path))?;
        Ok(bytes)
    };
    let done = packed_now();
    // Of both there is one at the end, unless the disk refuses that, too.
    let _ = fs::remove_file(if done.is_ok() { &segment.path } else { &half_done });
    done
}

/// Name of the compressed twin of a plain segment.
pub(super) fn packed(path: &Path) -> PathBuf {
    path.with_extension(format!("{PLAIN}.{PACKED}"))
}

/// When a segment began, who writes it, and whether it is plain.
fn name_of(path: &Path) -> Option<(u64, String, bool)> {
    let name = path.file_name()?.to_str()?;
    let (stem, is_plain) = match name.strip_suffix(&format!(".{PLAIN}")) {
        Some(stem) => (stem, true),
        None => (name.strip_suffix(&format!(".{PLAIN}.{PACKED}"))?, false),
    };
    let (begun_ms, writer) = stem.split_once('-')?;
    Some((begun_ms.parse().ok()?, writer.to_owned(), is_plain))
}

fn stem<'a>(path: &'a Path, extension: &str) -> Option<&'a str> {
    path.file_name()?.to_str()?.strip_suffix(extension)?.strip_suffix('.')
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).write(true).mode(0o600);
    options
}

fn now_ms() -> u64 {
    ms_of(SystemTime::now())
}

fn ms_of(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
