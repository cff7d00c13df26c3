//! The files of the kept lines: a folder for each app, in it segments named by when they began and who writes them.
//!
//! ```text
//! logs/WRITER.lock               locked while that process writes
//! logs/APP/BEGUN-WRITER.jsonl     a segment
//! logs/APP/BEGUN-WRITER.jsonl.zst the same, closed
//! logs/APP/BEGUN-WRITER.PACKER.half the same, being closed by that process
//! ```
//! Two hosts write beside each other during an upgrade, each its own segments. What a process left that has ended is closed by the
//! next one. A segment ended when its file was last written.

use super::Keeping;
use super::lock::WriterLock;
use super::past::{Part, Past};
use super::segment::{Name, PLAIN, Segment, name_of, now_ms, packed, packed_file, packer_of, private};
use crate::limits::{
    LOG_DISK_FREE_BYTES_MIN, LOG_DISK_FREE_SHARE_MIN, LOG_SEGMENT_BYTES_MAX, LOG_SEGMENT_BYTES_MIN,
    LOG_SEGMENT_MS, LOG_SEGMENTS_MIN,
};
use nix::sys::statvfs::{Statvfs, statvfs};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// The folder, while this process writes in it.
#[derive(Debug)]
pub(super) struct Folder {
    keeping: Keeping,
    lock: WriterLock,
    apps: HashMap<Box<str>, Segments>,
    bytes: u64,
    /// Other processes that write here.
    others: BTreeSet<String>,
    /// Plain segments that are written no more, and their app.
    left: VecDeque<(Box<str>, Name)>,
}

/// Segments of one app, oldest first.
#[derive(Debug, Default)]
struct Segments {
    all: BTreeMap<Name, Segment>,
    /// The one that is written to.
    open: Option<Name>,
    bytes: u64,
}

impl Folder {
    /// Makes the folder, if need be, and notes the segments in it.
    ///
    /// # Errors
    /// The folder can't be made, or written to.
    pub(super) fn open(keeping: Keeping) -> io::Result<Self> {
        make(&keeping.folder)?;
        let lock = WriterLock::new(&keeping.folder)?;
        let others = lock.others(&keeping.folder)?;
        let (apps, left) = (HashMap::new(), VecDeque::new());
        let mut folder = Self { keeping, lock, apps, bytes: 0, others, left };
        folder.look_around();
        Ok(folder)
    }

    /// Makes a folder again that was removed, with a new lock: other processes would take what is written without one for left.
    fn renew(&mut self) -> io::Result<()> {
        make(&self.keeping.folder)?;
        self.lock = WriterLock::new(&self.keeping.folder)?;
        self.apps.clear();
        self.look_around();
        Ok(())
    }

    /// Notes every segment that there is.
    fn look_around(&mut self) {
        let mut before = std::mem::take(&mut self.apps);
        (self.bytes, self.left) = (0, VecDeque::new());
        for app in fs::read_dir(&self.keeping.folder).into_iter().flatten().flatten() {
            if app.file_type().is_ok_and(|kind| kind.is_dir())
                && let Ok(name) = app.file_name().into_string()
            {
                let open = before.remove(name.as_str()).and_then(|segments| segments.open);
                self.take_in(&name, open);
            }
        }
    }

    /// Notes the segments of an app, and removes the files that a process has left half done. `open` is the segment that this process
    /// writes to.
    fn take_in(&mut self, app: &str, open: Option<Name>) {
        let folder = self.app_folder(app);
        let files = fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = files.map(|entry| entry.path()).collect();
        // A closed segment comes after the plain one of the same name, and stands for both.
        paths.sort_unstable();
        let mut plain = BTreeSet::new();
        for path in paths {
            let Some((name, is_plain)) = name_of(&path) else {
                if packer_of(&path).is_some_and(|packer| !self.others.contains(packer)) {
                    let _ = fs::remove_file(&path);
                }
                continue;
            };
            let Some(segment) = Segment::at(path) else { continue };
            let is_written = self.others.contains(&name.1) || open.as_ref() == Some(&name);
            if let Some(twin) = self.note(app, &name, Some(segment))
                && !is_written
            {
                let _ = fs::remove_file(twin.path);
            }
            if !is_plain {
                plain.remove(&name);
            } else if !is_written {
                plain.insert(name);
            }
        }
        self.left.extend(plain.into_iter().map(|name| (app.into(), name)));
        match self.apps.get_mut(app) {
            Some(segments) => segments.open = open.filter(|name| segments.all.contains_key(name)),
            // Only an empty folder is removed.
            None => drop(fs::remove_dir(&folder)),
        }
    }

    /// Notes a segment as it is now, or that it is gone; gives its last note. The bytes change by the difference, so they are right
    /// whichever process wrote it.
    fn note(&mut self, app: &str, name: &Name, now: Option<Segment>) -> Option<Segment> {
        if now.is_some() && !self.apps.contains_key(app) {
            self.apps.insert(app.into(), Segments::default());
        }
        let segments = self.apps.get_mut(app)?;
        let after = now.as_ref().map_or(0, |segment| segment.bytes);
        let was = match now {
            Some(segment) => segments.all.insert(name.clone(), segment),
            None => segments.all.remove(name),
        };
        let before = was.as_ref().map_or(0, |segment| segment.bytes);
        segments.bytes = segments.bytes + after - before;
        self.bytes = self.bytes + after - before;
        was
    }

    /// Bytes of all segments.
    #[cfg(test)]
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The name of this process.
    #[cfg(test)]
    pub(super) fn writer(&self) -> &str {
        &self.lock.writer
    }

    fn app_folder(&self, app: &str) -> PathBuf {
        self.keeping.folder.join(app)
    }

    /// Bytes of a segment before it is closed.
    fn segment_bytes(&self) -> u64 {
        (self.keeping.bytes_max / LOG_SEGMENTS_MIN).clamp(LOG_SEGMENT_BYTES_MIN, LOG_SEGMENT_BYTES_MAX)
    }

    /// Whether the disk has room for lines beside what the host can't do without. A folder that was removed is made again.
    ///
    /// # Errors
    /// It has none, or can't be asked.
    pub(super) fn has_room(&mut self) -> io::Result<()> {
        let told = match statvfs(&self.keeping.folder) {
            Err(nix::Error::ENOENT) => {
                self.renew()?;
                statvfs(&self.keeping.folder)
            }
            told => told,
        };
        if is_roomy(&told?) {
            return Ok(());
        }
        Err(io::Error::new(ErrorKind::StorageFull, "the disk is almost full"))
    }

    /// Writes lines of an app. Folders and files that were removed are made again.
    ///
    /// # Errors
    /// The disk: none of the lines is kept.
    pub(super) fn append(&mut self, app: &str, lines: &[u8]) -> io::Result<()> {
        let written = match self.write(app, lines) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.drop_app(app);
                self.take_in(app, None);
                self.write(app, lines)
            }
            written => written,
        };
        if written? >= self.segment_bytes() {
            self.close(app);
        }
        self.keep_bound();
        Ok(())
    }

    /// Writes lines to the open segment of an app, or to a new one; gives its bytes.
    fn write(&mut self, app: &str, lines: &[u8]) -> io::Result<u64> {
        let (now_ms, folder) = (now_ms(), self.app_folder(app));
        let segments = self.apps.get(app);
        let name = match segments.and_then(|segments| segments.open.clone()) {
            Some(name) => name,
            None => {
                make(&folder)?;
                // Two segments of one moment have two names.
                let last = segments.and_then(|segments| segments.all.last_key_value());
                (now_ms.max(last.map_or(0, |((begun_ms, _), _)| *begun_ms) + 1), self.lock.writer.clone())
            }
        };
        let path = folder.join(format!("{:013}-{}.{PLAIN}", name.0, name.1));
        let is_new = segments.is_none_or(|segments| segments.open.is_none());
        let mut file = private().create(is_new).append(true).open(&path)?;
        let before = file.metadata()?.len();
        if let Err(error) = file.write_all(lines) {
            self.take_back(app, &name, path, &file, before);
            return Err(error);
        }
        let bytes = before + lines.len() as u64;
        self.note(app, &name, Some(Segment { path, bytes, ended_ms: now_ms }));
        if let Some(segments) = self.apps.get_mut(app) {
            segments.open = Some(name);
        }
        Ok(bytes)
    }

    /// Cuts a segment to what it was before a write that failed, and closes it: what can't be cut is a torn line at its end. One that
    /// was empty is removed.
    fn take_back(&mut self, app: &str, name: &Name, path: PathBuf, file: &File, before: u64) {
        let _ = file.set_len(before);
        if let Some(segments) = self.apps.get_mut(app) {
            segments.open = None;
        }
        if before == 0 {
            let _ = fs::remove_file(path);
            self.note(app, name, None);
            self.drop_empty(app);
        } else {
            self.note(app, name, Segment::at(path));
            self.left.push_back((app.into(), name.clone()));
        }
    }

    /// Closes the segment that is written to.
    fn close(&mut self, app: &str) {
        if let Some(name) = self.apps.get_mut(app).and_then(|segments| segments.open.take()) {
            self.pack(app, &name);
        }
    }

    /// Compresses a plain segment. One that can't be stays as it is.
    fn pack(&mut self, app: &str, name: &Name) {
        let Some(segment) = self.apps.get(app).and_then(|segments| segments.all.get(name)) else { return };
        match packed_file(segment, &self.lock.writer) {
            Ok(packed) => drop(self.note(app, name, Some(packed))),
            // Another process has compressed it, or it was removed.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let there = Segment::at(packed(&segment.path)).or_else(|| Segment::at(segment.path.clone()));
                self.note(app, name, there);
                self.drop_empty(app);
            }
            Err(error) => {
                tracing::warn!(path = %segment.path.display(), %error, "a segment of an app's log is not compressed");
            }
        }
    }

    /// Removes the oldest segments of whichever app has most, until all together are within the bound.
    fn keep_bound(&mut self) {
        while self.bytes > self.keeping.bytes_max {
            let any = self.apps.iter().filter(|(_, segments)| !segments.all.is_empty());
            let Some((app, segments)) = any.max_by_key(|(_, segments)| segments.bytes) else { return };
            let Some(oldest) = segments.all.keys().next().cloned() else { return };
            let (app, is_open) = (app.clone(), segments.open.as_ref() == Some(&oldest));
            if is_open {
                self.close(&app);
                if self.bytes <= self.keeping.bytes_max {
                    return;
                }
            }
            self.remove(&app, &oldest);
        }
    }

    /// Removes a segment, and with the last one the folder of its app.
    fn remove(&mut self, app: &str, name: &Name) {
        let Some(segment) = self.note(app, name, None) else { return };
        if let Some(segments) = self.apps.get_mut(app).filter(|segments| segments.open.as_ref() == Some(name))
        {
            segments.open = None;
        }
        if let Err(error) = fs::remove_file(&segment.path)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(path = %segment.path.display(), %error, "an old segment of an app's log can't be removed");
        }
        self.drop_empty(app);
    }

    /// Removes the folder of an app that has no segment.
    fn drop_empty(&mut self, app: &str) {
        if self.apps.get(app).is_none_or(|segments| segments.all.is_empty()) {
            self.drop_app(app);
            // Only an empty one is removed: another process may write in it.
            let _ = fs::remove_dir(self.app_folder(app));
        }
    }

    /// Knows nothing of an app any more.
    fn drop_app(&mut self, app: &str) {
        if let Some(segments) = self.apps.remove(app) {
            self.bytes = self.bytes.saturating_sub(segments.bytes);
        }
        self.left.retain(|(of, _)| **of != *app);
    }

    /// Removes what is kept of an app.
    pub(super) fn forget(&mut self, app: &str) {
        self.drop_app(app);
        if let Err(error) = fs::remove_dir_all(self.app_folder(app))
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(app, %error, "the log of a removed app is still kept");
        }
    }

    /// Whether there are plain segments that are written no more.
    pub(super) fn has_left(&self) -> bool {
        !self.left.is_empty()
    }

    /// Closes one of them.
    pub(super) fn pack_left(&mut self) {
        if let Some((app, name)) = self.left.pop_front() {
            self.pack(&app, &name);
        }
    }

    /// Removes segments that are too old, closes those that began long ago, and notes those of processes that have ended.
    pub(super) fn tend(&mut self) {
        let now_ms = now_ms();
        let too_old = |segment: &Segment| now_ms.saturating_sub(segment.ended_ms) > self.keeping.age_max_ms;
        let mut old = Vec::new();
        let mut long_open = Vec::new();
        for (app, segments) in &self.apps {
            let aged = segments.all.iter().filter(|(_, segment)| too_old(segment));
            old.extend(aged.map(|(name, _)| (app.clone(), name.clone())));
            let open = segments.open.as_ref();
            if open.is_some_and(|(begun_ms, _)| now_ms.saturating_sub(*begun_ms) > LOG_SEGMENT_MS) {
                long_open.push(app.clone());
            }
        }
        old.iter().for_each(|(app, name)| self.remove(app, name));
        long_open.iter().for_each(|app| self.close(app));
        if !self.lock.is_there() {
            // The next write says what is wrong with the disk.
            let _ = self.renew();
        }
        let Ok(others) = self.lock.others(&self.keeping.folder) else { return };
        let before = std::mem::replace(&mut self.others, others);
        if !before.is_subset(&self.others) {
            self.look_around();
        }
    }

    /// Parts of an app's log as they are now. Another process may write some of them.
    pub(super) fn look(&self, app: &str) -> Past {
        let files = fs::read_dir(self.app_folder(app)).into_iter().flatten().flatten();
        let mut found: BTreeMap<Name, (PathBuf, bool)> = BTreeMap::new();
        for path in files.map(|entry| entry.path()) {
            if let Some((name, is_plain)) = name_of(&path) {
                let twin = found.entry(name).or_insert_with(|| (path.clone(), is_plain));
                if !is_plain {
                    *twin = (path, false);
                }
            }
        }
        let part = |((begun_ms, _), (path, is_plain)): (Name, (PathBuf, bool))| {
            let segment = Segment::at(path)?;
            let bytes = is_plain.then_some(segment.bytes);
            Some(Part::of_segment(segment.path, bytes, begun_ms, segment.ended_ms))
        };
        Past(found.into_iter().filter_map(part).collect())
    }
}

fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn is_roomy(told: &Statvfs) -> bool {
    let unit = told.fragment_size();
    let (free, whole) = (told.blocks_available() * unit, told.blocks() * unit);
    free >= LOG_DISK_FREE_BYTES_MIN.min(whole / LOG_DISK_FREE_SHARE_MIN)
}
