//! Workers as the system's process table shows them.

use std::fs;
use std::path::Path;

/// A worker in process isolation.
#[derive(Debug, Clone)]
pub struct WorkerProcess {
    /// Its supervisor's process id.
    pub supervisor: u32,
    /// Its render process's id, while there is one.
    pub render: Option<u32>,
    /// `APP@VERSION`.
    pub release: String,
    /// Instance id.
    pub instance: String,
}

/// A line of the process table.
struct Process {
    pid: u32,
    parent: u32,
    arguments: Vec<String>,
}

/// The workers whose sockets lie below this data folder.
pub fn workers_of(data: &Path) -> Vec<WorkerProcess> {
    let all = processes();
    let worker = |process: &Process| {
        let sockets = Path::new(value(process, "--sockets")?);
        if process.arguments.get(1)? != "supervise" || !sockets.starts_with(data) {
            return None;
        }
        let render = all.iter().find(|other| {
            other.parent == process.pid && other.arguments.get(1).is_some_and(|verb| verb == "render")
        });
        Some(WorkerProcess {
            supervisor: process.pid,
            render: render.map(|render| render.pid),
            release: value(process, "--release")?.to_owned(),
            instance: sockets.file_name()?.to_str()?.to_owned(),
        })
    };
    all.iter().filter_map(worker).collect()
}

/// The processes of the host on this data folder: one, or two while one hands over to the other.
pub fn hosts_of(data: &Path) -> Vec<u32> {
    let serves = |process: &Process| {
        process.arguments.get(1).is_some_and(|verb| verb == "serve")
            && value(process, "--data").is_some_and(|folder| Path::new(folder) == data)
    };
    processes().iter().filter(|process| serves(process)).map(|process| process.pid).collect()
}

/// Asks a process to end.
pub fn terminate(pid: u32) {
    // It may have ended since.
    let _ = std::process::Command::new("kill").args(["-TERM", &pid.to_string()]).status();
}

/// What every process on this machine has in its arguments and, as far as it may be read, its environment.
pub fn everything_said() -> String {
    let read = |pid: u32| {
        let file = |name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        String::from_utf8_lossy(&[file("cmdline"), file("environ")].concat()).into_owned()
    };
    processes().into_iter().map(|process| read(process.pid)).collect::<Vec<_>>().join("\n")
}

/// Ends a process at once.
pub fn kill(pid: u32) {
    signal(pid, "-KILL");
}

/// Stops a process: it lives, and does nothing any more.
pub fn freeze(pid: u32) {
    signal(pid, "-STOP");
}

/// Lets a stopped process go on.
pub fn thaw(pid: u32) {
    signal(pid, "-CONT");
}

/// Times that the threads of a process have gone to sleep so far. 0 when it has ended.
pub fn sleeps(pid: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let of_one = |status: &str| {
        let mut lines = status.lines();
        lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse::<u64>().ok())
    };
    threads.filter_map(|thread| of_one(&fs::read_to_string(thread.path().join("status")).ok()?)).sum()
}

fn signal(pid: u32, signal: &str) {
    let sent = std::process::Command::new("kill").args([signal, &pid.to_string()]).status().unwrap();
    assert!(sent.success(), "process {pid} was gone already");
}

fn value<'a>(process: &'a Process, name: &str) -> Option<&'a str> {
    let at = process.arguments.iter().position(|argument| argument == name)?;
    process.arguments.get(at + 1).map(String::as_str)
}

fn processes() -> Vec<Process> {
    let entries = fs::read_dir("/proc").unwrap().map_while(Result::ok);
    entries.filter_map(|entry| process(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// `None` when it ended meanwhile.
fn process(pid: u32) -> Option<Process> {
    let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let arguments = command.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned());
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, so what follows it is found from the end: state, parent.
    let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
    Some(Process { pid, parent, arguments: arguments.collect() })
}
