//! Environment values: a change makes a revision, and a live app gets a release of the same bundle with it.

use super::upload::Draft;
use super::{EnvView, LiveValue, ReleaseError, Releases, Switched, decide};
use crate::id::{AppName, ReleaseId};
use crate::limits::RECONFIGURE_BOOT_DEADLINE_MS;
use crate::store::EnvValue;
use std::sync::Arc;
use std::time::Duration;

impl Releases {
    /// Sets (or, with `None`, unsets) a value. When a release is live, a new release of the same bundle with the new
    /// values is booted and made live; gives that switch.
    ///
    /// # Errors
    /// See [`ReleaseError`]; the values are as before then. Values may be set before the first release, so only
    /// unsetting one of an unknown app is [`ReleaseError::NoApp`].
    pub async fn set_env(
        &self,
        app: AppName,
        name: String,
        value: Option<String>,
        secret: bool,
    ) -> Result<Option<Switched>, ReleaseError> {
        if value.is_none() && !self.0.book.knows(&app) {
            return Err(ReleaseError::NoApp(app));
        }
        let switching = self.0.book.switching(&app);
        let changing = switching.lock().await;
        let before = self.env_value(&app, &name).await?;
        let wanted = value.map(|value| EnvValue {
            name: name.clone(),
            value,
            secret,
            updated_ms: self.0.parts.clock.now_ms(),
        });
        let Some(revision) = self.record_env(&app, &name, wanted).await? else { return Ok(None) };
        drop(changing);
        let Some(live) = self.0.book.live(&app) else { return Ok(None) };
        if !live.bundle.manifest.env.contains(&name) {
            return Ok(None);
        }
        let switched = self.reconfigure(&live.id(), revision).await;
        if switched.is_err() {
            self.record_env(&app, &name, before).await?;
        }
        switched.map(Some)
    }

    async fn reconfigure(&self, live: &ReleaseId, revision: u64) -> Result<Switched, ReleaseError> {
        let entry = self.find(live)?;
        let deadline = Duration::from_millis(RECONFIGURE_BOOT_DEADLINE_MS);
        let version = decide::reconfigured_version(&live.version, revision).ok_or_else(|| {
            ReleaseError::Refused("no version name is left for the new configuration".into())
        })?;
        let id = ReleaseId::new(live.app.clone(), version);
        let _reserved = self.0.book.reserve(&id).ok_or_else(|| {
            ReleaseError::Refused(format!("`{id}` is being deployed right now; wait for it"))
        })?;
        let draft = Draft {
            id: id.clone(),
            bundle: Arc::clone(&entry.bundle),
            dir: entry.dir.clone(),
            config_revision: revision,
            preview: None,
        };
        self.admit(draft, deadline).await?;
        self.promote(id, deadline).await
    }

    async fn env_value(&self, app: &AppName, name: &str) -> Result<Option<EnvValue>, ReleaseError> {
        let (app, name) = (app.clone(), name.to_owned());
        self.stored("reading the environment", move |store| {
            let revision = store.latest_revision(&app)?;
            Ok(store.env(&app, revision)?.into_iter().find(|value| value.name == name))
        })
        .await
    }

    /// The new revision, or `None` when nothing changed.
    async fn record_env(
        &self,
        app: &AppName,
        name: &str,
        value: Option<EnvValue>,
    ) -> Result<Option<u64>, ReleaseError> {
        let (app, name) = (app.clone(), name.to_owned());
        self.stored("recording the environment", move |store| match value {
            Some(value) => store.set_env(&app, &value).map(Some),
            None => store.unset_env(&app, &name),
        })
        .await
    }

    /// Names (and plain values) of an app's environment: what the next release gets, and what the live one still has
    /// of an earlier revision.
    ///
    /// # Errors
    /// [`ReleaseError::NoApp`].
    pub async fn env(&self, app: &AppName) -> Result<Vec<EnvView>, ReleaseError> {
        if !self.0.book.knows(app) {
            return Err(ReleaseError::NoApp(app.clone()));
        }
        let live = self.0.book.live(app);
        let live_revision = live.as_ref().map_or(0, |entry| entry.record().config_revision);
        let of = app.clone();
        let (next, mut running) = self
            .stored("reading the environment", move |store| {
                let revision = store.latest_revision(&of)?;
                Ok((store.env(&of, revision)?, store.env(&of, live_revision)?))
            })
            .await?;
        let reads =
            |name: &String| live.as_ref().is_some_and(|entry| entry.bundle.manifest.env.contains(name));
        running.retain(|value| reads(&value.name));
        let gone: Vec<EnvValue> =
            running.iter().filter(|old| next.iter().all(|new| new.name != old.name)).cloned().collect();
        let next = next.into_iter().map(|value| {
            let live = match running.iter().find(|old| old.name == value.name) {
                Some(old) if old.value == value.value => LiveValue::Same,
                None if !reads(&value.name) => LiveValue::Unread,
                _ => LiveValue::Other,
            };
            view(value, live)
        });
        Ok(next.chain(gone.into_iter().map(|value| view(value, LiveValue::Only))).collect())
    }
}

fn view(value: EnvValue, live: LiveValue) -> EnvView {
    EnvView {
        name: value.name,
        secret: value.secret,
        value: (!value.secret).then_some(value.value),
        updated_ms: value.updated_ms,
        live,
    }
}
