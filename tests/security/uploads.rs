//! Uploads: nobody's keeps another's out, and none fills the disk.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use vitrine_test_support::archive::Archive;
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Request;
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);

fn deployer(host: &Host, app: &str) -> String {
    host.cli(&["token", "create", app, "--app", app, "--verb", "deploy"]).ok().stdout.trim().to_owned()
}

/// An upload of which so many bytes have come.
fn begin(host: &Host, token: &str, release: &str, first: &[u8], length: usize) -> TcpStream {
    let (app, version) = release.split_once('@').unwrap();
    let mut stream = TcpStream::connect(host.admin).unwrap();
    write!(
        stream,
        "PUT /v1/apps/{app}/releases/{version} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         authorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n"
    )
    .unwrap();
    stream.write_all(first).unwrap();
    stream
}

fn staged(host: &Host) -> usize {
    std::fs::read_dir(host.data().join("staging")).unwrap().count()
}

#[test]
fn slow_uploads_of_one_token_keep_no_other_from_deploying_and_end() {
    let host = Host::start();
    let (slow, other) = (deployer(&host, "slow"), deployer(&host, "shop"));
    let held: Vec<TcpStream> =
        (0..6).map(|number| begin(&host, &slow, &format!("slow@v{number}"), b"x", 1 << 20)).collect();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                for mut upload in &held {
                    // One that was refused has closed.
                    let _ = upload.write_all(b"x");
                }
                // The pace of the attack.
                std::thread::sleep(Duration::from_secs(1));
            }
        });
        wait_until("two of them have a place", PATIENCE, || (staged(&host) == 2).then_some(()));
        let deployed = Request::new(host.admin, "PUT", "/v1/apps/shop/releases/v1")
            .header("host", "x")
            .header("authorization", &format!("Bearer {other}"))
            .body(Archive::good("one").zst())
            .send();
        // Each of them is given up for its pace, not for standing still.
        let mut told = String::new();
        held[0].set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = BufReader::new(&held[0]);
        let read = answer.read_line(&mut told).and_then(|_| answer.read_to_string(&mut told));
        over.store(true, Ordering::Relaxed);
        assert_eq!(deployed.status, 201, "{}", deployed.text());
        assert!(told.starts_with("HTTP/1.1 408") && told.contains("bytes a second"), "{told} {read:?}");
    });
}

/// A file system of its own.
struct Disk(PathBuf);

impl Disk {
    fn mount(path: &Path) -> Option<Self> {
        std::fs::create_dir(path).unwrap();
        let options = ["-t", "tmpfs", "-o", "size=128m,mode=700", "none"];
        let made = Command::new("mount").args(options).arg(path).output().unwrap();
        if made.status.success() {
            return Some(Self(path.into()));
        }
        println!("SKIPPED: no file system can be mounted here: {}", String::from_utf8_lossy(&made.stderr));
        None
    }

    fn free(&self) -> u64 {
        let told = nix::sys::statvfs::statvfs(&self.0).unwrap();
        told.blocks_available() * told.fragment_size()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a file of a worker that is about to end may still be open.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn uploads_end_before_the_disk_is_full() {
    let folder = Host::folder_anew();
    let Some(disk) = Disk::mount(&folder.path().join("data")) else { return };
    let host = Host::start_in(folder, &["--isolation", "process"]);
    host.deploy("shop", "one", &["--version", "v1"]);
    host.deploy("shop", "two", &["--version", "v2"]);
    let tokens: Vec<String> = (0..3).map(|number| deployer(&host, &format!("tenant-{number}"))).collect();
    // Small on the wire, 200 MiB on the disk.
    let bomb = {
        let zeros = vec![0; 100 << 20];
        Archive::good("bomb").file("client/a.bin", &zeros).file("client/b.bin", &zeros).zst()
    };
    let (least, over) = (AtomicU64::new(u64::MAX), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                least.fetch_min(disk.free(), Ordering::Relaxed);
                // Looked at far more often than megabytes are written.
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let uploads: Vec<_> = tokens
            .iter()
            .enumerate()
            .map(|(number, token)| {
                let (host, bomb) = (&host, &bomb);
                scope.spawn(move || {
                    Request::new(host.admin, "PUT", &format!("/v1/apps/tenant-{number}/releases/v1"))
                        .header("host", "x")
                        .header("authorization", &format!("Bearer {token}"))
                        .body(bomb.clone())
                        .send()
                })
            })
            .collect();
        let answers: Vec<_> = uploads.into_iter().map(|upload| upload.join().unwrap()).collect();
        over.store(true, Ordering::Relaxed);
        for answer in answers {
            let told = answer.json();
            let full = "urn:vitrine:problem:disk_full".into();
            assert_eq!((answer.status, &told["type"]), (507, &full), "{told}");
            assert!(told["detail"].as_str().unwrap().contains("uploads leave"), "{told}");
        }
    });
    let least = least.into_inner();
    println!("least room while 600 MiB were sent to a disk of 128: {} KiB", least >> 10);
    assert!(least > 2 << 20, "{least}");
    assert_eq!(staged(&host), 0);
    host.cli(&["rollback", "shop"]).ok();
    assert_eq!(host.get("shop", "/").send().text(), "one");
    // What fits is still taken.
    host.deploy("shop", "three", &["--version", "v3"]);
    let (folder, _) = host.stop();
    drop(disk);
    drop(folder);
}
