//! Routing rules: set, undone, shown and explained. Those that an operator has set take the place of those of `vitrine.toml`, as a
//! whole; when all that were set are undone, the file's are in force again.

use super::explained_route::{ExplainedRoute, RequestToExplain, explained, missing};
use super::publisher::RoutePublisher;
use super::records::Records;
use super::{Parts, ReleaseError};
use http::{HeaderMap, Method};
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::{Host, Url};
use vitrine_core::config::{Config, ConfigError, RoutingRules};
use vitrine_core::limits::ROUTE_FILES_CHECK_MS;
use vitrine_core::telemetry::error_chain;
use vitrine_proxy::route::Routes;
use vitrine_proxy::rules::{Facts, Rules, RulesError};
use vitrine_store::{RoutingBefore, RoutingRecord};

/// What messages call a text that has no file on this host.
const SENT: &str = "routes";

/// Why routing rules can't be used, or a request not be explained.
#[derive(Debug, thiserror::Error)]
pub enum RoutingError {
    /// The text.
    #[error(transparent)]
    Parse(ConfigError),
    /// A file that it names.
    #[error("the routing rules can't be used")]
    Compile(#[source] RulesError),
    /// None were set.
    #[error(
        "no routing rules were set; those of vitrine.toml are in force, and `vitrine routes set FILE` sets others"
    )]
    NothingToUndo,
    /// What is gone back to is not kept any more.
    #[error(
        "the rules before these are not kept any more; `vitrine routes set FILE` sets others, and `vitrine routes reset` goes back to those of vitrine.toml"
    )]
    Forgotten,
    /// The address of a request to explain.
    #[error("`{0}` is no address of a request; write https://HOST/PATH")]
    BadUrl(String),
}

/// The rules in force.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RoutingView {
    /// `vitrine.toml`, or `set` for those that were set by `vitrine routes set`.
    pub source: String,
    /// Number of what was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// When it was set, in milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_ms: Option<u64>,
    /// By whom it was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// How many rules there are.
    pub rules: usize,
    /// The rules, as TOML.
    pub text: String,
    /// What an operator may not expect, such as a rule for an app that is not here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Rules in force, as an operator wrote them.
#[derive(Debug)]
struct InForce {
    tables: RoutingRules,
    record: Option<RoutingRecord>,
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Routing {
    config: Arc<Config>,
    routes: Routes,
    publisher: RoutePublisher,
    in_force: Arc<Mutex<Arc<InForce>>>,
}

impl Routing {
    pub(super) fn new(parts: &Parts, publisher: &RoutePublisher) -> Self {
        let in_force = Arc::new(InForce { tables: RoutingRules::default(), record: None });
        Self {
            config: Arc::clone(&parts.config),
            routes: parts.routes.clone(),
            publisher: publisher.clone(),
            in_force: Arc::new(Mutex::new(in_force)),
        }
    }

    /// Puts the recorded rules in force, or those of `vitrine.toml`, for the first table.
    pub(super) async fn load(&self, records: &Records) -> Result<(), ReleaseError> {
        let record = records.stored("reading the routing rules", |store| store.routing()).await?;
        let in_force = self.of_record(record)?;
        if in_force.record.is_some() && !self.config.routing().is_empty() {
            tracing::warn!(
                "the routing rules of vitrine.toml are not in force: others were set by `vitrine routes set`, and \
                 `vitrine routes rollback` undoes that"
            );
        }
        self.publisher.set_rules(compiled_closed(&in_force));
        self.set_in_force(in_force);
        Ok(())
    }

    /// Sets rules, as one change: requests see all of them or none.
    pub(super) async fn set(&self, records: &Records, text: String) -> Result<(), ReleaseError> {
        let tables = parsed(&text)?;
        let rules = compiled_aside(tables.clone()).await?;
        let detail = format!("{} rules, {} experiments", tables.route.len(), tables.experiment.len());
        let record = self
            .publisher
            .republish_rules(async {
                let record = records
                    .stored("recording the routing rules", move |store| store.set_routing(&text, &detail))
                    .await?;
                self.set_in_force(InForce { tables, record: Some(record.clone()) });
                Ok((rules, record))
            })
            .await?;
        tracing::info!(revision = record.revision, "routing rules are set");
        Ok(())
    }

    /// Undoes the newest rules that were set.
    pub(super) async fn undo(&self, records: &Records) -> Result<(), ReleaseError> {
        let undone = self
            .publisher
            .republish_rules(async {
                // What is gone back to is checked before anything is dropped: its files may be gone.
                let before =
                    records.stored("reading the routing rules", |store| store.routing_before()).await?;
                let in_force = match before {
                    RoutingBefore::Nothing => return Err(RoutingError::NothingToUndo.into()),
                    RoutingBefore::Forgotten => return Err(RoutingError::Forgotten.into()),
                    RoutingBefore::File => self.of_record(None)?,
                    RoutingBefore::Record(record) => self.of_record(Some(record))?,
                };
                let rules = compiled_aside(in_force.tables.clone()).await?;
                let undone =
                    records.stored("undoing the routing rules", |store| store.undo_routing()).await?;
                self.set_in_force(in_force);
                Ok((rules, undone))
            })
            .await?;
        tracing::info!(revision = undone, "routing rules are undone");
        Ok(())
    }

    /// Undoes all rules that were set.
    pub(super) async fn reset(&self, records: &Records) -> Result<(), ReleaseError> {
        let in_force = self.of_record(None)?;
        let rules = compiled_aside(in_force.tables.clone()).await?;
        self.publisher
            .republish_rules(async {
                records.stored("resetting the routing rules", |store| store.reset_routing()).await?;
                self.set_in_force(in_force);
                Ok((rules, ()))
            })
            .await?;
        tracing::info!("the routing rules of vitrine.toml are in force again");
        Ok(())
    }

    /// The rules in force.
    pub(super) fn view(&self) -> Result<RoutingView, ReleaseError> {
        let in_force = self.in_force();
        let record = in_force.record.as_ref();
        let written = || toml::to_string(&in_force.tables).unwrap_or_default();
        Ok(RoutingView {
            source: record.map_or("vitrine.toml", |_| "set").into(),
            revision: record.map(|record| record.revision),
            set_ms: record.map(|record| record.at_ms),
            by: record.map(|record| record.who.clone()),
            rules: in_force.tables.route.len(),
            text: record.map_or_else(written, |record| record.text.clone()),
            notes: self.notes(&in_force.tables),
        })
    }

    /// Which rule decides a request, and what answers it.
    pub(super) fn explain(&self, request: &RequestToExplain) -> Result<ExplainedRoute, ReleaseError> {
        let bad = || RoutingError::BadUrl(request.url.clone());
        let url = Url::parse(&request.url).map_err(|_| bad())?;
        let host = match url.host().ok_or_else(bad)? {
            Host::Ipv6(address) => format!("[{address}]"),
            host => host.to_string(),
        };
        let method: Method = request.method.as_deref().unwrap_or("GET").parse().map_err(|_| bad())?;
        let headers: HeaderMap = request
            .headers
            .iter()
            .map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(bad)?
            .into_iter()
            .fold(HeaderMap::new(), |mut all, (name, value): (http::HeaderName, http::HeaderValue)| {
                all.append(name, value);
                all
            });
        let visitor = request.visitor.as_deref().unwrap_or("00000000000000000000000000000000");
        let facts = Facts {
            host: &host,
            sent_path: url.path(),
            query: url.query(),
            method: &method,
            headers: &headers,
            client: request.client.unwrap_or(Ipv4Addr::LOCALHOST.into()),
            visitor,
        };
        Ok(explained(&self.routes.snapshot(), &facts))
    }

    /// Looks every so often at the files that rules name (keys, users), and puts changed ones in force, for as long as the host runs.
    pub(super) async fn keep_fresh(self) {
        let mut rounds = tokio::time::interval(Duration::from_millis(ROUTE_FILES_CHECK_MS));
        loop {
            rounds.tick().await;
            let in_force = self.in_force();
            if !names_files(&in_force.tables) {
                continue;
            }
            if let Err(error) = self.refresh(&in_force).await {
                tracing::warn!(error = %error_chain(&error), "failed to read the files of routing rules again; those read before stay in force");
            }
        }
    }

    async fn refresh(&self, in_force: &Arc<InForce>) -> Result<(), ReleaseError> {
        let Some(rules) = self.routes.snapshot().rules.clone() else { return Ok(()) };
        let tables = in_force.tables.clone();
        let fresh = tokio::task::spawn_blocking(move || rules.refreshed(&tables)).await;
        let fresh = fresh.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        let Some(fresh) = fresh.map_err(RoutingError::Compile)? else { return Ok(()) };
        // Others may have been set meanwhile.
        let is_same = || Arc::ptr_eq(in_force, &self.in_force());
        let refreshed = self.publisher.replace_rules(fresh, is_same).await;
        if refreshed {
            tracing::info!("the files of routing rules have changed and are in force");
        }
        Ok(())
    }

    /// The rules that a record stands for; without one, those of `vitrine.toml`.
    fn of_record(&self, record: Option<RoutingRecord>) -> Result<InForce, ReleaseError> {
        let tables = match &record {
            Some(record) => parsed(&record.text)?,
            None => self.config.routing(),
        };
        Ok(InForce { tables, record })
    }

    fn notes(&self, tables: &RoutingRules) -> Vec<String> {
        let table = self.routes.snapshot();
        let named = tables.named_apps().into_iter();
        let told = named.filter_map(|(place, app, version)| {
            let what = missing(&table, &app, version.as_ref())?;
            Some(format!("`{place}`: {what}"))
        });
        let of_file = self.config.routing().route.len();
        let is_set = self.in_force().record.is_some();
        let unused = (is_set && of_file > 0).then(|| {
            format!("{of_file} rules of vitrine.toml are not in force; `vitrine routes reset` puts them in force again")
        });
        told.chain(unused).collect()
    }

    fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.in_force.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_in_force(&self, in_force: InForce) {
        *self.in_force.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(in_force);
    }
}

fn parsed(text: &str) -> Result<RoutingRules, RoutingError> {
    RoutingRules::parse(text, Path::new(SENT)).map_err(RoutingError::Parse)
}

fn compiled(tables: &RoutingRules) -> Result<Option<Arc<Rules>>, RoutingError> {
    if tables.is_empty() {
        return Ok(None);
    }
    Rules::compile(tables).map(|rules| Some(Arc::new(rules))).map_err(RoutingError::Compile)
}

/// As [`compiled`], at the start of a host, which a missing file must not keep down.
fn compiled_closed(in_force: &InForce) -> Option<Arc<Rules>> {
    if in_force.tables.is_empty() {
        return None;
    }
    let (rules, problems) = Rules::compile_closed(&in_force.tables);
    let source = in_force.record.as_ref().map_or_else(
        || "vitrine.toml".to_owned(),
        |record| format!("`vitrine routes set`, revision {}", record.revision),
    );
    for problem in problems {
        tracing::error!(
            source,
            error = %error_chain(&problem),
            "a file that routing rules name can't be used: what it guards stays closed until it can"
        );
    }
    Some(Arc::new(rules))
}

/// Tens of thousands of rules take a while.
async fn compiled_aside(tables: RoutingRules) -> Result<Option<Arc<Rules>>, RoutingError> {
    let done = tokio::task::spawn_blocking(move || compiled(&tables)).await;
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

fn names_files(tables: &RoutingRules) -> bool {
    tables.jwt.is_some()
        || tables.route.iter().any(|rule| rule.basic_auth_file.is_some())
        || tables.experiment.iter().any(|experiment| experiment.force_key_file.is_some())
}
