use super::*;
use crate::Resources;
use proptest::prelude::*;
use std::path::PathBuf;
use vitrine_core::id::Digest;

fn spec(instance: u64, version: &str, memory_mb: u64, cpus: f64, pids: i64) -> StartSpec {
    StartSpec {
        instance: format!("{instance:016x}").parse().unwrap(),
        release: format!("shop@{version}").parse().unwrap(),
        bundle: Digest::of(b"bundle"),
        snapshot: Some(Digest::of(b"heap")),
        spec_hash: Digest::of(version.as_bytes()),
        resources: Resources { memory_mb, memory_reservation_mb: 32, cpus, cpu_reservation: 0.0, pids },
    }
}

fn body(spec: &StartSpec) -> ContainerCreateBody {
    let (sockets, bundle) = (PathBuf::from("/data/run/x"), PathBuf::from("/data/bundles/y/files"));
    let snapshot = PathBuf::from("/data/bundles/y/snapshots/z");
    let place = Place {
        host: "0123456789abcdef",
        image: "sha256:image",
        runtime: None,
        sockets: &sockets,
        bundle: &bundle,
        snapshot: Some(&snapshot),
    };
    container(spec, Task::Serve, &place)
}

#[test]
fn what_is_reserved_is_the_containers_soft_limit_and_weight() {
    let mut given = spec(7, "v1", 512, 1.5, 64);
    given.resources.memory_reservation_mb = 1024;
    given.resources.cpu_reservation = 0.25;
    let host = body(&given).host_config.unwrap();
    assert_eq!(host.memory_reservation, Some(512 << 20), "no more than the limit");
    assert_eq!(host.cpu_shares, Some(256));
}

#[test]
fn a_worker_gets_nothing_that_it_does_not_need() {
    let body = body(&spec(7, "v1", 512, 1.5, 64));
    let host = body.host_config.unwrap();
    assert_eq!(host.network_mode.as_deref(), Some("none"));
    assert_eq!(host.ipc_mode.as_deref(), Some("none"));
    assert_eq!(host.cap_drop, Some(vec!["ALL".to_string()]));
    assert_eq!(host.readonly_rootfs, Some(true));
    assert_eq!((host.memory, host.memory_swap), (Some(512 << 20), Some(512 << 20)));
    assert_eq!((host.nano_cpus, host.pids_limit), (Some(1_500_000_000), Some(64)));
    assert_eq!((host.memory_reservation, host.cpu_shares), (Some(32 << 20), Some(1000)));
    assert_eq!(host.restart_policy.unwrap().name, Some(RestartPolicyNameEnum::NO));
    assert!(host.pid_mode.is_none() && host.uts_mode.is_none() && host.userns_mode.is_none());
    assert!(host.binds.is_none() && host.tmpfs.is_none() && host.port_bindings.is_none());
    let security = host.security_opt.unwrap();
    assert_eq!(security[0], "no-new-privileges");
    assert!(security[1].starts_with("seccomp={"));
    let writable: Vec<_> =
        host.mounts.unwrap().into_iter().filter(|mount| mount.read_only != Some(true)).collect();
    assert_eq!(writable.len(), 1);
    assert_eq!(writable[0].target.as_deref(), Some("/run/vitrine"));
    let arguments = body.cmd.unwrap();
    let at = arguments.iter().position(|argument| argument == "--snapshot").unwrap();
    let sha256 = Digest::of(b"heap").to_string();
    assert_eq!(arguments[at + 1..], ["/snapshot", "--snapshot-sha256", &sha256]);
    assert_eq!(body.env, Some(Vec::new()));
    let (uid, gid) = body.user.as_deref().unwrap().split_once(':').unwrap();
    assert_eq!(uid, gid);
    assert!(uid.parse::<u32>().unwrap() >= 100_000);
}

#[test]
fn no_share_of_the_cores_is_all_of_them() {
    assert_eq!(body(&spec(7, "v1", 512, 0.0, 64)).host_config.unwrap().nano_cpus, Some(0));
}

/// Calls whose absence from the list the isolation rests on.
const NEVER: &[&str] = &[
    "add_key",
    "bpf",
    "chroot",
    "fsopen",
    "init_module",
    "io_uring_setup",
    "kexec_load",
    "keyctl",
    "memfd_create",
    "mknod",
    "mknodat",
    "mount",
    "move_mount",
    "mq_open",
    "msgget",
    "name_to_handle_at",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "personality",
    "pidfd_getfd",
    "pivot_root",
    "pkey_alloc",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "quotactl",
    "reboot",
    "semget",
    "setns",
    "shmget",
    "swapon",
    "syslog",
    "umount2",
    "unshare",
    "userfaultfd",
    "vmsplice",
];

#[test]
fn the_seccomp_profile_is_an_allow_list_without_the_dangerous_calls() {
    let profile: serde_json::Value = serde_json::from_str(SECCOMP).unwrap();
    assert_eq!(profile["defaultAction"], "SCMP_ACT_ERRNO");
    for rule in profile["syscalls"].as_array().unwrap() {
        let names: Vec<&str> =
            rule["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        if rule["action"] == "SCMP_ACT_ALLOW" {
            let dangerous: Vec<_> = names.iter().filter(|name| NEVER.contains(name)).collect();
            assert!(dangerous.is_empty(), "{dangerous:?}");
            for narrowed in ["socket", "socketpair", "clone", "ioctl"] {
                assert!(
                    !names.contains(&narrowed) || rule["args"].is_array(),
                    "{narrowed} without a condition"
                );
            }
        } else {
            assert_eq!((names, rule["errnoRet"].as_i64()), (vec!["clone3"], Some(38)));
        }
    }
}

proptest! {
    /// Whatever a release is called and however large it may be, only the fields that say so differ.
    #[test]
    fn nothing_but_the_specification_changes_the_container(
        instance in any::<u64>(), version in "[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,63}",
        memory_mb in 16u64..65_536, cpus in 0.0f64..64.0, pids in 8i64..4096,
    ) {
        let given = spec(instance, &version, memory_mb, cpus, pids);
        let one = body(&given);
        prop_assert_eq!(&one, &body(&given));
        let reference = spec(7, "v1", 512, 0.0, 64);
        let mut other = body(&reference);
        other.user = one.user.clone();
        other.labels = one.labels.clone();
        let at = other.cmd.as_ref().unwrap().iter().position(|argument| argument == "--release").unwrap();
        let arguments = other.cmd.as_mut().unwrap();
        arguments[at + 1] = format!("shop@{version}");
        arguments[at + 3] = Digest::of(version.as_bytes()).to_string();
        let host = other.host_config.as_mut().unwrap();
        let memory = i64::try_from(memory_mb << 20).unwrap();
        (host.memory, host.memory_swap) = (Some(memory), Some(memory));
        host.memory_reservation = Some((32 << 20).min(memory));
        host.nano_cpus = Some((cpus * 1e9) as i64);
        host.pids_limit = Some(pids);
        prop_assert_eq!(one, other);
    }
}
