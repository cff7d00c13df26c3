//! Environment values: a change makes a revision, and a live app gets a release of the same bundle with it.

use super::boot::Terms;
use super::labels::{Claim, Counts};
use super::lifecycle::Event;
use super::registry::Reserved;
use super::release_handle::{ReleaseHandle, spec_hash};
use super::upload::{Acknowledged, Draft};
use super::{EnvChange, EnvView, LiveValue, ReleaseError, Releases, Switched, decide};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use vitrine_core::id::{AppName, ReleaseId};
use vitrine_core::limits::RECONFIGURE_BOOT_DEADLINE_MS;
use vitrine_core::telemetry::error_chain;
use vitrine_proxy::pool::Instance;
use vitrine_store::{EnvEdit, EnvScope, EnvValue, ReleaseRecord, StoreError};

impl Releases {
    /// Changes values. When a release is live that reads one of them, a new release of the same bundle with the new values is booted
    /// and made live; a share of the users that another release has stays, and so does a bake. Values of previews are for those that
    /// come.
    ///
    /// # Errors
    /// See [`ReleaseError`]; the values are as before then. Values may be set before the first release, so only
    /// unsetting one of an unknown app is [`ReleaseError::NoApp`].
    pub async fn change_env(
        &self,
        app: AppName,
        scope: EnvScope,
        change: EnvEdit,
    ) -> Result<EnvChange, ReleaseError> {
        let names: Vec<String> = change.names().into_iter().map(String::from).collect();
        let found = |among: &BTreeSet<String>, is_in: bool| {
            names.iter().filter(|name| among.contains(*name) == is_in).cloned().collect::<Vec<_>>()
        };
        let granted = match scope {
            EnvScope::Production => found(&self.granted(&app).await?, true),
            EnvScope::Preview => Vec::new(),
        };
        let without_value = match &change {
            EnvEdit::Unset(_) => found(&self.names_read(&app), true),
            _ => Vec::new(),
        };
        let releases = self.0.registry.releases(&app);
        let unlisted = match &change {
            EnvEdit::Set(_) if !releases.is_empty() => {
                found(&releases.iter().flat_map(|handle| handle.bundle.manifest.env.clone()).collect(), false)
            }
            _ => Vec::new(),
        };
        let switched = self.change_values(app, scope, change).await?;
        Ok(EnvChange { switched, granted, unlisted, without_value })
    }

    /// Names whose value of production previews see.
    async fn granted(&self, app: &AppName) -> Result<BTreeSet<String>, ReleaseError> {
        let of = app.clone();
        self.stored("reading the environment", move |store| {
            let seen = store.env(&of, store.latest_revision(&of)?, EnvScope::Preview)?;
            Ok(seen.into_iter().filter(|value| value.granted).map(|value| value.name).collect())
        })
        .await
    }

    async fn change_values(
        &self,
        app: AppName,
        scope: EnvScope,
        change: EnvEdit,
    ) -> Result<Option<Switched>, ReleaseError> {
        let is_there = || match change {
            EnvEdit::Set(_) => self.refuse_kept(&app),
            _ if !self.0.registry.knows(&app) => Err(self.no_app(&app)),
            _ => self.refuse_kept(&app),
        };
        is_there()?;
        let configuring = self.0.registry.configuring(&app);
        let _configuring = configuring.lock().await;
        // It may have been removed while this waited.
        is_there()?;
        let reads = |live: &Arc<ReleaseHandle>| {
            let listed = |name: &str| live.bundle.manifest.env.iter().any(|one| one == name);
            scope == EnvScope::Production && change.names().into_iter().any(listed)
        };
        let Some(live) = self.0.registry.live(&app).filter(reads) else {
            // A removal waits until the value is both recorded and in the book.
            let switching = self.0.registry.switching(&app);
            let _switching = switching.lock().await;
            is_there()?;
            let of = app.clone();
            self.stored("recording the environment", move |store| store.change_env(&of, scope, &change))
                .await?;
            self.0.registry.add_app(&app);
            return Ok(None);
        };
        let draft = self.stored("recording the environment", move |store| store.draft_env(&app, &change));
        match draft.await? {
            Some(revision) => self.reconfigure(&live, revision).await.map(Some),
            None => Ok(None),
        }
    }

    /// The draft of values and the release that is made of them last when that is live; a host that dies before has neither.
    async fn reconfigure(&self, live: &Arc<ReleaseHandle>, revision: u64) -> Result<Switched, ReleaseError> {
        let deadline = Duration::from_millis(RECONFIGURE_BOOT_DEADLINE_MS);
        let of = live.id();
        let version = decide::reconfigured_version(&of.version, revision).ok_or_else(|| {
            ReleaseError::Refused("no version name is left for the new configuration".into())
        })?;
        let id = ReleaseId::new(of.app, version);
        let claim = Claim { release: id.clone(), preview: None, counts: Counts::Nothing };
        let Reserved::New(_reserved) = self.reserve(claim)? else {
            return Err(ReleaseError::Refused(format!(
                "the new configuration would be the release `{id}`, and there is one already; deploy the bundle under another \
                 version, then set the value again"
            )));
        };
        // A removal that comes later refuses the release at its end.
        self.still_live(live)?;
        let draft = Draft {
            id: id.clone(),
            bundle: Arc::clone(&live.bundle),
            dir: live.dir.clone(),
            config_revision: revision,
            env_scope: EnvScope::Production,
            preview: None,
            kept: None,
        };
        let handle = self.admit(draft, deadline, Acknowledged::InPlace).await?;
        let switched = self.promote_after(&handle, live, deadline).await;
        if switched.is_err() {
            self.discard_failed_upload(&handle).await;
        }
        switched
    }

    /// Makes sure that a release has as many instances as its app's scale says, with production's values: users are about to get it.
    ///
    /// # Errors
    /// See [`ReleaseError`]; the release has the values that it had.
    pub(super) async fn ready_for_users(
        &self,
        handle: &Arc<ReleaseHandle>,
        deadline: Duration,
    ) -> Result<Option<Before>, ReleaseError> {
        let before = self.with_values_of_production(handle, deadline).await?;
        match self.scale_for_users(handle, deadline).await {
            Ok(()) => Ok(before),
            Err(error) => {
                self.settle_values(handle, before).await;
                Err(error)
            }
        }
    }

    /// Makes sure that a release has a worker that serves, with production's values. A release that had
    /// the values of previews gets a new worker with the newest revision; gives what it ran with until then, for
    /// [`Releases::settle_values`]. The values are recorded when users get the release, so a host that ends before that adopts the
    /// instances that the release had.
    async fn with_values_of_production(
        &self,
        handle: &Arc<ReleaseHandle>,
        deadline: Duration,
    ) -> Result<Option<Before>, ReleaseError> {
        if handle.record().env_scope == EnvScope::Production {
            return self.ensure_worker(handle, deadline, true).await.map(|()| None);
        }
        let _insisting = handle.insist();
        self.0.boots.hand_out();
        let boot = handle.boot.lock().await;
        let before = handle.record();
        if before.env_scope == EnvScope::Production {
            // Another promotion was faster.
            drop(boot);
            return self.ensure_worker(handle, deadline, true).await.map(|()| None);
        }
        let of = before.id.app.clone();
        let newest = self.stored("reading the environment", move |store| store.latest_revision(&of)).await?;
        let release = before.id.clone();
        self.stored("noting the values of a release", move |store| store.set_next_revision(&release, newest))
            .await?;
        let mut with =
            ReleaseRecord { config_revision: newest, env_scope: EnvScope::Production, ..before.clone() };
        with.spec_hash = spec_hash(&with, &handle.bundle, &handle.limits, &self.0.parts.config);
        set_values(handle, &with);
        if !handle.pool.has_instance() {
            drop(boot);
            let started = self.ensure_worker(handle, deadline, true).await;
            let _boot = handle.boot.lock().await;
            if started.is_err() && !handle.pool.has_instance() {
                set_values(handle, &before);
            }
            return started.map(|()| Some(Before { record: before, instances: Vec::new() }));
        }
        match self.start_beside(handle, deadline, Terms::Strict).await {
            Ok((instance, _)) => {
                let instances = self.replace_instances(handle, instance);
                Ok(Some(Before { record: before, instances }))
            }
            Err(error) => {
                set_values(handle, &before);
                Err(error)
            }
        }
    }

    /// Gives a release that sees the values of previews the newest ones, where those that it reads have changed: a new worker takes
    /// the place of the one that it has. Gives whether they had changed.
    pub(super) async fn renew_values(
        &self,
        handle: &Arc<ReleaseHandle>,
        deadline: Duration,
    ) -> Result<bool, ReleaseError> {
        if handle.record().env_scope != EnvScope::Preview {
            return Ok(false);
        }
        let _insisting = handle.insist();
        self.0.boots.hand_out();
        let boot = handle.boot.lock().await;
        let before = handle.record();
        if before.env_scope != EnvScope::Preview || self.0.registry.release(&before.id).is_none() {
            return Ok(false);
        }
        let Some(newest) = self.changed_values(handle, &before).await? else { return Ok(false) };
        let mut with = ReleaseRecord { config_revision: newest, ..before.clone() };
        with.spec_hash = spec_hash(&with, &handle.bundle, &handle.limits, &self.0.parts.config);
        set_values(handle, &with);
        let renewed = match handle.pool.has_instance() {
            true => self.replace_all(handle, &with, deadline).await,
            false => match self.record_values(&with).await {
                Ok(()) => {
                    drop(boot);
                    return self.ensure_worker(handle, deadline, true).await.map(|()| true);
                }
                failed => failed,
            },
        };
        if renewed.is_err() {
            set_values(handle, &before);
        }
        renewed.map(|()| true)
    }

    /// The newest revision, if a release of this record reads other values in it than in its own.
    async fn changed_values(
        &self,
        handle: &Arc<ReleaseHandle>,
        record: &ReleaseRecord,
    ) -> Result<Option<u64>, ReleaseError> {
        let (of, scope, own) = (record.id.app.clone(), record.env_scope, record.config_revision);
        let reads = handle.bundle.manifest.env.clone();
        self.stored("reading the environment", move |store| {
            let newest = store.latest_revision(&of)?;
            let read = |revision| {
                let values = store.env(&of, revision, scope)?.into_iter();
                let values = values.filter(|value| reads.contains(&value.name));
                Ok::<BTreeMap<_, _>, StoreError>(values.map(|value| (value.name, value.value)).collect())
            };
            Ok((read(own)? != read(newest)?).then_some(newest))
        })
        .await
    }

    /// Puts an instance with these values in the place of all others, once they are recorded.
    async fn replace_all(
        &self,
        handle: &Arc<ReleaseHandle>,
        with: &ReleaseRecord,
        deadline: Duration,
    ) -> Result<(), ReleaseError> {
        let (instance, _) = self.start_beside(handle, deadline, Terms::Strict).await?;
        if let Err(error) = self.record_values(with).await {
            self.stop(instance).await;
            return Err(error);
        }
        self.finish_behind(self.replace_instances(handle, instance)).await;
        Ok(())
    }

    async fn record_values(&self, with: &ReleaseRecord) -> Result<(), ReleaseError> {
        let with = with.clone();
        self.stored("recording the values of a release", move |store| {
            store.set_values(&with.id, with.config_revision)
        })
        .await
    }

    /// Ends what [`Releases::ready_for_users`] began. A release that users did not get sleeps, and has its earlier values when it
    /// wakes.
    pub(super) async fn settle_values(&self, handle: &Arc<ReleaseHandle>, before: Option<Before>) {
        let Some(Before { record, instances }) = before else { return };
        let boot = handle.boot.lock().await;
        let has_users = [self.0.registry.live(&record.id.app), self.candidate(&record.id.app)]
            .into_iter()
            .flatten()
            .any(|given| Arc::ptr_eq(&given, handle));
        if !has_users {
            set_values(handle, &record);
            if handle.life().after(Event::Idle).is_ok()
                && let Err(error) = self.apply(handle, Event::Idle, Duration::ZERO).await
            {
                tracing::error!(release = %record.id, error = %error_chain(&error),
                    "a release whose promotion failed could not be put to sleep");
            }
        }
        drop(boot);
        self.finish_behind(instances).await;
    }

    /// Names (and plain values) of an app's environment: what the next release or preview gets, and what the live release still
    /// has of an earlier revision.
    ///
    /// # Errors
    /// [`ReleaseError::NoApp`].
    pub async fn env(&self, app: &AppName, scope: EnvScope) -> Result<Vec<EnvView>, ReleaseError> {
        if !self.0.registry.knows(app) {
            return Err(self.no_app(app));
        }
        let live = self.0.registry.live(app).filter(|live| live.record().env_scope == scope);
        let live_revision = live.as_ref().map_or(0, |handle| handle.record().config_revision);
        let of = app.clone();
        let (next, mut running, previews) = self
            .stored("reading the environment", move |store| {
                let revision = store.latest_revision(&of)?;
                let previews = store.env(&of, revision, EnvScope::Preview)?;
                Ok((store.env(&of, revision, scope)?, store.env(&of, live_revision, scope)?, previews))
            })
            .await?;
        let is_granted = |name: &str| previews.iter().any(|value| value.granted && value.name == name);
        let reads =
            |name: &String| live.as_ref().is_some_and(|handle| handle.bundle.manifest.env.contains(name));
        running.retain(|value| reads(&value.name));
        let gone: Vec<EnvValue> =
            running.iter().filter(|old| next.iter().all(|new| new.name != old.name)).cloned().collect();
        let next = next.into_iter().map(|value| {
            let live = match running.iter().find(|old| old.name == value.name) {
                Some(old) if old.value == value.value => LiveValue::Same,
                None if !reads(&value.name) => LiveValue::Unread,
                _ => LiveValue::Other,
            };
            EnvView { granted: is_granted(&value.name), ..view(value, live) }
        });
        let mut listed: Vec<EnvView> =
            next.chain(gone.into_iter().map(|value| view(value, LiveValue::Only))).collect();
        for name in self.names_read(app) {
            if listed.iter().all(|view| view.name != name) {
                listed.push(without_value(name));
            }
        }
        Ok(listed)
    }

    /// Names that the live and the newest release of an app list in `env`, in order.
    fn names_read(&self, app: &AppName) -> BTreeSet<String> {
        let newest =
            self.0.registry.releases(app).into_iter().max_by_key(|handle| handle.record().created_ms);
        let both = self.0.registry.live(app).into_iter().chain(newest);
        both.flat_map(|handle| handle.bundle.manifest.env.clone()).collect()
    }
}

/// What a release ran with before it was made ready for users.
#[derive(Debug)]
pub(super) struct Before {
    record: ReleaseRecord,
    instances: Vec<Arc<Instance>>,
}

/// What a release is started with from now on.
fn set_values(handle: &ReleaseHandle, with: &ReleaseRecord) {
    handle.update(|record| {
        record.config_revision = with.config_revision;
        record.env_scope = with.env_scope;
        record.spec_hash = with.spec_hash;
    });
}

fn view(value: EnvValue, live: LiveValue) -> EnvView {
    EnvView {
        name: value.name,
        secret: value.secret,
        value: (!value.secret).then_some(value.value),
        updated_ms: value.updated_ms,
        live,
        unset: false,
        granted: false,
    }
}

const fn without_value(name: String) -> EnvView {
    EnvView {
        name,
        secret: false,
        value: None,
        updated_ms: 0,
        live: LiveValue::Unread,
        unset: true,
        granted: false,
    }
}
