//! What an operator decides: `vitrine.toml`, then flags over it.

mod acme;
mod cache;
mod check;
mod deploy;
mod edge;
mod egress;
mod error;
mod listen;
mod load;
mod logs;
mod metrics;
mod origin;
mod previews;
mod private_rule;
mod proxy;
mod quota;
mod routing;
mod secrets;
mod special;
mod tls;
mod worker;

pub use acme::{Acme, ChallengeKind};
pub use cache::CacheRules;
pub use deploy::{Bake, Hook, HookStage};
pub use edge::EdgeRules;
pub use egress::{AppEgress, AppRules, EgressPolicy};
pub use error::ConfigError;
pub use listen::{ListenError, listen_address};
pub use logs::LogRules;
pub use metrics::MetricsRules;
pub use origin::{OriginError, OriginPattern};
pub use previews::PreviewRules;
pub use private_rule::{PrivateRule, PrivateRuleError};
pub use quota::Quota;
pub use routing::{
    Conditions, ExperimentRules, FixedAnswer, JwtRules, PathPattern, RateBy, RateLimit, RouteRule,
    RoutingRules, Template, Values,
};
pub use secrets::SecretsRules;
pub use special::{is_public, only_by_address};
pub use tls::{CertificateFiles, Tls};
pub use vitrine_wire::LimitMaxima;
pub use worker::{AppResources, Capacity, WorkerResources};

use crate::health::HealthPolicy;
use crate::id::AppName;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// How workers are kept apart from the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// A container a worker.
    Container,
    /// A locked-down child process a worker.
    Process,
}

impl std::fmt::Display for Isolation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Container => "container",
            Self::Process => "process",
        })
    }
}

/// What `--isolation` and the file may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum IsolationChoice {
    /// Probe once, record the answer, never weaken it.
    #[default]
    Auto,
    /// Containers, or no start.
    Container,
    /// Processes.
    Process,
}

/// A host name that leads to an app besides `APP.DOMAIN`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostRoute {
    /// Full host name, lower case, without a port.
    pub host: String,
    /// App whose live release answers.
    pub app: AppName,
}

/// Who has to vouch for bundles.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Signatures {
    /// Whether a bundle without a signature is refused.
    pub required: bool,
    /// Public keys of minisign, as the second line of its `.pub` files has them.
    pub keys: Vec<String>,
}

/// How long releases are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Releases of one app, live and standby among them.
    pub releases: u32,
    /// Days since a release was last live or uploaded.
    pub days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { releases: 10, days: 7 }
    }
}

/// Times of a switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switching {
    /// How long in-flight requests of a replaced release may take, in milliseconds.
    pub drain_timeout_ms: u64,
    /// How long a release that is neither live nor the standby keeps its worker after its last request, in milliseconds. Of an app with
    /// several of them only those that were used last do: see [`crate::limits::WARM_MAX`].
    pub idle_timeout_ms: u64,
    /// How long a standby keeps its memory after its last request, in milliseconds; then it is frozen.
    pub standby_freeze_ms: u64,
    /// How long a worker may take from SIGTERM to its end, in milliseconds.
    pub stop_timeout_ms: u64,
}

impl Default for Switching {
    fn default() -> Self {
        Self {
            drain_timeout_ms: 30_000,
            idle_timeout_ms: 600_000,
            standby_freeze_ms: 600_000,
            stop_timeout_ms: 10_000,
        }
    }
}

/// All of it, resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address of the public side.
    #[serde(deserialize_with = "listen::address")]
    pub listen: SocketAddr,
    /// Address of the admin side.
    #[serde(deserialize_with = "listen::address")]
    pub admin: SocketAddr,
    /// Folder of everything durable.
    pub data: PathBuf,
    /// See [`IsolationChoice`].
    pub isolation: IsolationChoice,
    /// Domain below which apps have their names.
    pub domain: String,
    /// Peers whose `X-Forwarded-*` headers are believed.
    #[serde(deserialize_with = "proxy::networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// See [`EdgeRules`].
    pub edge: EdgeRules,
    /// See [`CacheRules`].
    pub cache: CacheRules,
    /// TLS listener, beside the plain one.
    pub tls: Option<Tls>,
    /// Certificates that an authority issues.
    pub acme: Option<Acme>,
    /// Certificate of the admin side, which then speaks TLS alone.
    pub admin_tls: Option<CertificateFiles>,
    /// Further host names.
    pub routes: Vec<HostRoute>,
    /// See [`RouteRule`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub route: Vec<RouteRule>,
    /// See [`ExperimentRules`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub experiment: Vec<ExperimentRules>,
    /// See [`JwtRules`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt: Option<JwtRules>,
    /// See [`LimitMaxima`].
    pub limits: LimitMaxima,
    /// See [`WorkerResources`].
    pub worker: WorkerResources,
    /// See [`Capacity`].
    pub capacity: Capacity,
    /// See [`EgressPolicy`].
    pub egress: EgressPolicy,
    /// What is decided for single apps.
    pub apps: BTreeMap<AppName, AppRules>,
    /// See [`Signatures`].
    pub signatures: Signatures,
    /// See [`PreviewRules`].
    pub previews: PreviewRules,
    /// See [`SecretsRules`].
    pub secrets: SecretsRules,
    /// See [`Retention`].
    pub retention: Retention,
    /// See [`Quota`].
    pub quota: Quota,
    /// See [`Switching`].
    pub switching: Switching,
    /// See [`LogRules`].
    pub logs: LogRules,
    /// See [`MetricsRules`].
    pub metrics: MetricsRules,
    /// See [`HealthPolicy`].
    pub health: HealthPolicy,
    /// See [`Bake`].
    pub deploy: Bake,
    /// What is run at the stages of deployments.
    pub hook: Vec<Hook>,
    /// Whether workers end with the host.
    pub stop_workers_on_exit: bool,
    /// Whether every host name leads to the only app: `solo`, never the file.
    #[serde(skip)]
    pub any_host: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin: SocketAddr::from(([127, 0, 0, 1], 8081)),
            data: PathBuf::from("vitrine-data"),
            isolation: IsolationChoice::Auto,
            domain: "localhost".into(),
            trusted_proxies: Vec::new(),
            edge: EdgeRules::default(),
            cache: CacheRules::default(),
            tls: None,
            acme: None,
            admin_tls: None,
            routes: Vec::new(),
            route: Vec::new(),
            experiment: Vec::new(),
            jwt: None,
            limits: LimitMaxima::default(),
            worker: WorkerResources::default(),
            capacity: Capacity::default(),
            egress: EgressPolicy::default(),
            apps: BTreeMap::new(),
            signatures: Signatures::default(),
            previews: PreviewRules::default(),
            secrets: SecretsRules::default(),
            retention: Retention::default(),
            quota: Quota::default(),
            switching: Switching::default(),
            logs: LogRules::default(),
            metrics: MetricsRules::default(),
            health: HealthPolicy::default(),
            deploy: Bake::default(),
            hook: Vec::new(),
            stop_workers_on_exit: false,
            any_host: false,
        }
    }
}

impl Config {
    /// The routing rules.
    #[must_use]
    pub fn routing(&self) -> RoutingRules {
        RoutingRules { route: self.route.clone(), experiment: self.experiment.clone(), jwt: self.jwt.clone() }
    }
}

/// Every field of `vitrine.toml` with its default and meaning: the file `deploy/vitrine.toml`, shown by
/// `vitrine config print`.
pub const FIELD_HELP: &str = include_str!("../../deploy/vitrine.toml");

#[cfg(test)]
mod tests;
