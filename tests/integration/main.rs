//! Drives the built `vitrine` through its public surfaces: command line, edge, admin side.
//!
//! The worker binary has to lie beside it: `cargo build -p vitrine-worker` first (`make test` does).

#![expect(clippy::unwrap_used, reason = "a test that finds something else than it expects is to stop there")]

mod acme;
mod admin_tls;
mod alone;
mod apex;
mod backup;
mod bad_archives;
mod bad_bundles;
mod bad_requests;
mod command_line;
mod completions;
mod configuration;
mod crash;
mod crowd;
mod deploy_order;
mod deployments;
mod description;
mod documented;
mod edge_compression;
mod edge_files;
mod edge_pins;
mod edge_requests;
mod edge_shared_caches;
mod edge_streams;
mod egress;
mod egress_private;
mod egress_tls;
mod env;
mod failed_deploy;
mod failed_reasons;
mod failed_starts;
mod freeze;
mod health;
mod http_lint;
mod hung;
mod idempotency;
mod idle;
mod json;
mod key;
mod listing;
mod load;
mod logs;
mod long_streams;
mod one_deploy;
mod own_origin;
mod previews;
mod release_life;
mod removed;
mod restart;
mod routes;
mod scale;
mod several_hosts;
mod snapshots;
mod solo;
mod split;
mod switches;
mod tables;
mod tls_edge;
mod uploads;
mod wait_bake;
mod wake;
mod warm_failures;
mod web_sockets;
