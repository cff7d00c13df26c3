//! Certificates by ACME for the names that lead somewhere: ordered, kept in the store, served, renewed.
//!
//! [`names`] says who needs one, [`record`] when something is to be done, [`order`] does it for the [`account`] with the calls of
//! [`http`].

mod account;
mod error;
mod http;
mod names;
mod order;
mod record;

use super::context::RequestContext;
use super::response::{Reply, Timing, whole};
use ::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap};
use ::http::{HeaderValue, StatusCode};
use account::ACCOUNT;
use error::AcmeError;
use instant_acme::Account;
use record::Record;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use vitrine_core::clock::Clock;
use vitrine_core::config::Acme;
use vitrine_core::limits::{
    ACME_CHECK_MS, ACME_HOUR_MS, ACME_LIMITED_S, ACME_LOOK_MS, ACME_ORDER_MS, ACME_ORDERS_AT_ONCE,
    ACME_ORDERS_PER_HOUR_MAX,
};
use vitrine_core::telemetry::{Metrics, error_chain};
use vitrine_proxy::certificates::{Certificates, Issued, Pair};
use vitrine_proxy::route::Routes;
use vitrine_store::{Store, StoreError};
use vitrine_wire::Outcome;

/// Where an authority looks for what it expects, over plain HTTP.
pub(crate) const PATH: &str = "/.well-known/acme-challenge/";

/// Orders and renews certificates as long as it runs.
pub(crate) struct Authority {
    rules: Acme,
    parts: Parts,
    records: HashMap<String, Record>,
    account: Option<Account>,
    /// Of the account; see [`Record`].
    account_record: Record,
    /// Names that clients asked for, of releases that no user gets by them.
    wanted: BTreeSet<String>,
    asked: Option<mpsc::Receiver<String>>,
    in_flight: BTreeSet<String>,
    /// Epoch of the route table at the last look at it, and when that was.
    looked: Option<(u64, Instant)>,
    begun: VecDeque<Instant>,
}

impl std::fmt::Debug for Authority {
    // The account has a key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// Its surroundings.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) routes: Routes,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) issued: Arc<Issued>,
    pub(crate) metrics: Arc<Metrics>,
}

/// An order that ended.
type Ended = (String, Result<(Pair, Record), AcmeError>);

impl Authority {
    /// Serves what is kept. Reads the store.
    pub(crate) fn new(
        rules: Acme,
        parts: Parts,
        asked: Option<mpsc::Receiver<String>>,
    ) -> Result<Self, StoreError> {
        let now_s = now_s();
        let (mut records, mut served) = (HashMap::new(), Vec::new());
        for (name, bytes) in parts.store.acme_records()?.into_iter().filter(|(name, _)| name != ACCOUNT) {
            let Ok(record) = serde_json::from_slice::<Record>(&bytes) else { continue };
            if let Some(Ok(pair)) = record.pair(&name, now_s) {
                parts.metrics.certificates.issued(&name, pair.expires_s);
                served.push((name.clone(), pair.key));
            }
            records.insert(name, record);
        }
        parts.issued.serve(&served);
        Ok(Self {
            rules,
            parts,
            records,
            account: None,
            account_record: Record::default(),
            wanted: BTreeSet::new(),
            asked,
            in_flight: BTreeSet::new(),
            looked: None,
            begun: VecDeque::new(),
        })
    }

    /// Never ends by itself.
    pub(crate) async fn run(mut self) {
        let mut orders: JoinSet<Ended> = JoinSet::new();
        let mut asked = self.asked.take();
        let mut checks = tokio::time::interval(Duration::from_millis(ACME_CHECK_MS));
        loop {
            let told = async {
                match &mut asked {
                    Some(asked) => asked.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = checks.tick() => {
                    if !self.is_time_to_look() {
                        continue;
                    }
                }
                Some(name) = told => {
                    if !self.want(name) {
                        continue;
                    }
                }
                Some(Ok((name, ended))) = orders.join_next(), if !orders.is_empty() => self.settle(name, ended).await,
            }
            self.begin_due(&mut orders).await;
        }
    }

    /// Whether the route table is another one than at the last look, or that was long ago.
    fn is_time_to_look(&self) -> bool {
        self.looked.is_none_or(|(epoch, at)| {
            epoch != self.parts.routes.snapshot().epoch || at.elapsed() > Duration::from_millis(ACME_LOOK_MS)
        })
    }

    /// Notes a name that a client asked for; whether something is to be done about it. Names are those of the route table, so
    /// there are no more of them.
    fn want(&mut self, name: String) -> bool {
        let leads = names::leads_somewhere(&self.parts.routes.snapshot(), &name);
        leads && self.is_due(&name) && self.wanted.insert(name)
    }

    /// Whether a certificate is to be ordered now. A name that a certificate in files is for needs none.
    fn is_due(&self, name: &str) -> bool {
        let due = self.records.get(name).is_none_or(|record| record.is_due(&self.rules.directory, now_s()));
        due && !self.in_flight.contains(name) && !self.parts.certificates.has(name)
    }

    /// Names that are to have a certificate.
    fn needed(&mut self) -> BTreeSet<String> {
        let table = self.parts.routes.snapshot();
        self.looked = Some((table.epoch, Instant::now()));
        self.wanted.retain(|name| names::leads_somewhere(&table, name));
        // A name that was asked for once is renewed as long as it leads somewhere.
        let known = self.records.keys().filter(|_| self.rules.on_demand);
        let known = known.filter(|name| names::leads_somewhere(&table, name));
        names::of_apps(&table).chain(known.cloned()).chain(self.wanted.iter().cloned()).collect()
    }

    /// Forgets certificates that nobody needs and nobody could use.
    async fn forget_ended(&mut self, needed: &BTreeSet<String>) {
        let now_s = now_s();
        let ended = |name: &String, record: &Record| record.is_over(now_s) && !needed.contains(name);
        let ended: Vec<_> = self.records.extract_if(|name, record| ended(name, record)).collect();
        for (name, _) in ended {
            self.parts.issued.withdraw(&name);
            self.parts.metrics.certificates.withdrawn(&name);
            if let Err(error) = self.stored(move |store| store.forget_acme(&name)).await {
                tracing::warn!(error = error_chain(&error), "a certificate whose time is over is still kept");
            }
        }
    }

    /// Begins as many orders as there is room for.
    async fn begin_due(&mut self, orders: &mut JoinSet<Ended>) {
        let needed = self.needed();
        self.forget_ended(&needed).await;
        let mut due: Vec<_> = needed.into_iter().filter(|name| self.is_due(name)).collect();
        // Names that fail again and again come last, or they would use up what may be ordered in an hour.
        due.sort_by_key(|name| self.records.get(name).map(Record::urgency).unwrap_or_default());
        for name in due {
            if self.in_flight.len() >= ACME_ORDERS_AT_ONCE || !self.may_begin() {
                return;
            }
            let Some(account) = self.account().await else { return };
            let record = self.records.get(&name).cloned().unwrap_or_default();
            // Where one way fails, the next time the other one may not.
            let kind = self.rules.challenges[record.failures() % self.rules.challenges.len()];
            self.begun.push_back(Instant::now());
            self.in_flight.insert(name.clone());
            let (issued, directory) = (Arc::clone(&self.parts.issued), self.rules.directory.clone());
            orders.spawn(async move {
                let ordered = order::certificate(&account, &name, kind, &issued);
                let ordered = tokio::time::timeout(Duration::from_millis(ACME_ORDER_MS), ordered).await;
                let ordered = ordered.unwrap_or(Err(AcmeError::Late { waited_ms: ACME_ORDER_MS }));
                let checked = ordered.and_then(|ordered| checked(&name, &directory, ordered));
                (name, checked)
            });
        }
    }

    /// Whether one more order stays below the bound of an hour.
    fn may_begin(&mut self) -> bool {
        while self.begun.front().is_some_and(|at| at.elapsed() > Duration::from_millis(ACME_HOUR_MS)) {
            self.begun.pop_front();
        }
        self.begun.len() < ACME_ORDERS_PER_HOUR_MAX
    }

    /// Serves and keeps what an order brought, or notes when it is tried again.
    async fn settle(&mut self, name: String, ended: Result<(Pair, Record), AcmeError>) {
        self.in_flight.remove(&name);
        self.parts.metrics.certificates.ordered(ended.is_ok());
        let record = match ended {
            Ok((pair, record)) => {
                self.wanted.remove(&name);
                self.parts.issued.serve(&[(name.clone(), Arc::clone(&pair.key))]);
                self.parts.metrics.certificates.issued(&name, pair.expires_s);
                let expires = jiff::Timestamp::from_second(pair.expires_s).unwrap_or_default();
                tracing::info!(name, %expires, "an authority issued a certificate, which is served from now on");
                record
            }
            Err(error) => {
                if error.is("accountDoesNotExist") {
                    self.account = None;
                    let _ = self.stored(|store| store.forget_acme(ACCOUNT)).await;
                }
                let least_s = if error.is("rateLimited") { ACME_LIMITED_S } else { 0 };
                let record = self.records.remove(&name).unwrap_or_default();
                let record = record.failed(least_s, now_s(), rand::random());
                let again = jiff::Timestamp::from_second(record.retry_at_s()).unwrap_or_default();
                let error = error_chain(&error);
                tracing::error!(name, error, %again, "there is no new certificate for a name; it is tried again");
                record
            }
        };
        let (kept_as, bytes) = (name.clone(), serde_json::to_vec(&record));
        self.records.insert(name, record);
        let bytes = bytes.expect("a record is plain data");
        if let Err(error) = self.stored(move |store| store.keep_acme(&kept_as, &bytes)).await {
            tracing::error!(
                error = error_chain(&error),
                "a certificate could not be kept; the next start orders it again"
            );
        }
    }

    async fn stored<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.parts.store.clone();
        blocking(move || call(&store)).await
    }
}

/// The certificate that an authority sent, if it is for this name.
fn checked(name: &str, directory: &str, ordered: order::Ordered) -> Result<(Pair, Record), AcmeError> {
    let order::Ordered { chain, key } = ordered;
    let pair = Pair::issued(name, chain.as_bytes(), key.clone()).map_err(AcmeError::Unusable)?;
    if !pair.names.iter().any(|named| named == name) {
        return Err(AcmeError::Foreign { name: name.to_owned() });
    }
    let record = Record::succeeded(directory, chain, &key, &pair, rand::random());
    Ok((pair, record))
}

/// The answer that an authority expects that looks at this name.
pub(crate) fn answer(issued: &Issued, context: &mut RequestContext) -> Option<Reply> {
    let token = context.info.uri.path().strip_prefix(PATH)?;
    let text = issued.answer(&context.address.host, token)?;
    context.outcome = Outcome::Ok;
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(whole(context, StatusCode::OK, headers, text.into(), Timing::uncached(None)))
}

async fn blocking<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(run).await.expect("it does not panic")
}

fn now_s() -> i64 {
    (Clock::system().now_ms() / 1_000).try_into().unwrap_or(i64::MAX)
}
