//! Clients of one app, of every kind, and what they were told.

use super::super::host::Host;
use super::super::storm::{Seen, Wish, ask};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Lines of a page, of a stream, and of the answer to a POST.
const PAGE: usize = 40;
const STREAM: usize = 12;
const POST: usize = 3;
/// A client rests between two requests: a machine that has no time left measures its own queue.
const REST: Duration = Duration::from_millis(40);
/// Concurrent requests of one HTTP/2 connection.
const H2_STREAMS: usize = 4;

/// A page whose every line names the release that wrote it; `/stream` takes its time.
pub fn server(version: &str) -> String {
    format!(
        r#"const line = "storm@{version}\n";
const later = (ms) => new Promise((done) => setTimeout(done, ms));
export default {{
  async fetch(request) {{
    const path = new URL(request.url).pathname;
    if (request.method === "POST") return new Response(line + (await request.text()) + "\n" + line);
    if (path !== "/stream") return new Response(line.repeat({PAGE}));
    let left = {STREAM};
    return new Response(new ReadableStream({{
      async pull(controller) {{
        if (left-- === 0) return controller.close();
        await later(25);
        controller.enqueue(new TextEncoder().encode(line));
      }},
    }}));
  }},
}};
"#
    )
}

/// How a client comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One connection for all its requests.
    KeepAlive,
    /// A connection for each request.
    Anew,
    /// Answers that take a third of a second.
    Stream,
    /// Requests with a body.
    Post,
    /// Several requests at once over one HTTP/2 connection.
    H2,
}

/// One answer, and who got it.
#[derive(Debug, Clone)]
pub struct Told {
    /// To whom.
    pub kind: Kind,
    /// What.
    pub seen: Seen,
}

impl Told {
    /// What is wrong with it by itself: it is not whole, or not all of one release.
    pub fn fault(&self) -> Option<String> {
        let Self { kind, seen } = self;
        let lines = match kind {
            Kind::Stream => STREAM,
            Kind::Post => POST,
            _ => PAGE,
        };
        if seen.status != 200 || seen.body.lines().count() != lines {
            return Some(format!(
                "{kind:?}: {} with {} of {lines} lines",
                seen.status,
                seen.body.lines().count()
            ));
        }
        let mut releases = seen.body.lines().filter(|line| line.starts_with("storm@"));
        releases
            .find(|release| *release != seen.release)
            .map(|release| format!("{kind:?}: the head says {}, a line of the body {release}", seen.release))
    }
}

/// Asks until `stop`; gives every answer, and every request that had none.
pub fn insist(host: &Host, kind: Kind, stop: &AtomicBool) -> (Vec<Told>, Vec<String>) {
    let name = format!("storm.localhost:{}", host.edge.port());
    let (seen, failed) = match kind {
        Kind::H2 => insist_h2(host.edge, &name, stop),
        kind => insist_h1(host.edge, &name, kind, stop),
    };
    (seen.into_iter().map(|seen| Told { kind, seen }).collect(), failed)
}

fn insist_h1(to: SocketAddr, name: &str, kind: Kind, stop: &AtomicBool) -> (Vec<Seen>, Vec<String>) {
    let (method, path, body) = match kind {
        Kind::Stream => ("GET", "/stream", ""),
        Kind::Post => ("POST", "/", "sent by the client"),
        _ => ("GET", "/", ""),
    };
    let wish = Wish { method, path, host: name.to_owned(), body };
    let (mut seen, mut failed) = (Vec::new(), Vec::new());
    let mut connection = None;
    while !stop.load(Ordering::Relaxed) {
        match ask(to, &wish, &mut connection) {
            Ok(answer) => seen.push(answer),
            Err(error) => {
                connection = None;
                failed.push(format!("{kind:?}: {error}"));
            }
        }
        if kind == Kind::Anew {
            connection = None;
        }
        std::thread::sleep(REST);
    }
    (seen, failed)
}

fn insist_h2(to: SocketAddr, name: &str, stop: &AtomicBool) -> (Vec<Seen>, Vec<String>) {
    // The library wants to know about TLS before it is asked for any.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let builder = reqwest::Client::builder().http2_prior_knowledge().no_proxy();
        let client = builder.resolve("storm.localhost", to).build().unwrap();
        let url = format!("http://{name}/");
        let (mut seen, mut failed) = (Vec::new(), Vec::new());
        while !stop.load(Ordering::Relaxed) {
            let asked = (0..H2_STREAMS).map(|_| ask_h2(&client, &url));
            for answer in futures_util::future::join_all(asked).await {
                match answer {
                    Ok(answer) => seen.push(answer),
                    Err(error) => failed.push(format!("H2: {error:?}")),
                }
            }
            tokio::time::sleep(REST).await;
        }
        (seen, failed)
    })
}

async fn ask_h2(client: &reqwest::Client, url: &str) -> Result<Seen, reqwest::Error> {
    let asked = Instant::now();
    let answer = client.get(url).send().await?;
    let answered = Instant::now();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    let header = |name| {
        answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let (status, release) = (answer.status().as_u16(), header("x-vitrine-release"));
    let epoch = header("x-vitrine-epoch").parse().unwrap_or_default();
    let body = answer.text().await?;
    Ok(Seen { asked, answered, ended: Instant::now(), status, release, epoch, body })
}
