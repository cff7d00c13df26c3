//! Environment values: a change makes a revision, and a live app gets a release of the same bundle with it.

use super::deployment::Deployer;
use super::labels::{Claim, Counts};
use super::records::Records;
use super::registry::Registry;
use super::registry::Reserved;
use super::release_handle::ReleaseHandle;
use super::upload::Uploader;
use super::upload::{Acknowledged, Draft};
use super::{EnvChange, EnvView, LiveValue, ReleaseError, Switched};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use vitrine_core::id::{AppName, ReleaseId, Version};
use vitrine_core::limits::RECONFIGURE_BOOT_DEADLINE_MS;
use vitrine_store::{EnvEdit, EnvScope, EnvValue};

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Environment {
    pub registry: Arc<Registry>,
    pub records: Records,
    pub uploader: Uploader,
    pub deployer: Deployer,
}

impl Environment {
    /// The same, with its changes recorded on behalf of another actor.
    pub(super) fn through(&self, records: &Records) -> Self {
        Self {
            records: records.clone(),
            uploader: self.uploader.through(records),
            deployer: self.deployer.through(records),
            ..self.clone()
        }
    }

    /// See [`Releases::change_env`](super::Releases::change_env).
    pub(super) async fn change_env(
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
        let releases = self.registry.releases(&app);
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
        self.records
            .stored("reading the environment", move |store| {
                let seen = store.newest_env(&of, EnvScope::Preview)?;
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
            EnvEdit::Set(_) => self.registry.refuse_kept(&app),
            _ if !self.registry.knows(&app) => Err(self.registry.no_app(&app)),
            _ => self.registry.refuse_kept(&app),
        };
        is_there()?;
        let configuring = self.registry.configuring(&app);
        let _configuring = configuring.lock().await;
        // It may have been removed while this waited.
        is_there()?;
        let reads = |live: &Arc<ReleaseHandle>| {
            let listed = |name: &str| live.bundle.manifest.env.iter().any(|one| one == name);
            scope == EnvScope::Production && change.names().into_iter().any(listed)
        };
        let Some(live) = self.registry.live(&app).filter(reads) else {
            // A removal waits until the value is both recorded and in the registry.
            let switching = self.registry.switching(&app);
            let _switching = switching.lock().await;
            is_there()?;
            let of = app.clone();
            self.records
                .stored("recording the environment", move |store| store.change_env(&of, scope, &change))
                .await?;
            self.registry.add_app(&app);
            return Ok(None);
        };
        let unset = if let EnvEdit::Unset(name) = &change { Some(name.clone()) } else { None };
        let draft =
            self.records.stored("recording the environment", move |store| store.draft_env(&app, &change));
        let Some(revision) = draft.await? else { return Ok(None) };
        let switched = self.reconfigure(&live, revision).await;
        switched.map(Some).map_err(|error| match unset {
            Some(name) => still_needed(error, &name, &live.id()),
            None => error,
        })
    }

    /// The draft of values and the release that is made of them last when that is live; a host that dies before has neither.
    async fn reconfigure(&self, live: &Arc<ReleaseHandle>, revision: u64) -> Result<Switched, ReleaseError> {
        let deadline = Duration::from_millis(RECONFIGURE_BOOT_DEADLINE_MS);
        let of = live.id();
        let version = reconfigured_version(&of.version, revision).ok_or_else(|| {
            ReleaseError::Refused("no version name is left for the new configuration".into())
        })?;
        let id = ReleaseId::new(of.app, version);
        let claim = Claim { release: id.clone(), preview: None, counts: Counts::Nothing };
        let Reserved::New(_reserved) = self.uploader.reserve(claim)? else {
            return Err(ReleaseError::Refused(format!(
                "the new configuration would be the release `{id}`, and there is one already; deploy the bundle under another \
                 version, then set the value again"
            )));
        };
        // A removal that comes later refuses the release at its end.
        self.registry.still_live(live)?;
        let draft = Draft {
            id: id.clone(),
            deploy: None,
            bundle: Arc::clone(&live.bundle),
            dir: live.dir.clone(),
            config_revision: Some(revision),
            env_scope: EnvScope::Production,
            preview: None,
            kept: None,
        };
        let handle = self.uploader.admit(draft, deadline, Acknowledged::InPlace).await?;
        let switched = self.deployer.promote_after(&handle, live, deadline).await;
        if switched.is_err() {
            self.uploader.discard_failed_upload(&handle).await;
        }
        switched
    }

    /// See [`Releases::env`](super::Releases::env).
    pub(super) async fn env(&self, app: &AppName, scope: EnvScope) -> Result<Vec<EnvView>, ReleaseError> {
        if !self.registry.knows(app) {
            return Err(self.registry.no_app(app));
        }
        let live = self.registry.live(app).filter(|live| live.record().env_scope == scope);
        let live_revision = live.as_ref().map_or(0, |handle| handle.record().config_revision);
        let of = app.clone();
        let (next, mut running, previews) = self
            .records
            .stored("reading the environment", move |store| {
                let previews = store.newest_env(&of, EnvScope::Preview)?;
                Ok((store.newest_env(&of, scope)?, store.env(&of, live_revision, scope)?, previews))
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
        let newest = self.registry.releases(app).into_iter().max_by_key(|handle| handle.record().created_ms);
        let both = self.registry.live(app).into_iter().chain(newest);
        both.flat_map(|handle| handle.bundle.manifest.env.clone()).collect()
    }
}

/// Says what to do about a value that can't be unset. That it could be set is no advice: it is.
fn still_needed(error: ReleaseError, name: &str, live: &ReleaseId) -> ReleaseError {
    let ReleaseError::Unservable { release, reason, log, mut diagnosis } = error else { return error };
    diagnosis.env_unset.retain(|unset| unset != name);
    let reason = format!(
        "{reason}; {live} needs {name}, which keeps its value: deploy a release that does without it, then unset it"
    );
    ReleaseError::Unservable { release, reason, log, diagnosis }
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

/// Version of a release that has the bundle of `base` and another configuration: `v1` -> `v1.r2` -> `v1.r3`.
fn reconfigured_version(base: &Version, revision: u64) -> Option<Version> {
    let text = base.as_str();
    let stem = match text.rsplit_once(".r") {
        Some((stem, digits)) if !stem.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => stem,
        _ => text,
    };
    let suffix = format!(".r{revision}");
    // Names have at most 64 characters, all ASCII.
    let room = 64 - suffix.len();
    format!("{}{suffix}", &stem[..stem.len().min(room)]).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_configuration_has_a_version_of_its_own() {
        let v = |text: &str| text.parse::<Version>().unwrap();
        assert_eq!(reconfigured_version(&v("v1"), 2), Some(v("v1.r2")));
        assert_eq!(reconfigured_version(&v("v1.r2"), 13), Some(v("v1.r13")));
        assert_eq!(reconfigured_version(&v(&"a".repeat(64)), 2).unwrap().as_str().len(), 64);
    }
}
