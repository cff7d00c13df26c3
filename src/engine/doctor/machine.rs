//! What the kernel and the machine say about themselves, graded.
//!
//! Reading is apart from grading: each `grade_…` is a function of what was read.

use super::versions;
use super::{Check, Grade};
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::statvfs::statvfs;
use std::fs;
use std::path::{Path, PathBuf};
use vitrine_core::limits::{BUNDLE_BYTES_MAX, FILES_WANTED};

/// Everything that is looked at without Docker. `data` is the data folder, there or not.
pub(super) fn checks(data: &Path) -> Vec<Check> {
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let release = text("/proc/sys/kernel/osrelease");
    let registered = text("/proc/net/protocols").lines().any(|line| line.starts_with("ALG"));
    let af_alg = registered || is_loadable(release.trim(), "algif_aead");
    let mut checks = vec![
        versions::kernel(release.trim(), af_alg),
        grade_cgroups(Path::new("/sys/fs/cgroup/cgroup.controllers").exists(), &controllers()),
        grade_modules(&text("/sys/kernel/security/lsm")),
        grade_landlock(landlock_abi()),
        grade_seccomp(&text("/proc/sys/kernel/seccomp/actions_avail")),
        grade_user_namespaces(&text("/proc/sys/user/max_user_namespaces")),
        grade_swap(text("/proc/swaps").lines().count() > 1),
        grade_ksm(text("/sys/kernel/mm/ksm/run").trim()),
        grade_smt(text("/sys/devices/system/cpu/smt/control").trim()),
        grade_mitigations(&vulnerabilities()),
        grade_files(getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(_, hard)| hard)),
        grade_clock(is_clock_kept()),
    ];
    checks.extend(room(data).map(grade_room).unwrap_or_default());
    checks
}

/// Room of the file system that the data folder lies on.
#[derive(Debug, Clone, Copy)]
struct Room {
    free_bytes: u64,
    bytes: u64,
    free_files: u64,
    files: u64,
}

fn grade_room(room: Room) -> Vec<Check> {
    /// Below it Docker, logs and the next few deploys fill the disk within days.
    const SHORT_BYTES: u64 = 4 << 30;
    let mib = room.free_bytes >> 20;
    let found = format!("{mib} MiB free of {}", room.bytes >> 20);
    let space = if room.free_bytes < 2 * BUNDLE_BYTES_MAX {
        Check::of(
            "disk space",
            found,
            Grade::Bad,
            "free the disk of the data folder: a deploy needs up to 512 MiB of it",
        )
    } else {
        let advice = "free the disk of the data folder: deploys, images and logs need room";
        Check::unless(room.free_bytes >= SHORT_BYTES, "disk space", found, Grade::Warning, advice)
    };
    // Some file systems make inodes as they go, and tell none.
    let found = if room.files == 0 {
        "made as needed".into()
    } else {
        format!("{} free of {}", room.free_files, room.files)
    };
    let inodes = match room {
        Room { files: 0, .. } => Check::good("inodes", found),
        Room { free_files, .. } if free_files < 20_000 => Check::of(
            "inodes",
            found,
            Grade::Bad,
            "remove files on the disk of the data folder: a bundle has up to 10,000",
        ),
        Room { free_files, files, .. } => {
            let advice =
                "remove small files on the disk of the data folder: its inodes run out before its space";
            Check::unless(free_files >= files / 20, "inodes", found, Grade::Warning, advice)
        }
    };
    vec![space, inodes]
}

fn grade_cgroups(unified: bool, controllers: &[String]) -> Check {
    let missing: Vec<&str> = ["cpu", "memory", "pids"]
        .into_iter()
        .filter(|wanted| !controllers.iter().any(|there| there == wanted))
        .collect();
    let found = format!("version {}, {}", if unified { 2 } else { 1 }, controllers.join(" "));
    if missing.is_empty() {
        return Check::good("cgroups", found);
    }
    let advice = "mount the cpu, memory and pids controllers: without them a container's limits are not kept";
    Check::of("cgroups", format!("{found}; no {}", missing.join(", ")), Grade::Warning, advice)
}

fn grade_modules(lsm: &str) -> Check {
    let found = if lsm.trim().is_empty() { "unknown" } else { lsm.trim() };
    let walls = ["apparmor", "selinux", "landlock", "smack", "tomoyo"];
    let any = found.split(',').any(|module| walls.contains(&module)) || found == "unknown";
    let advice = "boot with landlock, AppArmor or SELinux among the kernel's security modules (lsm=)";
    Check::unless(any, "security modules", found, Grade::Warning, advice)
}

fn grade_landlock(abi: i64) -> Check {
    let found = if abi > 0 { format!("ABI {abi}") } else { "none".into() };
    let advice = "boot with landlock among the kernel's security modules (lsm=): workers lose one of two walls to the file system";
    Check::unless(abi > 0, "landlock", found, Grade::Warning, advice)
}

fn grade_seccomp(actions: &str) -> Check {
    let found = if actions.trim().is_empty() { "none" } else { actions.trim() };
    let there = actions.split_whitespace().any(|action| action == "errno");
    let advice = "use a kernel with CONFIG_SECCOMP_FILTER: workers can't be locked down without it";
    Check::unless(there, "seccomp", found, Grade::Bad, advice)
}

/// For information: workers may not make any, whatever the kernel allows.
fn grade_user_namespaces(most: &str) -> Check {
    let found = match most.trim() {
        "" => "none".to_owned(),
        "0" => "forbidden".to_owned(),
        most => format!("at most {most}; workers may make none"),
    };
    Check::good("user namespaces", found)
}

fn grade_swap(in_use: bool) -> Check {
    let advice = "secrets of apps may reach the disk: turn swap off or encrypt it";
    Check::unless(!in_use, "swap", if in_use { "in use" } else { "none" }, Grade::Warning, advice)
}

fn grade_ksm(run: &str) -> Check {
    let advice = "turn it off (`echo 0 > /sys/kernel/mm/ksm/run`): equal pages of two apps can be told apart by their timing";
    Check::unless(
        run != "1",
        "same-page merging",
        if run == "1" { "on" } else { "off" },
        Grade::Warning,
        advice,
    )
}

fn grade_smt(control: &str) -> Check {
    let found = if control.is_empty() { "unknown" } else { control };
    let advice = "two threads of a core share what side channels read: turn SMT off where apps of several owners run (nosmt)";
    Check::unless(control != "on", "SMT", found, Grade::Warning, advice)
}

/// `name: text` of each weakness of the processor that the kernel knows.
fn grade_mitigations(weaknesses: &[String]) -> Check {
    let open: Vec<&str> =
        weaknesses.iter().map(String::as_str).filter(|line| line.contains("Vulnerable")).collect();
    if open.is_empty() {
        return Check::good("mitigations", format!("{} known weaknesses, none open", weaknesses.len()));
    }
    let advice =
        "update microcode and kernel, and boot without mitigations=off: one app may read another's memory";
    Check::of("mitigations", open.join("; "), Grade::Warning, advice)
}

fn grade_files(hard: u64) -> Check {
    let found = if hard == u64::MAX { "no limit".into() } else { format!("at most {hard}") };
    let advice =
        "raise the hard limit (LimitNOFILE=65536 in the unit): connections and their files need 12,288";
    Check::unless(hard >= FILES_WANTED, "open files", found, Grade::Warning, advice)
}

fn grade_clock(kept: bool) -> Check {
    let found = if kept { "kept in time" } else { "not kept in time" };
    let advice = "run a time service (chrony, systemd-timesyncd): retention, previews and logs go by the clock, timeouts do not";
    Check::unless(kept, "clock", found, Grade::Warning, advice)
}

fn room(data: &Path) -> Option<Room> {
    // One that is yet to be made lies where its nearest parent does.
    let there: PathBuf = std::path::absolute(data).ok()?.ancestors().find(|path| path.exists())?.into();
    let told = statvfs(&there).ok()?;
    let unit = told.fragment_size();
    Some(Room {
        free_bytes: told.blocks_available() * unit,
        bytes: told.blocks() * unit,
        free_files: told.files_available(),
        files: told.files(),
    })
}

fn controllers() -> Vec<String> {
    if let Ok(unified) = fs::read_to_string("/sys/fs/cgroup/cgroup.controllers") {
        return unified.split_whitespace().map(String::from).collect();
    }
    // Name, hierarchy, groups, enabled.
    let table = fs::read_to_string("/proc/cgroups").unwrap_or_default();
    let enabled = |line: &str| {
        let mut columns = line.split_whitespace();
        let name = columns.next()?;
        (columns.nth(2)? == "1").then(|| name.to_owned())
    };
    table.lines().filter(|line| !line.starts_with('#')).filter_map(enabled).collect()
}

fn vulnerabilities() -> Vec<String> {
    let entries = fs::read_dir("/sys/devices/system/cpu/vulnerabilities").into_iter().flatten().flatten();
    let line = |entry: fs::DirEntry| {
        let text = fs::read_to_string(entry.path()).ok()?;
        Some(format!("{}: {}", entry.file_name().to_string_lossy(), text.trim()))
    };
    let mut lines: Vec<String> = entries.filter_map(line).collect();
    lines.sort();
    lines
}

/// Whether the kernel has a module, or can load it.
fn is_loadable(release: &str, module: &str) -> bool {
    let listed = |file: &str| {
        fs::read_to_string(format!("/lib/modules/{release}/{file}"))
            .is_ok_and(|list| list.contains(&format!("/{module}.ko")))
    };
    Path::new("/sys/module").join(module).exists() || listed("modules.dep") || listed("modules.builtin")
}

/// Whether a time service keeps the clock, as the kernel sees it.
fn is_clock_kept() -> bool {
    // SAFETY: all zeros are a valid value of this plain structure, and ask for nothing to be changed.
    let mut told: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: the structure lives for the length of the call.
    let state = unsafe { libc::adjtimex(&raw mut told) };
    state != -1 && told.status & libc::STA_UNSYNC == 0
}

/// Version of Landlock in the running kernel; 0 is none.
fn landlock_abi() -> i64 {
    const ASK_VERSION: u32 = 1;
    // SAFETY: with this flag the call takes no memory of ours; it only answers with a number.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<libc::c_void>(),
            0usize,
            ASK_VERSION,
        )
    };
    answer.max(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Grade::{Bad, Good, Warning};

    fn room(free_mib: u64, free_files: u64, files: u64) -> Vec<Grade> {
        let room = Room { free_bytes: free_mib << 20, bytes: 100 << 30, free_files, files };
        grade_room(room).iter().map(|check| check.grade).collect()
    }

    #[test]
    fn room_is_what_the_next_deploys_need() {
        assert_eq!(room(10_000, 1_000_000, 2_000_000), [Good, Good]);
        assert_eq!(room(2_000, 60_000, 2_000_000), [Warning, Warning]);
        assert_eq!(room(511, 19_999, 2_000_000), [Bad, Bad]);
        assert_eq!(room(10_000, 0, 0), [Good, Good], "btrfs tells no inodes");
    }

    #[test]
    fn every_grade_follows_from_what_was_read() {
        let controllers = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let weak = |text: &str| vec!["meltdown: Not affected".to_owned(), format!("srso: {text}")];
        for (check, grade) in [
            (grade_cgroups(true, &controllers(&["cpu", "memory", "pids", "io"])), Good),
            (grade_cgroups(false, &controllers(&["cpu", "pids"])), Warning),
            (grade_modules("lockdown,capability,landlock,bpf\n"), Good),
            (grade_modules("capability,bpf"), Warning),
            (grade_modules(""), Good),
            (grade_landlock(7), Good),
            (grade_landlock(0), Warning),
            (grade_seccomp("kill_process kill_thread trap errno trace log allow\n"), Good),
            (grade_seccomp(""), Bad),
            (grade_user_namespaces("63206\n"), Good),
            (grade_swap(false), Good),
            (grade_swap(true), Warning),
            (grade_ksm("0"), Good),
            (grade_ksm("1"), Warning),
            (grade_ksm(""), Good),
            (grade_smt("notsupported"), Good),
            (grade_smt("on"), Warning),
            (grade_mitigations(&weak("Mitigation: Safe RET")), Good),
            (grade_mitigations(&weak("Vulnerable: Safe RET, no microcode")), Warning),
            (grade_files(FILES_WANTED), Good),
            (grade_files(1024), Warning),
            (grade_clock(true), Good),
            (grade_clock(false), Warning),
        ] {
            assert_eq!(check.grade, grade, "{check:?}");
            assert_eq!(check.grade == Good, check.advice.is_none(), "{check:?}");
        }
    }

    #[test]
    fn this_machine_is_described() {
        let checks = checks(Path::new("/nonexistent/vitrine-data"));
        for name in [
            "kernel",
            "cgroups",
            "landlock",
            "seccomp",
            "mitigations",
            "disk space",
            "inodes",
            "clock",
            "open files",
        ] {
            assert!(
                checks.iter().any(|check| check.name == name && !check.found.is_empty()),
                "no {name} in {checks:?}"
            );
        }
    }
}
