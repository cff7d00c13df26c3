//! A native program that took over a worker and tries what must not work.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::Path;
use std::process::ExitCode;

/// Abstract socket on which the test listens outside.
pub const ABSTRACT_NAME: &str = "vitrine-test-outside";

/// App whose worker ends at once.
pub const FAILING_APP: &str = "fails";

/// Is this program in the place of a worker? Then it attacks, and gives its exit code.
pub fn run_as_worker() -> Option<ExitCode> {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("--version") => Some(ExitCode::SUCCESS),
        Some("supervise") if arguments.iter().any(|argument| argument.starts_with(FAILING_APP)) => {
            println!("no use");
            Some(ExitCode::from(9))
        }
        Some("supervise") => {
            let sockets =
                arguments.iter().position(|argument| argument == "--sockets").map(|at| &arguments[at + 1]);
            attack(Path::new(sockets.expect("the folder of the sockets")));
            Some(ExitCode::SUCCESS)
        }
        _ => None,
    }
}

fn attack(sockets: &Path) {
    system_calls();
    sockets_of_all_kinds();
    files(sockets);
    host_details();
    fork_bomb();
    println!("end");
    fs::write(sockets.join("control.sock"), "").expect("its own folder is writable");
    fs::write(sockets.join("requests.sock"), "").expect("its own folder is writable");
    loop {
        std::thread::park();
    }
}

fn tell(attempt: &str, done: io::Result<()>) {
    match done {
        Ok(()) => println!("ALLOWED {attempt}"),
        Err(err) => println!("denied {attempt}: {err}"),
    }
}

fn refused() -> io::Result<()> {
    Err(io::ErrorKind::PermissionDenied.into())
}

/// Calls that take no argument worth preparing: with zeros they fail in other ways when they are let through, so only the two
/// errors of a filter or a missing capability count as denied.
fn system_calls() {
    let calls: &[(&str, libc::c_long)] = &[
        ("io_uring_setup", libc::SYS_io_uring_setup),
        ("ptrace", libc::SYS_ptrace),
        ("memfd_create", libc::SYS_memfd_create),
        ("shmget", libc::SYS_shmget),
        ("msgget", libc::SYS_msgget),
        ("semget", libc::SYS_semget),
        ("mq_open", libc::SYS_mq_open),
        ("bpf", libc::SYS_bpf),
        ("userfaultfd", libc::SYS_userfaultfd),
        ("perf_event_open", libc::SYS_perf_event_open),
        ("keyctl", libc::SYS_keyctl),
        ("add_key", libc::SYS_add_key),
        ("request_key", libc::SYS_request_key),
        ("process_vm_readv", libc::SYS_process_vm_readv),
        ("process_vm_writev", libc::SYS_process_vm_writev),
        ("mount", libc::SYS_mount),
        ("umount2", libc::SYS_umount2),
        ("fsopen", libc::SYS_fsopen),
        ("open_tree", libc::SYS_open_tree),
        ("move_mount", libc::SYS_move_mount),
        ("pivot_root", libc::SYS_pivot_root),
        ("chroot", libc::SYS_chroot),
        ("unshare", libc::SYS_unshare),
        ("setns", libc::SYS_setns),
        ("pkey_alloc", libc::SYS_pkey_alloc),
        ("open_by_handle_at", libc::SYS_open_by_handle_at),
        ("name_to_handle_at", libc::SYS_name_to_handle_at),
        ("personality", libc::SYS_personality),
        ("kexec_load", libc::SYS_kexec_load),
        ("init_module", libc::SYS_init_module),
        ("delete_module", libc::SYS_delete_module),
        ("reboot", libc::SYS_reboot),
        ("swapon", libc::SYS_swapon),
        ("settimeofday", libc::SYS_settimeofday),
        ("clock_settime", libc::SYS_clock_settime),
        ("sethostname", libc::SYS_sethostname),
        ("syslog", libc::SYS_syslog),
        ("acct", libc::SYS_acct),
        ("quotactl", libc::SYS_quotactl),
        ("fanotify_init", libc::SYS_fanotify_init),
        ("pidfd_getfd", libc::SYS_pidfd_getfd),
        ("kcmp", libc::SYS_kcmp),
        ("lookup_dcookie", libc::SYS_lookup_dcookie),
        ("vmsplice", libc::SYS_vmsplice),
    ];
    for (name, number) in calls {
        // SAFETY: zeros name no memory.
        let answer = unsafe { libc::syscall(*number, 0, 0, 0, 0, 0, 0) };
        let err = io::Error::last_os_error();
        let filtered = answer == -1 && matches!(err.raw_os_error(), Some(libc::EPERM | libc::ENOSYS));
        tell(name, if filtered { Err(err) } else { Ok(()) });
    }
    // SAFETY: a thread of a new user namespace would start with no stack of its own; the filter refuses the flag.
    let answer = unsafe { libc::syscall(libc::SYS_clone, libc::CLONE_NEWUSER | libc::SIGCHLD, 0, 0, 0, 0) };
    tell("clone(CLONE_NEWUSER)", number(answer));
    // SAFETY: plain numbers.
    tell("setuid(0)", number(i64::from(unsafe { libc::setuid(0) })));
    // SAFETY: plain numbers.
    tell("setgid(0)", number(i64::from(unsafe { libc::setgid(0) })));
    let letter = b'x';
    // SAFETY: the pointer is to one byte that lives on.
    tell("ioctl(TIOCSTI)", number(i64::from(unsafe { libc::ioctl(0, libc::TIOCSTI, &raw const letter) })));
}

fn number(answer: i64) -> io::Result<()> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn sockets_of_all_kinds() {
    let kinds = [
        ("AF_INET", libc::AF_INET, libc::SOCK_STREAM),
        ("AF_INET datagram", libc::AF_INET, libc::SOCK_DGRAM),
        ("AF_INET6", libc::AF_INET6, libc::SOCK_STREAM),
        ("AF_NETLINK", libc::AF_NETLINK, libc::SOCK_RAW),
        ("AF_PACKET", libc::AF_PACKET, libc::SOCK_RAW),
        ("AF_VSOCK", libc::AF_VSOCK, libc::SOCK_STREAM),
        ("AF_ALG", libc::AF_ALG, libc::SOCK_SEQPACKET),
        ("AF_KEY", libc::AF_KEY, libc::SOCK_RAW),
        ("AF_XDP", libc::AF_XDP, libc::SOCK_RAW),
        ("AF_BLUETOOTH", libc::AF_BLUETOOTH, libc::SOCK_RAW),
    ];
    for (name, family, kind) in kinds {
        // SAFETY: plain numbers.
        tell(name, number(i64::from(unsafe { libc::socket(family, kind, 0) })));
    }
    let outside = SocketAddr::from_abstract_name(ABSTRACT_NAME).expect("a short name");
    tell("the abstract socket of another program", UnixStream::connect_addr(&outside).map(drop));
    for path in ["/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock"] {
        tell(path, UnixStream::connect(path).map(drop));
    }
}

fn files(sockets: &Path) {
    for folder in
        ["/", "/tmp", "/etc", "/dev", "/bundle", "/bin", "/run", "/proc/sys/kernel", "/sys/fs/cgroup"]
    {
        tell(&format!("write to {folder}"), fs::write(Path::new(folder).join("planted"), "x"));
    }
    tell("change the bundle", fs::write("/bundle/server/index.js", "x"));
    tell("the kernel's core pattern", fs::write("/proc/sys/kernel/core_pattern", "|/bin/x"));
    tell("the kernel's memory", fs::read("/proc/kcore").map(drop));
    tell("the host's password file", fs::read("/etc/shadow").map(drop));
    tell("other workers' folders", fs::read_dir(sockets.join("..").join("..").join("bundles")).map(drop));
    for program in ["/bin/sh", "/usr/bin/env", "/bin/busybox"] {
        let path = CString::new(program).expect("no zero inside");
        let arguments = [path.as_ptr(), std::ptr::null()];
        // SAFETY: both lists end with a null; on success the process is replaced, which the test sees as a missing end.
        unsafe { libc::execv(path.as_ptr(), arguments.as_ptr()) };
        tell(&format!("run {program}"), Err(io::Error::last_os_error()));
    }
}

/// Things that can be read, and must say nothing about the host.
fn host_details() {
    let clean = |holds: bool| if holds { refused() } else { Ok(()) };
    let foreign =
        std::env::vars().filter(|(name, _)| !["PATH", "HOSTNAME", "HOME"].contains(&name.as_str())).count();
    tell("environment of the host", clean(foreign == 0));
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    tell("name servers", clean(text("/etc/resolv.conf").is_empty()));
    tell("host name", clean(text("/proc/sys/kernel/hostname").trim() == "worker"));
    let interfaces: Vec<_> = text("/proc/self/net/dev").lines().skip(2).map(String::from).collect();
    tell("network interfaces", clean(interfaces.iter().all(|line| line.trim_start().starts_with("lo:"))));
    let processes = fs::read_dir("/proc").map_or(0, |entries| {
        entries.flatten().filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok()).count()
    });
    tell("processes of others", clean(processes == 1 && std::process::id() == 1));
    let cgroup = text("/proc/self/cgroup");
    tell(
        "the container's id",
        clean(cgroup.lines().all(|line| line.ends_with(":/") || !line.contains("docker"))),
    );
}

/// Forks until it is refused, at most 200 times.
fn fork_bomb() {
    let mut children = Vec::new();
    let refused = (0..200).any(|_| {
        // SAFETY: the child only waits to be killed.
        match unsafe { libc::fork() } {
            0 => loop {
                // SAFETY: no argument.
                unsafe { libc::pause() };
            },
            -1 => true,
            child => {
                children.push(child);
                false
            }
        }
    });
    for child in &children {
        // SAFETY: a child of this process.
        unsafe { libc::kill(*child, libc::SIGKILL) };
        // SAFETY: no status is asked for.
        unsafe { libc::waitpid(*child, std::ptr::null_mut(), 0) };
    }
    let bounded = refused && children.len() < 64;
    tell(
        "more processes than the bound",
        if bounded { Err(io::ErrorKind::QuotaExceeded.into()) } else { Ok(()) },
    );
}
