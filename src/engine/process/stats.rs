//! Memory and CPU of a process and everything below it, from `/proc`.

use crate::InstanceStats;
use nix::unistd::{Pid, SysconfVar, sysconf};
use std::fs;
use std::io;

/// Figures of this process and its descendants together.
pub(super) fn of_tree(root: Pid) -> io::Result<InstanceStats> {
    let page = u64::try_from(sysconf(SysconfVar::PAGE_SIZE)?.unwrap_or(4096)).unwrap_or(4096);
    let ticks = u64::try_from(sysconf(SysconfVar::CLK_TCK)?.unwrap_or(100)).unwrap_or(100);
    let mut total = of_one(root.as_raw(), page, ticks)?;
    let mut open = children(root.as_raw());
    while let Some(pid) = open.pop() {
        // One that ended since it was listed has no figures.
        if let Ok(one) = of_one(pid, page, ticks) {
            total.memory_bytes += one.memory_bytes;
            total.cpu_us += one.cpu_us;
            open.extend(children(pid));
        }
    }
    Ok(total)
}

fn of_one(pid: i32, page: u64, ticks: u64) -> io::Result<InstanceStats> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (cpu_ticks, pages) = parse_stat(&stat)
        .ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat has another shape: {stat}")))?;
    Ok(InstanceStats { memory_bytes: pages * page, cpu_us: cpu_ticks * 1_000_000 / ticks })
}

/// CPU ticks (with those of children that were waited for) and resident pages. The name in parentheses may hold anything.
fn parse_stat(stat: &str) -> Option<(u64, u64)> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let cpu = (11..=14).map(number).sum::<Option<u64>>()?;
    Some((cpu, number(21)?))
}

fn children(pid: i32) -> Vec<i32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_parenthesis_does_not_shift_the_fields() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 50 6 7 8 20 0 1 0 9 1000 42 18446744073709551615 1";
        assert_eq!(parse_stat(stat), Some((50 + 6 + 7 + 8, 42)));
        assert_eq!(parse_stat("7 (a) S 1"), None);
    }

    #[test]
    fn this_process_has_figures() {
        let own = of_tree(Pid::this()).unwrap();
        assert!(own.memory_bytes > 1 << 20, "{own:?}");
    }
}
