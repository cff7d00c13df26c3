//! What a start would refuse, found out without one.

use super::HostError;
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use vitrine_control::admin::{AdminError, Token};
use vitrine_core::config::Config;
use vitrine_core::id::AppName;
use vitrine_core::telemetry::Metrics;
use vitrine_edge::EdgeError;
use vitrine_proxy::certificates::{self, Certificates};
use vitrine_proxy::connections::bind::bound;
use vitrine_proxy::route::guard::Guard;
use vitrine_proxy::rules::Rules;
use vitrine_store::{KeySource, Layout, Store};

/// What was found. Nothing was made, bound or changed, and a host may run meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Precheck {
    /// What a start of this user would refuse.
    pub refused: Vec<HostError>,
    /// Fields whose addresses another process listens on. The host that runs with this data folder is none.
    pub in_use: Vec<(&'static str, SocketAddr)>,
    /// Apps of the data folder; none if it can't be read.
    pub apps: BTreeSet<AppName>,
}

impl Precheck {
    /// Reads the files that this configuration names, and tries its addresses.
    #[must_use]
    pub(crate) fn of(config: &Config) -> Self {
        let mut found = Self::default();
        let keys = KeySource::choose(config.secrets.key_file.as_deref());
        found.apps = found.noted(Store::inspect(&config.data, &keys)).unwrap_or_default();
        found.noted(Guard::load(&config.previews, b""));
        found.certificates(config);
        found.noted(Rules::compile(&config.routing()));
        let token = Token::load(&Layout::new(&config.data).admin_token());
        found.noted(token.map_err(AdminError::from));
        found.addresses(config);
        found
    }

    fn noted<T, E: Into<HostError>>(&mut self, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.refused.push(error.into())).ok()
    }

    /// Each certificate by itself: one that can't be used hides no other.
    fn certificates(&mut self, config: &Config) {
        for problem in config.tls.iter().flat_map(certificates::problems) {
            self.refused.push(EdgeError::from(problem).into());
        }
        for ca in config.acme.iter().filter_map(|acme| acme.ca.as_deref()) {
            self.noted(certificates::roots(ca).map_err(EdgeError::from));
        }
        if let Some(files) = config.admin_tls.clone() {
            self.noted(Certificates::load(files, Arc::new(Metrics::new())).map_err(AdminError::from));
        }
    }

    fn addresses(&mut self, config: &Config) {
        let own = running(&Layout::new(&config.data));
        for (field, address) in config.listeners() {
            match bound(address) {
                Err(error)
                    if error.kind() == ErrorKind::AddrInUse
                        && own.is_some_and(|own| listens(own, address)) => {}
                Err(error) if error.kind() == ErrorKind::AddrInUse => self.in_use.push((field, address)),
                Err(source) if field == "admin" => {
                    self.refused.push(AdminError::Listen { address, source }.into());
                }
                Err(source) => self.refused.push(EdgeError::Bind { address, source }.into()),
                Ok(_) => {}
            }
        }
    }
}

/// The process that holds a data folder or held it last.
fn running(layout: &Layout) -> Option<u32> {
    let holder = fs::read_to_string(layout.lock()).ok()?;
    holder.rsplit(' ').next()?.parse().ok()
}

/// Whether a process listens on the port of an address.
fn listens(process: u32, address: SocketAddr) -> bool {
    let tables =
        ["tcp", "tcp6"].map(|name| fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default());
    let sockets: Vec<PathBuf> = tables.iter().flat_map(|table| listening(table, address.port())).collect();
    let files = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    files.filter_map(|file| fs::read_link(file.path()).ok()).any(|file| sockets.contains(&file))
}

/// Sockets that listen on a port, as `/proc/PID/fd` names them.
fn listening(table: &str, port: u16) -> impl Iterator<Item = PathBuf> {
    /// State of a socket that listens.
    const LISTENS: &str = "0A";
    let of_port = format!(":{port:04X}");
    // The number of the line, both addresses, the state, and the inode behind six more.
    table.lines().filter_map(move |line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let is_one = columns.get(1)?.ends_with(&of_port) && *columns.get(3)? == LISTENS;
        is_one.then(|| PathBuf::from(format!("socket:[{}]", columns.get(9).unwrap_or(&""))))
    })
}
