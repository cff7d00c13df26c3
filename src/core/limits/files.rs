//! The division of the descriptors that the process may have open. Each part keeps its own bound, so none takes what is another's.

use super::{ADMIN_CONNECTIONS_MAX, ADMIN_CONNECTIONS_RESERVE, CONNECTIONS_MAX, CONNECTIONS_RESERVE};

/// Files that the process may want open.
pub const FILES_WANTED: u64 =
    (EDGE_FILES + ADMIN_FILES + WORKER_FILES + EGRESS_SOCKETS_MAX + OWN_FILES) as u64;
/// Of the edge: a socket for each connection and a file that it is sent, the reserve, and those that were told to go.
pub const EDGE_FILES: usize = 2 * CONNECTIONS_MAX + CONNECTIONS_RESERVE + CONNECTIONS_MAX / 8;
/// Of the admin side: its connections, their reserve, and those that were told to go.
pub const ADMIN_FILES: usize = ADMIN_CONNECTIONS_MAX + ADMIN_CONNECTIONS_RESERVE + ADMIN_CONNECTIONS_MAX / 8;
/// Of workers: two sockets each, and two more while they are connected anew, for 256 of them.
pub const WORKER_FILES: usize = 1_024;
/// Of apps' calls to the outside, for all apps together.
pub const EGRESS_SOCKETS_MAX: usize = 1_472;
/// Of the host itself: listeners, the database, bundles that are taken in or read, files of snapshots, the engine's pipes.
pub const OWN_FILES: usize = 512;
/// The least of [`OWN_FILES`], where the system allows few: a rollback needs some dozen.
pub const OWN_FILES_MIN: usize = 64;
/// The least of the admin side's connections there.
pub const ADMIN_FILES_MIN: usize = 16;

/// Connections of one app's calls, idle ones among them: two releases that make as many calls as they may.
pub const EGRESS_APP_SOCKETS_MAX: usize = 512;

// One app that fills its share leaves more than half of the places to others.
const _: () = assert!(2 * EGRESS_APP_SOCKETS_MAX < EGRESS_SOCKETS_MAX);
const _: () = assert!(2 * super::EGRESS_CALLS_MAX <= EGRESS_APP_SOCKETS_MAX);
const _: () = assert!(2 * super::UPLOADS_MAX + super::LOG_STREAMS_MAX < OWN_FILES);
