//! What the types of the fields do not say: least values, and fields that must fit each other.

use super::deploy::{bake_problem, hook_problem};
use super::previews::preview_problem;
use super::{Config, ConfigError, IsolationChoice, OriginPattern};
use crate::id::AppName;
use minisign_verify::PublicKey;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use vitrine_wire::TooLow;

/// One value that can't be used.
pub(super) struct Problem {
    /// Such as `routes[1].host`.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

pub(super) fn problem(field: impl Into<String>, message: impl Into<String>) -> Option<Problem> {
    Some(Problem { field: field.into(), message: message.into() })
}

impl Config {
    /// Checks what no single field can say (addresses that collide, for one). A configuration from a file has been checked
    /// already; this is for one that flags were laid over.
    ///
    /// # Errors
    /// [`ConfigError::Value`], without a position.
    pub fn check(&self) -> Result<(), ConfigError> {
        match self.problem() {
            None => Ok(()),
            Some(Problem { field, message }) => Err(ConfigError::Value { field, message }),
        }
    }

    /// The addresses that a host listens on, by their fields.
    #[must_use]
    pub fn listeners(&self) -> Vec<(&'static str, SocketAddr)> {
        let tls = self.tls.as_ref().map(|tls| ("tls.listen", tls.listen));
        [("listen", self.listen), ("admin", self.admin)].into_iter().chain(tls).collect()
    }

    /// The apps that are named, by where.
    #[must_use]
    pub fn named_apps(&self) -> Vec<(String, AppName)> {
        let rules = self.apps.keys().map(|app| (format!("apps.{app}"), app.clone()));
        let routes = self.routes.iter().enumerate();
        let routes = routes.map(|(index, route)| (format!("routes[{index}].app"), route.app.clone()));
        let guarded =
            self.previews.apps.iter().flatten().map(|app| ("previews.apps".to_owned(), app.clone()));
        rules
            .chain(routes)
            .chain(guarded)
            .chain(self.routing().named_apps().into_iter().map(|(place, app, _)| (place, app)))
            .collect()
    }

    /// The first value that can't be used.
    pub(super) fn problem(&self) -> Option<Problem> {
        self.address_problem()
            .or_else(|| self.name_problem())
            .or_else(|| self.header_problem())
            .or_else(|| self.tls.as_ref().and_then(|tls| tls.problem(self.acme.is_some())))
            .or_else(|| self.acme.as_ref().and_then(|acme| acme.problem(self.tls.as_ref())))
            .or_else(|| self.egress_problem())
            .or_else(|| self.routing_problem())
            .or_else(|| self.signature_problem())
            .or_else(|| self.runtime_problem())
            .or_else(|| self.least_problem())
            .or_else(|| self.health_problem())
            .or_else(|| bake_problem(&self.deploy))
            .or_else(|| hook_problem(&self.hook))
            .or_else(|| preview_problem(&self.previews))
    }

    fn header_problem(&self) -> Option<Problem> {
        let unfit = self.edge.unfit_header()?;
        problem(
            "edge.trusted_headers",
            format!(
                "has `{unfit}`, which is no name of a header, or one that the host makes itself or keeps from apps"
            ),
        )
    }

    fn address_problem(&self) -> Option<Problem> {
        let listeners = self.listeners();
        for (index, (field, address)) in listeners.iter().enumerate() {
            if let Some((other, _)) = listeners[..index].iter().find(|(_, other)| collide(*other, *address)) {
                return problem(*field, format!("is {address}, which `{other}` takes; choose another port"));
            }
        }
        None
    }

    fn name_problem(&self) -> Option<Problem> {
        if self.data.as_os_str().is_empty() {
            return problem("data", "is empty; name a folder");
        }
        if let Some(reason) = host_problem(&self.domain) {
            return problem("domain", format!("is `{}`, {reason}", self.domain));
        }
        if self.secrets.key_file.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
            return problem("secrets.key_file", "is empty; name a file");
        }
        let mut seen = BTreeSet::new();
        for (index, route) in self.routes.iter().enumerate() {
            let field = format!("routes[{index}].host");
            if let Some(reason) = host_problem(&route.host) {
                return problem(field, format!("is `{}`, {reason}", route.host));
            }
            if !seen.insert(&route.host) {
                return problem(field, format!("is `{}`, which an earlier route has", route.host));
            }
        }
        None
    }

    fn routing_problem(&self) -> Option<Problem> {
        let is_written = !self.route.is_empty() || !self.experiment.is_empty() || self.jwt.is_some();
        is_written.then(|| self.routing().problem()).flatten()
    }

    fn egress_problem(&self) -> Option<Problem> {
        let mut allowed = self.egress.allow.iter().flatten().enumerate();
        allowed.find_map(|(index, text)| {
            let error = text.parse::<OriginPattern>().err()?;
            problem(format!("egress.allow[{index}]"), format!("can't be used: {error}"))
        })
    }

    fn health_problem(&self) -> Option<Problem> {
        let (table, error) = self.health.check().err()?;
        let (field, text) = (error.field(), error.to_string());
        // The field is named once, in front.
        let message = text.strip_prefix(&format!("`{field}` ")).unwrap_or(&text);
        problem(format!("{table}.{field}"), message)
    }

    fn signature_problem(&self) -> Option<Problem> {
        if self.signatures.required && self.signatures.keys.is_empty() {
            return problem(
                "signatures.required",
                "is true and `signatures.keys` is empty: nothing could be deployed",
            );
        }
        let unusable = self.signatures.keys.iter().position(|key| PublicKey::from_base64(key).is_err())?;
        problem(
            format!("signatures.keys[{unusable}]"),
            "is no public key of minisign; write the second line of its .pub file",
        )
    }

    fn runtime_problem(&self) -> Option<Problem> {
        let runtime = self.worker.runtime.as_ref()?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if !(1..=64).contains(&runtime.len()) || !runtime.bytes().all(plain) || runtime.starts_with('-') {
            return problem(
                "worker.runtime",
                format!("is `{runtime}`; write the name of one of Docker's runtimes"),
            );
        }
        if self.isolation == IsolationChoice::Process {
            return problem(
                "worker.runtime",
                "is for containers, and `isolation` is \"process\"; leave one of them out",
            );
        }
        None
    }

    fn least_problem(&self) -> Option<Problem> {
        if let Some(problem) = self.resources_problem() {
            return Some(problem);
        }
        if let Some(TooLow { name, found, least }) = self.limits.too_low() {
            return problem(format!("limits.{name}"), format!("is {found}; {least} is the least"));
        }
        // Below these a worker can't start: V8 and its threads take that much.
        let worker = [
            ("worker.instances_max", u64::from(self.worker.instances_max), 1),
            ("worker.pids", u64::try_from(self.worker.pids).unwrap_or(0), 16),
        ];
        let rest = [
            ("edge.connections_per_client", u64::from(self.edge.connections_per_client), 1),
            ("edge.requests_per_client", u64::from(self.edge.requests_per_client), 1),
            ("egress.timeout_ms", self.egress.timeout_ms, 1),
            // The live release and the one to go back to.
            ("retention.releases", u64::from(self.retention.releases), 2),
            ("retention.days", u64::from(self.retention.days), 1),
            ("logs.keep_days", u64::from(self.logs.keep_days), 1),
            ("quota.previews", u64::from(self.quota.previews), 1),
            ("quota.preview_mb", self.quota.preview_mb, 1),
            ("quota.candidate_mb", self.quota.candidate_mb, 1),
            ("quota.workers", u64::from(self.quota.workers), 1),
            ("switching.drain_timeout_ms", self.switching.drain_timeout_ms, 1),
            ("switching.idle_timeout_ms", self.switching.idle_timeout_ms, 1),
            ("switching.standby_freeze_ms", self.switching.standby_freeze_ms, 1),
            ("switching.stop_timeout_ms", self.switching.stop_timeout_ms, 1),
        ];
        let mut fields = worker.into_iter().chain(rest);
        let (field, found, least) = fields.find(|(_, found, least)| found < least)?;
        problem(field, format!("is {found}; {least} is the least"))
    }
}

fn collide(one: SocketAddr, two: SocketAddr) -> bool {
    let any = one.ip().is_unspecified() || two.ip().is_unspecified();
    one.port() == two.port() && one.port() != 0 && (one.ip() == two.ip() || any)
}

/// What is wrong with a host name. The domain leaves room for a label of 63 bytes in front.
pub(super) fn host_problem(host: &str) -> Option<&'static str> {
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.parse::<std::net::IpAddr>().is_ok() {
        Some("an address; write a name")
    } else if host.len() > 189 {
        Some("longer than 189 bytes")
    } else if !host.split('.').all(label_ok) {
        Some("no host name: lower-case labels of a-z, 0-9 and - with dots between them, without a port")
    } else {
        None
    }
}
