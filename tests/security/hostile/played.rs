//! The worker of these tests: a program that speaks the protocol and breaks its rules, as a request's path tells it to.

use bytes::Bytes;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt as _, StreamExt as _};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Mutex;
use tokio_util::codec::Framed;
use vitrine_wire::limits::{LOG_LINES_MAX, WINDOW_BYTES};
use vitrine_wire::{
    AppError, CONTROL_SOCKET, Channel, Codec, Done, Frame, Hello, IsolateState, IsolateStatus, LogLevel,
    LogLine, Outcome, Peer, Pong, REQUESTS_SOCKET, Ready, ResponseHead, StreamId,
};

/// Variable that holds what the host started the worker with.
pub const ARGUMENTS: &str = "PLAYED_WORKER";

type Sink = SplitSink<Framed<UnixStream, Codec>, Frame>;

/// What its connections share.
#[derive(Default)]
struct Played {
    control: Mutex<Option<Sink>>,
    /// What is left of the window of each answer in the smallest frames.
    windows: std::sync::Mutex<HashMap<StreamId, u32>>,
}

/// Runs as the worker, when the host starts it as one.
#[test]
#[ignore = "the worker of the tests beside it"]
fn worker() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else { return };
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|known| *known == name).unwrap();
        arguments[at + 1]
    };
    let sockets = PathBuf::from(value("--sockets"));
    let spec: [u8; 32] = hex::decode(value("--spec-hash")).unwrap().try_into().unwrap();
    let hello = |channel| Hello::new(Peer::Worker, channel, value("--release"), spec);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let control = UnixListener::bind(sockets.join(CONTROL_SOCKET)).unwrap();
        let requests = UnixListener::bind(sockets.join(REQUESTS_SOCKET)).unwrap();
        let played = Arc::new(Played::default());
        let mut connections = 0;
        loop {
            tokio::select! {
                accepted = control.accept() => {
                    connections += 1;
                    let (link, played) = (Framed::new(accepted.unwrap().0, Codec), Arc::clone(&played));
                    let serving = played.control(link, hello(Channel::Control));
                    // A worker ends with its host.
                    tokio::spawn(async move { if serving.await.is_none() && connections > 3 { std::process::exit(0) } });
                }
                accepted = requests.accept() => {
                    let (link, played) = (Framed::new(accepted.unwrap().0, Codec), Arc::clone(&played));
                    tokio::spawn(played.requests(link, hello(Channel::Requests)));
                }
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    });
}

fn ready() -> Frame {
    Frame::Ready(Ready { isolates: 1, boot_us: 1, from_snapshot: false, warm_failure: None })
}

fn line(message: String) -> LogLine {
    LogLine { time_ms: 1_700_000_000_000, level: LogLevel::Info, request_id: None, message, stack: None }
}

impl Played {
    async fn control(self: Arc<Self>, link: Framed<UnixStream, Codec>, hello: Hello) -> Option<()> {
        let (mut sink, mut source) = link.split();
        sink.send(Frame::Hello(hello)).await.ok()?;
        *self.control.lock().await = Some(sink);
        while let Some(Ok(frame)) = source.next().await {
            let answer = match frame {
                Frame::Start(_) => ready(),
                Frame::Ping(nonce) => {
                    let isolate = IsolateStatus {
                        state: IsolateState::Serving,
                        in_flight: 0,
                        heap_bytes: u64::MAX,
                        restarts: Vec::new(),
                        alive: true,
                    };
                    Frame::Pong(Pong { nonce, queued: 0, isolates: vec![isolate; 2] })
                }
                _ => continue,
            };
            self.say([answer]).await;
        }
        None
    }

    /// Says something on the control socket, if that is still open.
    async fn say(&self, frames: impl IntoIterator<Item = Frame>) {
        let mut control = self.control.lock().await;
        let Some(sink) = control.as_mut() else { return };
        for frame in frames {
            if sink.feed(frame).await.is_err() {
                return;
            }
        }
        let _ = sink.flush().await;
    }

    async fn requests(self: Arc<Self>, link: Framed<UnixStream, Codec>, hello: Hello) -> Option<()> {
        let (mut sink, mut source) = link.split();
        sink.send(Frame::Hello(hello)).await.ok()?;
        while let Some(Ok(frame)) = source.next().await {
            match frame {
                Frame::Request(stream, head) => {
                    let path = url::Url::parse(&head.url).ok()?.path().to_owned();
                    self.answer(&mut sink, stream, &path).await?;
                }
                Frame::Credit(stream, bytes) => {
                    if let Some(left) = self.windows.lock().unwrap().get_mut(&stream) {
                        *left += bytes;
                    }
                    self.pieces(&mut sink, stream).await?;
                }
                _ => {}
            }
        }
        None
    }

    async fn answer(&self, sink: &mut Sink, stream: StreamId, path: &str) -> Option<()> {
        let head = ResponseHead::new(200, Vec::new());
        let text = match path {
            "/pieces" => {
                self.windows.lock().unwrap().insert(stream, WINDOW_BYTES);
                sink.feed(Frame::Response(stream, head)).await.ok()?;
                return self.pieces(sink, stream).await;
            }
            // How many of them have nothing left.
            "/sent" => self.windows.lock().unwrap().values().filter(|left| **left == 0).count().to_string(),
            "/ready" => {
                self.say((0..900).map(|_| ready())).await;
                "said".into()
            }
            "/log" => {
                let small = || Frame::Log(vec![line("flood".into()); LOG_LINES_MAX]);
                let large = || Frame::Log(vec![line("L".repeat(1_000_000))]);
                let both = (0..320).map(|_| small()).chain((0..50).map(|_| large()));
                self.say(both).await;
                "said".into()
            }
            "/line" => {
                self.say([Frame::Log(vec![line("one line".into())])]).await;
                "said".into()
            }
            "/error" => {
                let long = "E".repeat(400_000);
                let error = Some(AppError { message: long.clone(), stack: long });
                let figures = u64::MAX;
                let done = Done {
                    queue_us: figures,
                    render_us: figures,
                    cpu_us: figures,
                    error,
                    ..Done::of(Outcome::AppError)
                };
                return sink.send(Frame::Done(stream, done)).await.ok();
            }
            _ => "played".into(),
        };
        sink.feed(Frame::Response(stream, head)).await.ok()?;
        sink.feed(Frame::Body(stream, Bytes::from(text))).await.ok()?;
        sink.send(Frame::Done(stream, Done::of(Outcome::Ok))).await.ok()
    }

    /// Uses the window of an answer up, with the smallest frames there are.
    async fn pieces(&self, sink: &mut Sink, stream: StreamId) -> Option<()> {
        let Some(left) = self.windows.lock().unwrap().get_mut(&stream).map(std::mem::take) else {
            return Some(());
        };
        let smallest = Bytes::from_static(b"x");
        for _ in 0..left {
            sink.feed(Frame::Body(stream, smallest.clone())).await.ok()?;
        }
        sink.flush().await.ok()
    }
}
