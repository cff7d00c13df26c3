//! Environment values: a change makes a revision, and a live app gets a release of the same bundle with it.

use super::entry::Entry;
use super::upload::{Acknowledged, Draft};
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
        let is_new = !self.0.book.knows(&app);
        let configuring = self.0.book.configuring(&app);
        let _configuring = configuring.lock().await;
        let updated_ms = self.0.parts.clock.now_ms();
        let wanted = value.map(|value| EnvValue { name: name.clone(), value, secret, updated_ms });
        let live = self.0.book.live(&app);
        let Some(live) = live.filter(|live| live.bundle.manifest.env.contains(&name)) else {
            let recorded = self.record_env(&app, &name, wanted).await;
            match &recorded {
                // There is no such app, then.
                Err(_) if is_new && self.0.book.releases(&app).is_empty() => {
                    self.0.book.remove_app(&app);
                }
                // Another change of the same new app may have failed while this one waited.
                _ => self.0.book.add_app(&app),
            }
            return recorded.map(|_| None);
        };
        let draft_of = app.clone();
        let draft = self.stored("recording the environment", move |store| {
            store.draft_env(&draft_of, &name, wanted.as_ref())
        });
        match draft.await? {
            Some(revision) => self.reconfigure(&live, revision).await.map(Some),
            None => Ok(None),
        }
    }

    /// The draft of values and the release that is made of them last when that is live; a host that dies before has neither.
    async fn reconfigure(&self, live: &Arc<Entry>, revision: u64) -> Result<Switched, ReleaseError> {
        let deadline = Duration::from_millis(RECONFIGURE_BOOT_DEADLINE_MS);
        let of = live.id();
        let version = decide::reconfigured_version(&of.version, revision).ok_or_else(|| {
            ReleaseError::Refused("no version name is left for the new configuration".into())
        })?;
        let id = ReleaseId::new(of.app, version);
        let _reserved = self.0.book.reserve(&id).ok_or_else(|| {
            ReleaseError::Refused(format!("`{id}` is being deployed right now; wait for it"))
        })?;
        if self.0.book.release(&id).is_some() {
            return Err(ReleaseError::Refused(format!(
                "the new configuration would be the release `{id}`, and there is one already; deploy the bundle under another \
                 version, then set the value again"
            )));
        }
        self.check_labels(&id, None)?;
        let draft = Draft {
            id: id.clone(),
            bundle: Arc::clone(&live.bundle),
            dir: live.dir.clone(),
            config_revision: revision,
            preview: None,
            kept: None,
        };
        let entry = self.admit(draft, deadline, Acknowledged::WhenLive).await?;
        let switched = self.promote_after(&entry, live, deadline).await;
        if switched.is_err() {
            self.withdraw(&entry).await;
        }
        switched
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
