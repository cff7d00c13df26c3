//! Versions with known ways out of a container, and what fixed them.

use super::{Check, Grade};

/// First parts of a version number: `1.1.5+ds1` is `[1, 1, 5]`. Empty if there is no number in front.
pub(super) fn number(version: &str) -> Vec<u32> {
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    version[..end].split('.').map_while(|part| part.parse().ok()).collect()
}

/// Whether a distribution's hand shows in a version: it may have fixed what upstream fixed under a later number, and only its
/// changelog says.
fn is_patched_by_a_distribution(version: &str) -> bool {
    let rest = version.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    ["+ds", "+deb", "+dfsg", "~ds", "ubuntu", "-0ubuntu", ".el", ".fc", ".amzn"]
        .iter()
        .any(|hand| rest.contains(hand))
}

/// Whether `found` is below the fixed patch level of its series. A series above all that are listed has the fix, one below has
/// not.
fn lacks(found: &[u32], fixed: &[[u32; 3]]) -> bool {
    let &[major, minor, ref rest @ ..] = found else { return false };
    let patch = rest.first().copied().unwrap_or(0);
    match fixed.iter().find(|series| series[..2] == [major, minor]) {
        Some(series) => patch < series[2],
        None => fixed.iter().all(|series| [major, minor] < [series[0], series[1]]),
    }
}

/// runc. CVE-2024-21626 leaks a descriptor of the host into a container that anybody may start; the three of November 2025 take an
/// attacker who also chooses mounts, which only the engine does here.
pub(super) fn runc(version: &str) -> Check {
    const LEAK: &[[u32; 3]] = &[[1, 1, 12]];
    const MOUNTS: &[[u32; 3]] = &[[1, 2, 8], [1, 3, 3]];
    let found = number(version);
    if lacks(&found, LEAK) && !is_patched_by_a_distribution(version) {
        let advice =
            "update runc to 1.2.8, 1.3.3 or later: CVE-2024-21626 lets a container reach the host's files";
        return Check::of("runc", version, Grade::Bad, advice);
    }
    let advice = "update runc to 1.2.8, 1.3.3 or later, or to your distribution's fix for CVE-2025-31133, -52565 and -52881";
    Check::unless(!lacks(&found, MOUNTS), "runc", version, Grade::Warning, advice)
}

/// containerd. CVE-2024-25621: its folders are open to every user of the host.
pub(super) fn containerd(version: &str) -> Check {
    const FOLDERS: &[[u32; 3]] = &[[1, 7, 29], [2, 0, 7], [2, 1, 5]];
    let found = number(version.trim_start_matches('v'));
    let advice = "update containerd to 1.7.29, 2.0.7, 2.1.5 or later, or to your distribution's fix for CVE-2024-25621";
    Check::unless(!lacks(&found, FOLDERS), "containerd", version, Grade::Warning, advice)
}

/// Docker itself.
pub(super) fn docker(version: &str, api: &str) -> Check {
    /// First series whose upstream still mends it.
    const KEPT: [u32; 2] = [25, 0];
    let found = format!("{version} (API {api})");
    if number(api).as_slice() < [1, 40].as_slice() && !number(api).is_empty() {
        let advice = "update Docker to 20.10 or later: workers are started with what API 1.40 knows";
        return Check::of("docker", found, Grade::Bad, advice);
    }
    let number = number(version);
    let kept = number.is_empty() || number.as_slice() >= KEPT.as_slice();
    let advice = "its makers have ended this series: update Docker, or keep up with your distribution's security updates";
    Check::unless(kept, "docker", found, Grade::Warning, advice)
}

/// The kernel: what a worker's lock-down needs, and a way from any container into the page cache.
pub(super) fn kernel(release: &str, has_af_alg: bool) -> Check {
    /// Series with a fix of CVE-2026-31431 whose number is known; later series began with it.
    const COPY: &[[u32; 3]] = &[[6, 18, 22]];
    let found = number(release);
    if found.as_slice() < [5, 9].as_slice() {
        let advice = "use Linux 5.9 or later, better 5.13: a worker can't lock itself down on this one";
        return Check::of("kernel", release, Grade::Bad, advice);
    }
    let open = has_af_alg && lacks(&found, COPY);
    let advice = "install your distribution's fix for CVE-2026-31431 (AF_ALG), or forbid the module algif_aead: workers can't open such \
                  sockets, other containers of this machine may";
    Check::unless(!open, "kernel", release, Grade::Warning, advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Grade::{Bad, Good, Warning};

    #[test]
    fn known_bad_versions() {
        let runcs = [
            ("1.1.5", Bad),
            ("1.0.0-rc93", Bad),
            ("0.1.1", Bad),
            ("1.1.11", Bad),
            ("1.1.5+ds1", Warning),
            ("1.1.12", Warning),
            ("1.2.7", Warning),
            ("1.3.2", Warning),
            ("1.2.8", Good),
            ("1.3.3", Good),
            ("1.4.0", Good),
            ("2.0.0", Good),
            ("unknown", Good),
        ];
        for (version, grade) in runcs {
            assert_eq!(runc(version).grade, grade, "runc {version}");
        }
        let containerds = [
            ("1.6.20~ds1", Warning),
            ("1.7.28", Warning),
            ("v1.7.29", Good),
            ("v2.0.6", Warning),
            ("2.1.5", Good),
            ("2.2.0", Good),
        ];
        for (version, grade) in containerds {
            assert_eq!(containerd(version).grade, grade, "containerd {version}");
        }
        let dockers = [
            ("20.10.24+dfsg1", "1.41", Warning),
            ("28.2.2", "1.50", Good),
            ("18.09.1", "1.39", Bad),
            ("unknown", "unknown", Good),
        ];
        for (version, api, grade) in dockers {
            assert_eq!(docker(version, api).grade, grade, "docker {version}");
        }
        let kernels = [
            ("5.4.0-150-generic", false, Bad),
            ("5.9.0", false, Good),
            ("6.1.0-18-amd64", true, Warning),
            ("6.1.0", false, Good),
            ("6.18.21", true, Warning),
            ("6.18.44-fc-v595", true, Good),
            ("7.1.0", true, Good),
        ];
        for (release, af_alg, grade) in kernels {
            assert_eq!(kernel(release, af_alg).grade, grade, "kernel {release}, AF_ALG {af_alg}");
        }
    }

    #[test]
    fn numbers_stand_in_front() {
        assert_eq!(number("6.18.44-fc-v595"), [6, 18, 44]);
        assert_eq!(number("20.10.24+dfsg1"), [20, 10, 24]);
        assert_eq!(number("unknown"), Vec::<u32>::new());
        assert!(
            lacks(&[1, 0, 0], &[[1, 1, 12]]) && !lacks(&[1, 2], &[[1, 1, 12]]) && !lacks(&[], &[[1, 1, 12]])
        );
    }
}
