//! `vitrine healthcheck`.

use crate::cli::{Failure, print, target};
use serde_json::json;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;
use url::Url;
use vitrine_core::limits::HEALTHCHECK_MS;

/// Default port of `solo`.
const SOLO_PORT: u16 = 8000;
/// Whether pages would be served.
const READY: &str = "/_vitrine/readyz";

/// Ask whether a host or `solo` can serve: exit 0 if it can, else 1, also for wrong usage. A container's health command
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// URL to ask, http only [default: the host that runs here, else http://127.0.0.1:8000/_vitrine/readyz]
    #[arg(long, env = "VITRINE_HEALTHCHECK_URL", hide_env_values = true)]
    url: Option<Url>,
}

/// Runs the verb. Plain sockets: an image without certificates is enough.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let url = &args.url.clone().map_or_else(found, Ok)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Failure::refused(
            "health check: the URL has a user or a password, which is not sent; leave it out",
        ));
    }
    if url.scheme() != "http" {
        return Err(Failure::refused(format!(
            "health check: `{url}` is not an http URL; ask the plain listener"
        )));
    }
    let (status, body) = ask(url)
        .map_err(|error| Failure::refused(format!("health check: {url} does not answer: {error}")))?;
    if status.contains(" 200") {
        return if print::is_json() {
            print::json(&json!({ "url": url.as_str(), "ready": true }))
        } else {
            Ok(())
        };
    }
    Err(Failure::refused(format!("health check: {url} is not ready: {} {}", status.trim(), body.trim())))
}

/// The host that runs here, else `solo` at its default port.
fn found() -> Result<Url, Failure> {
    let edges = target::edges();
    let address = match edges[..] {
        [] => SocketAddr::from(([127, 0, 0, 1], SOLO_PORT)),
        [edge] => edge,
        [..] => {
            let several: Vec<String> = edges.iter().map(|edge| format!("http://{edge}{READY}")).collect();
            let text =
                format!("{} hosts run here; --url names the one to ask: {}", edges.len(), several.join(", "));
            return Err(Failure::refused(text));
        }
    };
    format!("http://{address}{READY}").parse().map_err(Failure::local("naming the host's address"))
}

fn ask(url: &Url) -> io::Result<(String, String)> {
    let timeout = Duration::from_millis(HEALTHCHECK_MS);
    let host = url.host_str().unwrap_or("127.0.0.1");
    let port = url.port_or_known_default().unwrap_or(80);
    let address = (host.trim_matches(['[', ']']), port).to_socket_addrs()?.next();
    let address = address.ok_or_else(|| io::Error::other(format!("{host} has no address")))?;
    let mut stream = TcpStream::connect_timeout(&address, timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    let request = format!(
        "GET {} HTTP/1.1\r\nhost: {host}:{port}\r\naccept: application/json\r\nconnection: close\r\n\r\n",
        &url[url::Position::BeforePath..url::Position::AfterQuery]
    );
    stream.write_all(request.as_bytes())?;
    // An answer has some hundred bytes.
    let mut answer = BufReader::new(stream.take(64 << 10));
    let (mut status, mut body) = (String::new(), String::new());
    answer.read_line(&mut status)?;
    let mut header = String::new();
    while answer.read_line(&mut header)? > 2 {
        header.clear();
    }
    answer.read_to_string(&mut body)?;
    Ok((status, body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn asked(answer: &'static str) -> Result<(), Failure> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/_vitrine/readyz?x=1", listener.local_addr().unwrap()).parse().unwrap();
        let serving = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
            assert_eq!(lines.next().unwrap(), "GET /_vitrine/readyz?x=1 HTTP/1.1");
            assert!(lines.any(|line| line.is_empty()));
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let result = run(&Args { url: Some(url) });
        serving.join().unwrap();
        result
    }

    #[test]
    fn only_200_is_healthy_and_the_reason_is_told() {
        assert!(asked("HTTP/1.1 200 OK\r\n\r\n{}").is_ok());
        let reason = asked("HTTP/1.1 503 x\r\nretry-after: 1\r\n\r\nno release").unwrap_err().to_string();
        assert!(reason.contains("503") && reason.contains("no release"), "{reason}");
        assert!(reason.contains("/_vitrine/readyz?x=1"), "{reason}");
        assert!(asked("").is_err());
    }
}
