//! Ports of this machine that another user may take.

use nix::unistd::setfsuid;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use vitrine_test_support::cli::Cli;

/// A user that owns nothing here.
const STRANGER: u32 = 65534;

/// A socket of another user that listens.
struct Stranger {
    port: u16,
    told: Arc<Mutex<String>>,
}

impl Stranger {
    /// None where the test is not root, and so can't make one.
    fn listen() -> Option<Self> {
        let (send, port) = mpsc::channel();
        let told = Arc::<Mutex<String>>::default();
        let heard = Arc::clone(&told);
        // Ends with the test's process. The user is this thread's alone, and its sockets'.
        std::thread::spawn(move || {
            setfsuid(STRANGER.into());
            let own = setfsuid(STRANGER.into());
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            send.send((own.as_raw() == STRANGER).then_some(port)).unwrap();
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut head = [0; 16 << 10];
                let read = stream.read(&mut head).unwrap_or(0);
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&head[..read]));
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]";
                let _ = stream.write_all(answer);
            }
        });
        port.recv().unwrap().map(|port| Self { port, told })
    }

    /// All that it was sent.
    fn told(&self) -> String {
        self.told.lock().unwrap().clone()
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
    let at = format!("127.0.0.1:{}", stranger.port);
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
    let file = format!("version = 1\nhost = \"http://127.0.0.1:{}\"\n", stranger.port);
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
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
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
