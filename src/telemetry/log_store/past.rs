//! Reading what is kept.

use bytes::Bytes;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Parts of an app's log, oldest first.
#[derive(Debug, Default)]
pub struct Past(pub Vec<Part>);

/// Lines that were written from one time to another.
#[derive(Debug)]
pub struct Part {
    /// When its first line was written, in milliseconds since the Unix epoch.
    pub begun_ms: u64,
    /// The same of its last line.
    pub ended_ms: u64,
    lines: Lines,
}

#[derive(Debug)]
enum Lines {
    /// The first bytes of a segment, which may be compressed by the time that it is read.
    Segment {
        path: PathBuf,
        bytes: Option<u64>,
    },
    Memory(Vec<Bytes>),
}

impl Past {
    /// Lines in memory, of whatever time.
    #[must_use]
    pub fn in_memory(lines: Vec<Bytes>) -> Self {
        Self(vec![Part { begun_ms: 0, ended_ms: u64::MAX, lines: Lines::Memory(lines) }])
    }
}

impl Part {
    /// A segment's first `bytes`, all of them if absent.
    pub(super) const fn of_segment(path: PathBuf, bytes: Option<u64>, begun_ms: u64, ended_ms: u64) -> Self {
        Self { begun_ms, ended_ms, lines: Lines::Segment { path, bytes } }
    }

    /// Gives each line, oldest first, until `take` breaks off. A last line that is torn is left out; a segment that was removed
    /// meanwhile has none.
    ///
    /// # Errors
    /// The disk, or a damaged segment: what was before the damage has been given.
    pub fn each(&self, mut take: impl FnMut(&[u8]) -> ControlFlow<()>) -> io::Result<ControlFlow<()>> {
        match &self.lines {
            Lines::Memory(lines) => Ok(lines.iter().try_for_each(|line| take(line))),
            Lines::Segment { path, bytes } => {
                let Some(source) = open(path)? else { return Ok(ControlFlow::Continue(())) };
                let mut source = BufReader::new(source.take(bytes.unwrap_or(u64::MAX)));
                let mut line = Vec::new();
                loop {
                    line.clear();
                    source.read_until(b'\n', &mut line)?;
                    if line.pop() != Some(b'\n') {
                        return Ok(ControlFlow::Continue(()));
                    }
                    if take(&line).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
        }
    }
}

/// A segment, unpacked; nothing when it is gone.
fn open(path: &Path) -> io::Result<Option<Box<dyn Read>>> {
    let unpacked = |path: &Path| File::open(path).and_then(zstd::Decoder::new);
    if path.extension().is_some_and(|extension| extension == super::segments::PACKED) {
        return found(unpacked(path).map(|source| Box::new(source) as Box<dyn Read>));
    }
    if let Some(source) = found(File::open(path))? {
        return Ok(Some(Box::new(source)));
    }
    found(unpacked(&super::segments::packed(path)).map(|source| Box::new(source) as Box<dyn Read>))
}

fn found<T>(opened: io::Result<T>) -> io::Result<Option<T>> {
    match opened {
        Ok(opened) => Ok(Some(opened)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
