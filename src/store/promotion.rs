//! Promotions: which release was made live, and when.

use super::split::end_split;
use super::transaction::{from_integer, parsed, parsed_option, to_integer};
use super::{DeploymentRecord, Settled, Store, StoreError, count_epoch, deployment as deployments, releases};
use rusqlite::{OptionalExtension, Transaction, params};
use vitrine_core::audit::{AuditAction, AuditResult, Event};
use vitrine_core::id::{AppName, ReleaseId, Version};
use vitrine_core::limits::PROMOTIONS_KEPT_MAX;

/// Why a release was made live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromotionKind {
    /// It is the next one.
    Promote,
    /// The one before it was bad.
    Rollback,
    /// It is the live one with other values: another release keeps its share of the users.
    Reconfigure,
}

/// One switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// Epoch of the route table that it made.
    pub epoch: u64,
    /// What became live.
    pub version: Version,
    /// The release that was live before.
    pub from: Option<Version>,
    /// See [`PromotionKind`].
    pub kind: PromotionKind,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
}

impl PromotionKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Promote | Self::Reconfigure => "promote",
            Self::Rollback => "rollback",
        }
    }
}

/// Marks what a rollback to this release leaves. Its deployment is over, too.
fn leave(
    transaction: &Transaction<'_>,
    release: &ReleaseId,
    left: [Option<Version>; 2],
) -> rusqlite::Result<()> {
    for version in left.into_iter().flatten() {
        transaction.execute(
            "UPDATE releases SET rolled_back = 1 WHERE app = ?1 AND version = ?2",
            [release.app.as_str(), version.as_str()],
        )?;
    }
    deployments::end(transaction, release)
}

impl Store {
    /// Makes a release live: counts the epoch, moves the live pointer, sets `promoted_ms`, clears the release's own
    /// `rolled_back`, ends a split (other values alone don't), and on a rollback marks the releases that are left. The release that is live already may be
    /// given: `from` is then the one that had a share of its users. One that was pending is ready from then on, and the revision
    /// that was drafted for it is the newest. The deployment that made it live is recorded with it; one
    /// that is rolled back from is over.
    ///
    /// # Errors
    /// [`StoreError::NoRelease`]; see [`StoreError`].
    pub fn record_promotion(
        &self,
        release: &ReleaseId,
        kind: PromotionKind,
        at_ms: u64,
        deployment: Option<&DeploymentRecord>,
    ) -> Result<Promotion, StoreError> {
        self.audited("record the switch", |transaction| {
            let (app, version) = (release.app.as_str(), release.version.as_str());
            let ring = &self.0.keyring.load();
            let mut events = releases::given_users(transaction, ring, release, at_ms)?;
            let live = live_version(transaction, &release.app)?;
            let left = |version: &Option<Version>| version.clone().filter(|left| *left != release.version);
            // A release that had a share of the users loses it; where the live one stays, that is all that changes.
            let candidate = match kind {
                PromotionKind::Reconfigure => None,
                _ => left(&end_split(transaction, &release.app)?),
            };
            if kind == PromotionKind::Rollback {
                leave(transaction, release, [left(&live), candidate.clone()])?;
            }
            let from = match &live {
                Some(live) if *live == release.version => candidate.or_else(|| Some(live.clone())),
                _ => live,
            };
            transaction.execute("UPDATE apps SET live = ?2 WHERE name = ?1", [app, version])?;
            let epoch = count_epoch(transaction)?;
            transaction.execute(
                "INSERT INTO promotions (epoch, app, version, from_version, kind, at_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    to_integer(epoch),
                    app,
                    version,
                    from.as_ref().map(Version::as_str),
                    kind.as_str(),
                    to_integer(at_ms)
                ],
            )?;
            transaction.execute(
                "DELETE FROM promotions WHERE app = ?1 AND epoch <=
                 (SELECT epoch FROM promotions WHERE app = ?1 ORDER BY epoch DESC LIMIT 1 OFFSET ?2)",
                params![app, PROMOTIONS_KEPT_MAX],
            )?;
            if let Some(deployment) = deployment {
                deployments::set(transaction, deployment)?;
            }
            // Other values alone may be set again: the same request does the same then.
            if kind != PromotionKind::Reconfigure {
                self.settle_key(transaction, &Settled::Switched { epoch })?;
            }
            events.push(Event {
                what: match kind {
                    PromotionKind::Promote | PromotionKind::Reconfigure => AuditAction::Promote,
                    PromotionKind::Rollback => AuditAction::Rollback,
                },
                app: Some(release.app.clone()),
                version: Some(release.version.clone()),
                detail: from.as_ref().map(|from| format!("from {from}")),
                came: AuditResult::Done,
            });
            Ok((Promotion { epoch, version: release.version.clone(), from, kind, at_ms }, events))
        })
    }

    /// Version that is live.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn live(&self, app: &AppName) -> Result<Option<Version>, StoreError> {
        self.read("read what is live", |connection| {
            connection
                .prepare_cached("SELECT live FROM apps WHERE name = ?1")?
                .query_row([app.as_str()], |row| parsed_option(row, 0))
                .optional()
                .map(Option::flatten)
        })
    }

    /// Switches of an app, newest first; also of versions that are gone.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn history(&self, app: &AppName) -> Result<Vec<Promotion>, StoreError> {
        self.read("read the switches", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT epoch, version, from_version, kind, at_ms FROM promotions WHERE app = ?1
                 ORDER BY epoch DESC",
            )?;
            let rows = statement.query_map([app.as_str()], |row| {
                // The table's CHECK leaves no third kind.
                let rollback = row.get_ref(3)?.as_str()? == PromotionKind::Rollback.as_str();
                Ok(Promotion {
                    epoch: from_integer(row, 0)?,
                    version: parsed(row, 1)?,
                    from: parsed_option(row, 2)?,
                    kind: if rollback { PromotionKind::Rollback } else { PromotionKind::Promote },
                    at_ms: from_integer(row, 4)?,
                })
            })?;
            rows.collect()
        })
    }
}

fn live_version(transaction: &Transaction<'_>, app: &AppName) -> rusqlite::Result<Option<Version>> {
    transaction
        .query_row("SELECT live FROM apps WHERE name = ?1", [app.as_str()], |row| parsed_option(row, 0))
}
