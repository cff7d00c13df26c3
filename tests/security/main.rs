//! What is refused to an app or a client, tried.

#![expect(clippy::unwrap_used, reason = "a test that finds something else than it expects is to stop there")]

mod answers;
mod audit;
mod cache_leaks;
mod cache_poisoning;
mod canary;
mod cis;
mod connections;
mod data_folder;
mod dry_run;
mod edge;
mod egress_sockets;
mod forwarded;
mod full_disk;
mod hostile;
mod http2;
mod isolation;
mod labels;
mod limits;
mod local_hosts;
mod metrics;
mod previews;
mod quotas;
mod reach;
mod secrets;
mod signatures;
mod speaks;
mod stored;
mod terminal;
mod tokens;
mod uploads;
