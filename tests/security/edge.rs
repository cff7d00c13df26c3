//! Who holds Docker's socket: the engine process, and nobody else of a host.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use vitrine_test_support::docker;
use vitrine_test_support::host::Host;

/// Inodes of the clients' ends of every connection to Docker's socket, as the kernel pairs them.
fn clients() -> Option<BTreeSet<u64>> {
    let told = Command::new("ss").args(["--unix", "--all", "--no-header"]).output().ok()?;
    // Netid, state, queues, local address and inode, peer and its inode.
    let text = String::from_utf8(told.stdout).unwrap();
    let clients = text.lines().filter_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let of_docker = columns.get(4)?.ends_with("docker.sock") && columns[1] == "ESTAB";
        of_docker.then(|| columns.get(7)?.parse().ok()).flatten()
    });
    Some(clients.collect())
}

/// Inodes of the sockets that a process has open.
fn sockets(pid: u32) -> BTreeSet<u64> {
    let links = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let names = links.filter_map(|link| std::fs::read_link(link.path()).ok());
    let inode = |name: &Path| name.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok();
    names.filter_map(|name| inode(&name)).collect()
}

/// The host's process, as its note for the command line names it.
fn process_of(host: &Host) -> u32 {
    let notes = std::fs::read_dir(host.data().with_file_name("vitrine")).unwrap().flatten();
    let note = notes.map(|note| std::fs::read(note.path()).unwrap()).next().unwrap();
    let note: serde_json::Value = serde_json::from_slice(&note).unwrap();
    u32::try_from(note["pid"].as_u64().unwrap()).unwrap()
}

/// Children of a process, and its arguments.
fn children(parent: u32) -> Vec<(u32, String)> {
    let text = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    let tasks = std::fs::read_dir(format!("/proc/{parent}/task")).unwrap().flatten();
    let all = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let pids: BTreeSet<u32> = all
        .chain(text)
        .flat_map(|text| text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>())
        .collect();
    let arguments = |pid: u32| {
        std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().replace('\0', " ")
    };
    pids.into_iter().map(|pid| (pid, arguments(pid))).collect()
}

#[test]
fn only_the_engine_process_has_a_connection_to_docker() {
    if !docker::is_there() {
        return;
    }
    if clients().is_none() {
        println!("SKIPPED: no `ss`, which tells whose the ends of a socket are");
        return;
    }
    let host = Host::start_with(&["--isolation", "container", "--stop-workers-on-exit"]);
    let own = process_of(&host);
    let engines: Vec<u32> =
        children(own).into_iter().filter(|(_, line)| line.contains(" engine ")).map(|(pid, _)| pid).collect();
    let [engine] = engines[..] else { panic!("one engine process: {engines:?}") };
    let mut engine_had = 0;
    let mut looks = 0;
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        // All the time that deploys, switches and renders take.
        let looking = scope.spawn(|| {
            let (mut looks, mut engine_had) = (0, 0);
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                // Before and after: a connection that lives for a moment is in one of them.
                let of_docker = clients().unwrap();
                assert!(sockets(own).is_disjoint(&of_docker), "the host holds Docker's socket");
                engine_had += usize::from(!sockets(engine).is_disjoint(&of_docker));
                looks += 1;
            }
            (looks, engine_had)
        });
        host.deploy("shop", "one", &["--version", "v1"]);
        host.deploy("shop", "two", &["--version", "v2"]);
        host.cli(&["rollback", "shop"]).ok();
        host.cli(&["remove", "shop@v2"]).ok();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        (looks, engine_had) = looking.join().unwrap();
    });
    println!("{looks} looks: the host never had a connection to Docker, the engine in {engine_had}");
    // The rig tells: it sees the connection where there is one.
    assert!(looks > 10 && engine_had > 0, "{looks} {engine_had}");
}
