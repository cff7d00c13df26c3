//! Files: the host's, the bundle's, new ones, and what they tell.

use super::{Attempt, Place, answer, learned};
use std::ffi::CString;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::time::Duration;

fn plant(folder: &str) -> io::Result<()> {
    let path = Path::new(folder).join("planted");
    fs::write(&path, "x")?;
    fs::remove_file(path)
}

fn device(path: &str, major: u32, minor: u32) -> io::Result<()> {
    let path = CString::new(path).map_err(io::Error::other)?;
    // SAFETY: a text that ends with a zero.
    answer(i64::from(unsafe {
        libc::mknod(path.as_ptr(), libc::S_IFCHR | 0o600, libc::makedev(major, minor))
    }))
}

/// One byte into a file of the only folder that a worker can make sockets in.
fn fill_own_folder(place: &Place) -> io::Result<()> {
    let path = place.sockets.join("filled");
    let written = fs::File::create(&path).and_then(|mut file| file.write_all(&[1; 4096]));
    let _ = fs::remove_file(path);
    written
}

/// A new name in that folder, once the host has seen both sockets: each would be an inode of the host's.
fn grow_own_folder(place: &Place) -> io::Result<()> {
    fs::write(place.sockets.join("control.sock"), "")?;
    fs::write(place.sockets.join("requests.sock"), "")?;
    for number in 0..200 {
        fs::File::create(place.sockets.join(format!("grown-{number}")))?;
        // Until the host has closed the folder: seconds at the most.
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn environment() -> io::Result<()> {
    let own = ["PATH", "HOSTNAME", "HOME"];
    learned(std::env::vars().any(|(name, _)| !own.contains(&name.as_str())))
}

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn interfaces() -> io::Result<()> {
    learned(text("/proc/self/net/dev").lines().skip(2).any(|line| !line.trim_start().starts_with("lo:")))
}

fn container_id() -> io::Result<()> {
    learned(text("/proc/self/cgroup").lines().any(|line| line.contains("docker")))
}

fn block_devices() -> io::Result<()> {
    let found = fs::read_dir("/dev")?
        .flatten()
        .any(|entry| entry.file_type().is_ok_and(|kind| kind.is_block_device()));
    learned(found)
}

pub const ATTEMPTS: &[Attempt] = &[
    Attempt { name: "write to /", run: |_| plant("/") },
    Attempt {
        name: "write to /tmp",
        run: |_| fs::create_dir("/tmp").or(Ok::<_, io::Error>(())).and_then(|()| plant("/tmp")),
    },
    Attempt { name: "write to /etc", run: |_| plant("/etc") },
    Attempt { name: "write to /dev", run: |_| plant("/dev") },
    Attempt { name: "write to /dev/shm", run: |_| plant("/dev/shm") },
    Attempt { name: "write to /bin", run: |_| plant("/bin") },
    Attempt { name: "write to /run", run: |_| plant("/run") },
    Attempt { name: "write to the bundle's folder", run: |_| plant("/bundle") },
    Attempt { name: "change the bundle", run: |_| fs::write("/bundle/server/index.js", "x") },
    Attempt {
        name: "change its own program",
        run: |_| fs::OpenOptions::new().append(true).open("/bin/vitrine-worker").map(drop),
    },
    Attempt { name: "bytes into the sockets' folder", run: fill_own_folder },
    Attempt { name: "more files in the sockets' folder", run: grow_own_folder },
    Attempt { name: "write to /sys", run: |_| fs::write("/sys/kernel/mm/ksm/run", "0") },
    Attempt {
        name: "make a cgroup",
        run: |_| plant("/sys/fs/cgroup").or_else(|_| plant("/sys/fs/cgroup/memory")),
    },
    Attempt {
        name: "the kernel's core pattern",
        run: |_| fs::write("/proc/sys/kernel/core_pattern", "|/bin/x"),
    },
    Attempt {
        name: "sysrq",
        run: |_| fs::OpenOptions::new().write(true).open("/proc/sysrq-trigger").map(drop),
    },
    Attempt {
        name: "the kernel's memory",
        run: |_| {
            fs::File::open("/proc/kcore").and_then(|mut file| io::Read::read_exact(&mut file, &mut [0; 64]))
        },
    },
    Attempt { name: "keys of other users", run: |_| learned(!text("/proc/keys").is_empty()) },
    Attempt { name: "the host's password file", run: |_| fs::read("/etc/shadow").map(drop) },
    Attempt {
        name: "the host's data folder",
        run: |_| fs::read_dir("/proc/1/root/var/lib/docker").map(drop),
    },
    Attempt { name: "the disks", run: |_| block_devices() },
    Attempt { name: "a device, made", run: |_| device("/dev/made", 1, 1) },
    Attempt {
        name: "a device in the sockets' folder",
        run: |place| device(&place.sockets.join("made").display().to_string(), 1, 1),
    },
    Attempt { name: "environment of the host", run: |_| environment() },
    Attempt { name: "name servers of the host", run: |_| learned(!text("/etc/resolv.conf").is_empty()) },
    Attempt { name: "host names of the host", run: |_| learned(!text("/etc/hosts").is_empty()) },
    Attempt {
        name: "the host's name",
        run: |_| learned(text("/proc/sys/kernel/hostname").trim() != "worker"),
    },
    Attempt { name: "network interfaces", run: |_| interfaces() },
    Attempt { name: "the container's id", run: |_| container_id() },
];
