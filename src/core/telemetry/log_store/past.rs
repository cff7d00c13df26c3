//! Reading what is kept.

use bytes::Bytes;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read, Take};
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

    /// Opens it for reading. A segment that was removed meanwhile has no lines.
    ///
    /// # Errors
    /// The disk, or a damaged segment.
    pub fn open(&self) -> io::Result<PartReader> {
        let source = match &self.lines {
            Lines::Memory(lines) => Source::Memory(lines.clone().into_iter()),
            Lines::Segment { path, bytes } => match open(path)? {
                Some(source) => Source::Segment(BufReader::new(source.take(bytes.unwrap_or(u64::MAX)))),
                None => Source::Memory(Vec::new().into_iter()),
            },
        };
        Ok(PartReader { source, line: Vec::new() })
    }
}

/// Reads the lines of a part, oldest first.
pub struct PartReader {
    source: Source,
    line: Vec<u8>,
}

enum Source {
    Segment(BufReader<Take<Unpacked>>),
    Memory(std::vec::IntoIter<Bytes>),
}

type Unpacked = Box<dyn Read + Send>;

impl PartReader {
    /// The next line. A last line that is torn is left out.
    ///
    /// # Errors
    /// The disk, or a damaged segment: the lines before the damage have been read.
    pub fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        match &mut self.source {
            Source::Memory(lines) => {
                let Some(line) = lines.next() else { return Ok(None) };
                self.line.extend_from_slice(&line);
            }
            Source::Segment(source) => {
                source.read_until(b'\n', &mut self.line)?;
                if self.line.pop() != Some(b'\n') {
                    return Ok(None);
                }
            }
        }
        Ok(Some(&self.line))
    }
}

/// A segment, unpacked; nothing when it is gone.
fn open(path: &Path) -> io::Result<Option<Unpacked>> {
    let unpacked = |path: &Path| File::open(path).and_then(zstd::Decoder::new);
    if path.extension().is_some_and(|extension| extension == super::segment::PACKED) {
        return found(unpacked(path).map(|source| Box::new(source) as Unpacked));
    }
    if let Some(source) = found(File::open(path))? {
        return Ok(Some(Box::new(source)));
    }
    found(unpacked(&super::segment::packed(path)).map(|source| Box::new(source) as Unpacked))
}

fn found<T>(opened: io::Result<T>) -> io::Result<Option<T>> {
    match opened {
        Ok(opened) => Ok(Some(opened)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
