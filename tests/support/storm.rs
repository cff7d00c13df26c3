//! Clients that never let go, and the record of what they were told.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A stalled connection is a failed request.
const STEP: Duration = Duration::from_secs(30);

/// One answer as a client saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Before its first byte was sent.
    pub asked: Instant,
    /// When the head of the answer was there.
    pub answered: Instant,
    /// When the last byte of the answer was there.
    pub ended: Instant,
    /// Status line's code.
    pub status: u16,
    /// `x-vitrine-release`.
    pub release: String,
    /// `x-vitrine-epoch`; 0 without one.
    pub epoch: u64,
    /// The whole body.
    pub body: String,
}

/// What a client asks for, again and again.
#[derive(Debug, Clone)]
pub struct Wish {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path.
    pub path: &'static str,
    /// `host` header.
    pub host: String,
    /// Body of a POST.
    pub body: &'static str,
}

/// Asks over one connection until `stop`, and gives everything seen. A connection that the host announced to close
/// is opened again; anything else that is not a whole answer is an error.
pub fn insist(to: SocketAddr, wish: &Wish, stop: &AtomicBool) -> (Vec<Seen>, Vec<String>) {
    let (mut seen, mut failed) = (Vec::new(), Vec::new());
    let mut connection = None;
    while !stop.load(Ordering::Relaxed) {
        match ask(to, wish, &mut connection) {
            Ok(answer) => seen.push(answer),
            Err(error) => {
                connection = None;
                failed.push(format!("{} {}: {error}", wish.method, wish.path));
            }
        }
    }
    (seen, failed)
}

/// Asks once, over this connection or, if there is none, over a new one that stays unless the host announced its end.
pub fn ask(to: SocketAddr, wish: &Wish, connection: &mut Option<BufReader<TcpStream>>) -> io::Result<Seen> {
    let asked = Instant::now();
    if connection.is_none() {
        let stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(STEP))?;
        stream.set_write_timeout(Some(STEP))?;
        *connection = Some(BufReader::new(stream));
    }
    let Some(reader) = connection.as_mut() else { unreachable!("it was opened just above") };
    let Wish { method, path, host, body } = wish;
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    reader.get_mut().write_all(head.as_bytes())?;
    let (status, headers) = read_head(reader)?;
    let answered = Instant::now();
    let header =
        |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let body = match (header("transfer-encoding"), header("content-length")) {
        (Some("chunked"), _) => read_chunks(reader)?,
        (_, Some(length)) => {
            let mut body = vec![0; length.parse().map_err(io::Error::other)?];
            reader.read_exact(&mut body)?;
            body
        }
        _ => return Err(io::Error::other("an answer without a length")),
    };
    let release = header("x-vitrine-release").unwrap_or_default().to_owned();
    let epoch = header("x-vitrine-epoch").and_then(|text| text.parse().ok()).unwrap_or_default();
    if header("connection") == Some("close") {
        *connection = None;
    }
    let body = String::from_utf8(body).map_err(io::Error::other)?;
    Ok(Seen { asked, answered, ended: Instant::now(), status, release, epoch, body })
}

fn line(reader: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(io::Error::other(format!("cut off in `{line}`"))),
    }
}

type Head = (u16, Vec<(String, String)>);

fn read_head(reader: &mut BufReader<TcpStream>) -> io::Result<Head> {
    let status = line(reader)?;
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| io::Error::other("no status"))?;
    let mut headers = Vec::new();
    loop {
        let line = line(reader)?;
        let Some((name, value)) = line.split_once(": ") else { return Ok((status, headers)) };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
}

fn read_chunks(reader: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = usize::from_str_radix(&line(reader)?, 16).map_err(io::Error::other)?;
        let begin = body.len();
        body.resize(begin + size, 0);
        reader.read_exact(&mut body[begin..])?;
        if !line(reader)?.is_empty() {
            return Err(io::Error::other("a chunk longer than it said"));
        }
        if size == 0 {
            return Ok(body);
        }
    }
}
