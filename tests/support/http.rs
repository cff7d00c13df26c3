//! HTTP/1.1 by hand: what a library would refuse to send, or would put right.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Time for any step of an exchange.
const STEP: Duration = Duration::from_secs(60);

/// A request that is not sent yet.
#[derive(Debug, Clone)]
pub struct Request {
    to: SocketAddr,
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body, transfer encoding taken off.
    pub body: Vec<u8>,
    /// Whether the body came to its declared end.
    pub complete: bool,
}

impl Request {
    /// A request on a connection of its own.
    pub fn new(to: SocketAddr, method: &str, path: &str) -> Self {
        Self { to, line: format!("{method} {path} HTTP/1.1"), headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends it to another host name than before.
    pub fn with_host(mut self, host: &str) -> Self {
        self.headers.retain(|(name, _)| name != "host");
        self.header("host", host)
    }

    /// Gives it a body, and says how long it is.
    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let mut with = self.header("content-length", &body.len().to_string());
        with.body = body;
        with
    }

    /// Gives it these bytes after its head; what they mean, a header says.
    pub fn raw_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it and reads the answer. A server that answers early may stop reading: what can't be written any more is no
    /// error as long as an answer comes.
    pub fn send(&self) -> Answer {
        self.try_send().unwrap_or_else(|error| panic!("{} to {}: {error}", self.line, self.to))
    }

    /// Sends the head and this much of the body, and leaves after a while without waiting for an answer.
    pub fn abandon(&self, body_bytes: usize, after: Duration) {
        let mut stream = TcpStream::connect_timeout(&self.to, STEP).unwrap();
        stream.write_all(self.head().as_bytes()).unwrap();
        stream.write_all(&self.body[..body_bytes]).unwrap();
        // How long this client stays is its caller's subject.
        std::thread::sleep(after);
    }

    /// As [`Request::send`], where the connection may break.
    pub fn try_send(&self) -> io::Result<Answer> {
        let mut stream = TcpStream::connect_timeout(&self.to, STEP)?;
        stream.set_read_timeout(Some(STEP))?;
        stream.set_write_timeout(Some(STEP))?;
        let written = stream.write_all(self.head().as_bytes()).and_then(|()| stream.write_all(&self.body));
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes);
        Answer::parse(&bytes).ok_or_else(|| {
            let cause = written.err().or(read.err());
            cause.unwrap_or_else(|| io::Error::other(format!("no answer in {} bytes", bytes.len())))
        })
    }

    fn head(&self) -> String {
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        format!("{}\r\n{}connection: close\r\n\r\n", self.line, headers.collect::<String>())
    }
}

impl Answer {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let mut lines = std::str::from_utf8(&bytes[..end]).ok()?.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| {
            line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers = lines.map(header).collect::<Option<Vec<_>>>()?;
        let rest = &bytes[end + 4..];
        let mut answer = Self { status, headers, body: Vec::new(), complete: true };
        if answer.header("transfer-encoding").is_some_and(|coding| coding == "chunked") {
            answer.complete = answer.read_chunks(rest).is_some();
        } else {
            let declared = answer.header("content-length").and_then(|text| text.parse().ok());
            answer.complete = declared.is_none_or(|length: usize| length == rest.len());
            answer.body = rest.into();
        }
        Some(answer)
    }

    fn read_chunks(&mut self, mut rest: &[u8]) -> Option<()> {
        loop {
            let end = rest.windows(2).position(|two| two == b"\r\n")?;
            let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
            rest = &rest[end + 2..];
            self.body.extend_from_slice(&rest[..size.min(rest.len())]);
            rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
            if size == 0 {
                return Some(());
            }
        }
    }

    /// A header's first value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
