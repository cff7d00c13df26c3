//! What one app may have of the host beside what its users get.

use crate::limits::GUEST_MEMORY_MACHINE_SHARE;
use serde::{Deserialize, Serialize};

/// What one app may have of the host beside what its users get. The live release, one with a share of the users and the one to go
/// back to count nowhere here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    /// Previews of one app, and releases of it that were never live: so many of each.
    pub previews: u32,
    /// Unpacked bundles of one app's previews together, in MiB.
    pub preview_mb: u64,
    /// Those of its releases that were never live, in MiB. One always fits: without it nothing could be deployed.
    pub candidate_mb: u64,
    /// Workers at once of one app.
    pub workers: u32,
    /// Memory of all such workers of the host together, in MiB; 0 is a half of the machine's.
    pub workers_mb: u64,
}

impl Default for Quota {
    fn default() -> Self {
        Self { previews: 20, preview_mb: 2048, candidate_mb: 2048, workers: 10, workers_mb: 0 }
    }
}

impl Quota {
    /// How many such workers of `memory_mb` each the host may run. One always fits: without it nothing could be deployed.
    #[must_use]
    pub fn host_workers(&self, memory_mb: u64) -> usize {
        let whole_mb = match self.workers_mb {
            0 => machine_mb() / GUEST_MEMORY_MACHINE_SHARE,
            own => own,
        };
        usize::try_from(whole_mb / memory_mb.max(1)).unwrap_or(usize::MAX).max(1)
    }
}

/// Memory of the machine, in MiB; none where the kernel does not tell.
fn machine_mb() -> u64 {
    nix::sys::sysinfo::sysinfo().map_or(0, |told| told.ram_total() >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_counted_by_their_memory_and_one_always_fits() {
        let quota = |workers_mb| Quota { workers_mb, ..Quota::default() };
        assert_eq!(quota(2048).host_workers(512), 4);
        assert_eq!(quota(100).host_workers(512), 1);
        assert!(quota(0).host_workers(64) > 1);
    }
}
