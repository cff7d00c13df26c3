//! A client of WebSockets, and a server of them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};
use tokio_tungstenite::tungstenite::{Error, Message};

/// Far above the slowest machine's pause.
const PATIENCE: Duration = Duration::from_secs(60);

/// The key of the standard's example.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// What the key of the standard's example is answered with.
pub const PROOF: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Asks for a WebSocket; gives the head of the answer, in lower case but for values, and the connection.
pub fn handshake(edge: SocketAddr, host: &str, path: &str, lines: &str) -> (String, TcpStream) {
    let mut stream = TcpStream::connect(edge).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    let key = if lines.contains("sec-websocket-") && !lines.contains("protocol") { "" } else { KEY };
    let version = if key.is_empty() {
        String::new()
    } else {
        format!("sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n")
    };
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n{version}{lines}\r\n"
    )
    .unwrap();
    let head = read_head(&stream);
    (head, stream)
}

/// Reads up to the empty line, and nothing beyond it.
fn read_head(stream: &TcpStream) -> String {
    let mut head = String::new();
    // Without a buffer: what follows the head is the socket's.
    let mut reader = BufReader::with_capacity(1, stream);
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "the connection ended in the head: {head}");
    }
    head
}

/// One end of an open socket.
pub struct Socket {
    inner: WebSocket<TcpStream>,
    /// The head with which it was opened.
    pub head: String,
}

impl Socket {
    /// Opens one, with further lines in the head.
    pub fn open_with(edge: SocketAddr, host: &str, path: &str, lines: &str) -> Self {
        let (head, stream) = handshake(edge, host, path, lines);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        Self { inner: WebSocket::from_raw_socket(stream, Role::Client, None), head }
    }

    /// Opens a WebSocket.
    ///
    /// # Panics
    /// If the host refuses it.
    pub fn open(edge: SocketAddr, host: &str, path: &str) -> Self {
        Self::open_with(edge, host, path, "")
    }

    /// Sends one message.
    pub fn send(&mut self, message: impl Into<Message>) {
        self.inner.send(message.into()).unwrap();
    }

    /// The next message that is no ping.
    pub fn receive(&mut self) -> Message {
        loop {
            match self.inner.read().unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }

    /// The next message as text.
    pub fn text(&mut self) -> String {
        match self.receive() {
            Message::Text(text) => text.as_str().to_owned(),
            other => panic!("{other:?} is no text"),
        }
    }

    /// Waits for the other side's close, whatever comes before, and answers it; gives code and reason.
    pub fn closed(&mut self) -> (u16, String) {
        let of = |frame: CloseFrame| (u16::from(frame.code), frame.reason.as_str().to_owned());
        let end = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < end, "it is not closed");
            match self.inner.read() {
                Ok(Message::Close(frame)) => {
                    // Sends the answer.
                    let _ = self.inner.flush();
                    return frame.map_or((1005, String::new()), of);
                }
                Ok(_) => {}
                Err(error) => panic!("it ended without a close: {error}"),
            }
        }
    }

    /// Closes it, and waits for the answer.
    pub fn close(mut self, code: u16, reason: &str) -> (u16, String) {
        self.inner.close(Some(CloseFrame { code: code.into(), reason: reason.into() })).unwrap();
        self.closed()
    }

    /// The connection below it.
    pub fn stream(&mut self) -> &mut TcpStream {
        self.inner.get_mut()
    }
}

/// A server that answers each message with itself and `bye` with a close; `/refused` is answered 403. Its address.
pub fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Ends with the test's process; it holds nothing but its port.
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || echo(stream));
        }
    });
    address
}

fn echo(mut stream: TcpStream) -> Option<()> {
    let head = read_head(&stream);
    let lower = head.to_ascii_lowercase();
    let line = |name: &str| {
        lower.lines().find_map(|line| line.strip_prefix(name).map(|rest| rest.trim().to_owned()))
    };
    if head.starts_with("GET /refused ") {
        return write!(stream, "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno").ok();
    }
    assert_eq!(
        (line("upgrade:").as_deref(), line("connection:").as_deref()),
        (Some("websocket"), Some("upgrade")),
        "{head}"
    );
    let key = head.lines().find(|line| line.to_ascii_lowercase().starts_with("sec-websocket-key:"))?;
    let key = ::http::HeaderValue::from_str(key.split_once(':')?.1.trim()).ok()?;
    let proof = vitrine_proxy::web_sockets::handshake::proof(&key);
    let protocol = line("sec-websocket-protocol:").and_then(|list| list.split(',').next().map(str::to_owned));
    let protocol =
        protocol.map_or_else(String::new, |chosen| format!("sec-websocket-protocol: {chosen}\r\n"));
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {}\r\n{protocol}\r\n",
        proof.to_str().ok()?
    )
    .ok()?;
    let mut socket = WebSocket::from_raw_socket(stream, Role::Server, None);
    loop {
        match socket.read() {
            Ok(Message::Text(text)) if text.as_str() == "bye" => {
                let frame = CloseFrame { code: 4002.into(), reason: "as you say".into() };
                socket.close(Some(frame)).ok()?;
            }
            Ok(message @ (Message::Text(_) | Message::Binary(_))) => socket.send(message).ok()?,
            Ok(_) => {}
            Err(Error::ConnectionClosed | Error::AlreadyClosed) => return Some(()),
            Err(_) => return None,
        }
    }
}
