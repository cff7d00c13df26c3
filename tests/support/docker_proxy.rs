//! Docker's socket behind one that a rig can make hang: for the host it is a Docker that stands still.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;

const DOCKER: &str = "/var/run/docker.sock";

/// The socket; whoever is connected through it is cut off when this is dropped.
pub struct DockerProxy {
    folder: TempDir,
    hangs: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
}

impl DockerProxy {
    /// Listens, in front of the Docker that answers here.
    pub fn start() -> Self {
        let folder = TempDir::with_prefix_in("vp-", "/tmp").unwrap();
        let listener = UnixListener::bind(folder.path().join("docker.sock")).unwrap();
        let (hangs, over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (hung, ended) = (Arc::clone(&hangs), Arc::clone(&over));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let docker = UnixStream::connect(DOCKER).unwrap();
                for (from, to) in [(&client, &docker), (&docker, &client)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let (hung, ended) = (Arc::clone(&hung), Arc::clone(&ended));
                    std::thread::spawn(move || pass(from, to, &hung, &ended));
                }
            }
        });
        Self { folder, hangs, over }
    }

    /// What `DOCKER_HOST` is to say.
    pub fn address(&self) -> String {
        format!("unix://{}/docker.sock", self.folder.path().display())
    }

    /// Nothing passes any more.
    pub fn hang(&self) {
        self.hangs.store(true, Ordering::Relaxed);
    }

    /// What waited passes, and everything after it.
    pub fn go_on(&self) {
        self.hangs.store(false, Ordering::Relaxed);
    }
}

impl Drop for DockerProxy {
    fn drop(&mut self) {
        self.go_on();
        self.over.store(true, Ordering::Relaxed);
        // Wakes the one that accepts.
        let _ = UnixStream::connect(self.folder.path().join("docker.sock"));
    }
}

fn pass(mut from: UnixStream, mut to: UnixStream, hangs: &AtomicBool, over: &AtomicBool) {
    let mut piece = vec![0; 64 << 10];
    while let Ok(bytes @ 1..) = from.read(&mut piece) {
        while hangs.load(Ordering::Relaxed) && !over.load(Ordering::Relaxed) {
            // It stands still, which is what it is for.
            std::thread::sleep(Duration::from_millis(10));
        }
        if to.write_all(&piece[..bytes]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
