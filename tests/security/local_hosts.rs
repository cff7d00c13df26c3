//! Ports of this machine that another user may take.

use crate::harness::cli::Cli;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::symlink;
use std::process::{Child, Command, Stdio};
use std::{fs, path::Path};

/// Listens as a user that owns nothing here, prints its port, and then what it is sent.
const LISTENS: &str = r#"
import socket, sys
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    c, _ = s.accept()
    sys.stdout.write(c.recv(65536).decode()); sys.stdout.flush()
    c.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]")
    c.close()
"#;

/// A process of another user that listens.
struct Stranger(Child, u16);

impl Stranger {
    /// None where the test is not root, and so can't start one.
    fn listen() -> Option<Self> {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "python3", "-c", LISTENS]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take()?);
        stdout.read_line(&mut line).ok()?;
        child.stdout = Some(stdout.into_inner());
        let Ok(port) = line.trim().parse() else {
            let _ = child.wait();
            return None;
        };
        Some(Self(child, port))
    }

    /// All that it was sent.
    fn told(mut self) -> String {
        self.0.kill().unwrap();
        let mut told = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut told).unwrap();
        self.0.wait().unwrap();
        told
    }
}

fn data(at: &Path) -> String {
    let data = at.join("vitrine-data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("admin.token"), "vt_secret-of-the-host\n").unwrap();
    data.to_str().unwrap().to_owned()
}

#[test]
fn a_token_in_a_file_is_not_sent_to_a_process_of_another_user() {
    let Some(stranger) = Stranger::listen() else { return };
    let here = tempfile::tempdir().unwrap();
    let data = data(here.path());
    let at = format!("127.0.0.1:{}", stranger.1);
    let status = |host: &str| {
        Cli::new(&["status", "--host", host]).within(here.path()).env("HOME", here.path().to_str().unwrap())
    };
    let told = status(&at).run();
    assert!(told.stderr.contains("admin.token is not sent: a process of user 65534"), "{told:?}");
    status(&at).env("VITRINE_DATA", &data).run();
    let sent = stranger.told();
    assert!(sent.contains("GET /v1/") && !sent.contains("secret-of-the-host"), "{sent}");
}

#[test]
fn a_repository_that_names_a_port_of_this_machine_gets_no_token() {
    let Some(stranger) = Stranger::listen() else { return };
    let here = tempfile::tempdir().unwrap();
    fs::create_dir(here.path().join(".git")).unwrap();
    let file = format!("version = 1\nhost = \"http://127.0.0.1:{}\"\n", stranger.1);
    fs::write(here.path().join(".vitrine"), file).unwrap();
    let home = here.path().to_str().unwrap();
    let told =
        Cli::new(&["status"]).within(here.path()).env("HOME", home).env("VITRINE_TOKEN", "vt_secret").run();
    let sent = stranger.told();
    assert!(!sent.contains("vt_secret"), "{told:?}: {sent}");
}

#[test]
fn a_link_is_not_read_as_a_token() {
    let here = tempfile::tempdir().unwrap();
    let data = data(here.path());
    let file = Path::new(&data).join("admin.token");
    let secret = here.path().join("secret");
    fs::rename(&file, &secret).unwrap();
    symlink(&secret, &file).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        let read = stream.read(&mut head).unwrap();
        String::from_utf8_lossy(&head[..read]).into_owned()
    });
    Cli::new(&["status", "--host", &at]).within(here.path()).run();
    let head = asked.join().unwrap();
    assert!(head.starts_with("GET /v1/") && !head.contains("secret-of-the-host"), "{head}");
}
