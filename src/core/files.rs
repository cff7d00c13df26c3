//! Descriptors: how many the process may have open, and which part of it may take how many of them. Files: how one is replaced.

mod replace;

use crate::limits::{
    ADMIN_CONNECTIONS_MAX, ADMIN_FILES, ADMIN_FILES_MIN, CONNECTIONS_MAX, EDGE_FILES, EGRESS_SOCKETS_MAX,
    FILES_WANTED, OWN_FILES, OWN_FILES_MIN, WORKER_FILES,
};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
pub use replace::Replace;
use std::sync::OnceLock;

/// What each part may have open at once. Together they are no more than the process may, so that none takes what is another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// Connections of the edge; each may have a file open that it is sent.
    pub edge_connections: usize,
    /// Connections of the admin side.
    pub admin_connections: usize,
    /// Connections of apps' calls.
    pub egress_sockets: usize,
}

/// The shares of this process. The first call raises the limit of open files as far as the system allows: the usual soft limit of
/// 1024 would make `accept` fail long before the places are taken.
pub fn shares() -> Shares {
    static SHARES: OnceLock<Shares> = OnceLock::new();
    *SHARES.get_or_init(|| {
        let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
            let wanted = FILES_WANTED.min(hard);
            if soft < wanted {
                setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)?;
            }
            Ok(soft.max(wanted))
        });
        let files = raised.unwrap_or_else(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "the limit of open files can't be raised; fewer connections are served at once"
            );
            getrlimit(Resource::RLIMIT_NOFILE).map_or(FILES_WANTED, |(soft, _)| soft)
        });
        if files < FILES_WANTED {
            tracing::warn!(
                files,
                wanted = FILES_WANTED,
                "few open files are allowed: fewer connections are served at once"
            );
        }
        Shares::of(files)
    })
}

impl Shares {
    /// Divides this many descriptors. With fewer than are wanted every part has less, but the admin side and the host itself never
    /// less than they need for a rollback.
    #[must_use]
    pub fn of(files: u64) -> Self {
        let files = files.min(FILES_WANTED);
        let scaled = |wanted: usize| usize::try_from(wanted as u64 * files / FILES_WANTED).unwrap_or(wanted);
        let (egress_sockets, workers) = (scaled(EGRESS_SOCKETS_MAX), scaled(WORKER_FILES));
        let (own, admin) = (scaled(OWN_FILES).max(OWN_FILES_MIN), scaled(ADMIN_FILES).max(ADMIN_FILES_MIN));
        let others = own + admin + workers + egress_sockets;
        let edge = usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(others);
        Self {
            edge_connections: (edge * CONNECTIONS_MAX / EDGE_FILES).clamp(1, CONNECTIONS_MAX),
            admin_connections: admin * ADMIN_CONNECTIONS_MAX / ADMIN_FILES,
            egress_sockets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_all_that_is_wanted_every_part_has_all_of_its_own() {
        let all = Shares {
            edge_connections: CONNECTIONS_MAX,
            admin_connections: ADMIN_CONNECTIONS_MAX,
            egress_sockets: EGRESS_SOCKETS_MAX,
        };
        assert_eq!((Shares::of(FILES_WANTED), Shares::of(1 << 20)), (all, all));
    }

    #[test]
    fn with_less_the_sum_fits_and_the_admin_side_keeps_its_reserve() {
        for files in [256, 1_024, 1_500, 4_096, 10_000] {
            let shares = Shares::of(files);
            let sum = 2 * shares.edge_connections
                + shares.admin_connections
                + shares.egress_sockets
                + OWN_FILES_MIN;
            assert!(sum as u64 <= files, "{shares:?} of {files}");
            assert!(shares.admin_connections >= ADMIN_FILES_MIN / 2 && shares.edge_connections > 0);
            assert!(
                files < 1_024 || shares.egress_sockets > 100 && shares.edge_connections > 200,
                "{shares:?}"
            );
        }
    }
}
