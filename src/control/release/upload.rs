//! A bundle taken in: recorded, booted, warmed. Nothing of one that fails remains.

use super::admission::{idempotent_reupload, unclaimed};
use super::app_logs::AppLogs;
use super::deltas::DeltaMaker;
use super::diagnosis;
use super::installed_bundles::InstalledBundles;
use super::labels::{Claim, Counts};
use super::lifecycle::{Event, Lifecycle};
use super::lock_order::Guard;
use super::publisher::RoutePublisher;
use super::records::Records;
use super::registry::{Registry, Reserved, Unclaimed};
use super::release_handle::{ReleaseHandle, spec_hash};
use super::removal::Remover;
use super::supervisor::WorkerSupervisor;
use super::values::Values;
use super::views::Views;
use super::{DeployObserver, DeployPhase, HealthAnswer, ReleaseError, Uploaded};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::OwnedRwLockReadGuard;
use vitrine_bundle::{Bundle, BundleDir};
use vitrine_core::clock::Clock;
use vitrine_core::config::Config;
use vitrine_core::id::{AppName, Digest, ReleaseId, Version};
use vitrine_core::telemetry::Metrics;
use vitrine_core::telemetry::error_chain;
use vitrine_store::{EnvScope, ReleaseRecord, ReleaseState, StoreError};

/// How a bundle is to be taken in.
#[derive(Debug, Clone)]
pub struct UploadOptions {
    /// Make it a preview of this name.
    pub preview: Option<Version>,
    /// How long a preview lives.
    pub ttl: Option<Duration>,
    /// Time until ready.
    pub boot_deadline: Duration,
    /// Number of the deploy that this begins (see `Deployer::begin_deploy`).
    pub deploy: u64,
    /// Whose values of the environment it sees until it is promoted.
    pub env_scope: EnvScope,
    /// Whether its sender may decide what users get.
    pub may_promote: bool,
    /// The minisign signature that came with the bundle.
    pub signature: Option<String>,
    /// Whether it is made live next: a host that ends before that undoes it.
    pub goes_live: bool,
    /// Is told how it goes.
    pub observer: Option<Arc<dyn DeployObserver>>,
}

/// A release that is about to be recorded.
pub(super) struct Draft {
    /// Its name.
    pub id: ReleaseId,
    /// The deploy that takes it in, which may be undone; none makes it of a release that is there.
    pub deploy: Option<u64>,
    /// Its bundle.
    pub bundle: Arc<Bundle>,
    /// Where that lies.
    pub dir: BundleDir,
    /// Its configuration; none is the newest.
    pub config_revision: Option<u64>,
    /// Whose values of that it sees.
    pub env_scope: EnvScope,
    /// Its preview name, and when that ends.
    pub preview: Option<(Version, u64)>,
    /// Keeps its bundle from being removed until the release is recorded.
    pub kept: Option<Guard<OwnedRwLockReadGuard<()>>>,
}

/// When a release is acknowledged: what is not is undone by the next start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acknowledged {
    /// Once it is ready.
    Ready,
    /// Once it is live. Until then it is an upload like any other.
    Promoted,
    /// Once it is live. It takes the place of what is live now.
    InPlace,
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Uploader {
    pub registry: Arc<Registry>,
    pub records: Records,
    pub config: Arc<Config>,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    pub app_logs: AppLogs,
    pub installed: InstalledBundles,
    pub supervisor: WorkerSupervisor,
    pub publisher: RoutePublisher,
    pub values: Values,
    pub views: Views,
    pub remover: Remover,
    pub deltas: DeltaMaker,
}

impl Uploader {
    /// The same, with its changes recorded on behalf of another actor.
    pub(super) fn through(&self, records: &Records) -> Self {
        Self {
            records: records.clone(),
            values: self.values.through(records),
            remover: self.remover.through(records),
            ..self.clone()
        }
    }

    /// See [`Releases::upload`](super::Releases::upload).
    pub(super) async fn upload(
        &self,
        app: AppName,
        version: Option<Version>,
        staged: (BundleDir, Bundle),
        options: UploadOptions,
    ) -> Result<Uploaded, ReleaseError> {
        self.registry.refuse_kept(&app)?;
        let observer = options.observer.as_ref();
        observer.inspect(|observer| observer.entered(DeployPhase::Storing));
        let (dir, bundle) = staged;
        let digest = bundle.digest;
        let version = match version {
            Some(version) => version,
            None => digest.short().parse().map_err(|_| ReleaseError::Refused("no version".into()))?,
        };
        let id = ReleaseId::new(app.clone(), version);
        let counts = Counts::As(digest, bundle.bytes);
        let claim = Claim { release: id.clone(), preview: options.preview.clone(), counts };
        let _reserved = match self.reserve(claim)? {
            Reserved::New(reserved) => reserved,
            Reserved::There(existing) => return self.upload_again(&existing, digest, &options).await,
        };
        if !options.may_promote {
            self.refuse_reuse(&id, options.preview.as_ref(), digest).await?;
        }
        self.check_signature(&id, digest, options.signature.as_deref()).await?;
        let now_ms = self.clock.now_ms();
        let ttl_ms = options.ttl.unwrap_or(DEFAULT_PREVIEW_TTL).as_millis() as u64;
        let kept = Some(self.installed.keep().await);
        let bundles = self.records.bundles();
        let dir = bundles.install(dir, digest).await.map_err(ReleaseError::store("storing the bundle"))?;
        let draft = Draft {
            id,
            deploy: Some(options.deploy),
            bundle: Arc::new(bundle),
            dir,
            config_revision: None,
            env_scope: options.env_scope,
            preview: options.preview.map(|name| (name, now_ms + ttl_ms)),
            kept,
        };
        let acknowledged = match options.goes_live {
            true => Acknowledged::Promoted,
            false => Acknowledged::Ready,
        };
        let watched = observer.map(|observer| {
            observer.entered(DeployPhase::Booting);
            self.app_logs.watch(&draft.id, Arc::clone(observer))
        });
        let admitted = self.admit(draft, options.boot_deadline, acknowledged).await;
        drop(watched);
        if admitted.is_err() {
            self.installed.forget_bundle(digest).await;
        }
        let handle = admitted?;
        // It is in the registry since it was recorded, and stays: what goes wrong from here on is worth a line.
        for done in [self.publisher.republish_routes(&app, |_| ()).await, self.replace_preview(&handle).await]
        {
            if let Err(error) = done {
                tracing::warn!(release = %handle.id(), error = %error_chain(&error), "a release was taken in, but a later step failed");
            }
        }
        tracing::info!(release = %handle.id(), digest = %digest.short(), "a release was taken in");
        Ok(self.uploaded(&handle, true, options.deploy).await)
    }

    /// Gives the release that is there, if it has the same content, with the newest values.
    async fn upload_again(
        &self,
        existing: &Arc<ReleaseHandle>,
        digest: Digest,
        options: &UploadOptions,
    ) -> Result<Uploaded, ReleaseError> {
        let record = existing.record();
        idempotent_reupload(&record, digest, options.preview.as_ref())?;
        if record.state == ReleaseState::Pending || !existing.upload.keep() {
            // Its own deploy may still undo it, or does.
            return Err(unclaimed(&record.id, Unclaimed::Busy));
        }
        let renewed = self.values.renew_values(existing, options.boot_deadline).await?;
        let there = self.uploaded(existing, false, options.deploy).await;
        Ok(Uploaded { values_renewed: renewed, ..there })
    }

    async fn uploaded(&self, handle: &Arc<ReleaseHandle>, created: bool, deploy: u64) -> Uploaded {
        // A warning that can't be given is no reason to fail.
        let env_unset = match self.supervisor.names_set(handle).await {
            Ok(set) => diagnosis::unset(&handle.bundle.manifest.env, &set),
            Err(_) => Vec::new(),
        };
        let limits_lowered = diagnosis::lowered_wishes(handle).await;
        let release = self.views.view(handle);
        let status = handle.health_status.load(Ordering::Relaxed);
        let path = &handle.bundle.manifest.health.path;
        let health_missing =
            (400..500).contains(&status).then(|| HealthAnswer { path: path.clone(), status });
        Uploaded {
            created,
            values_renewed: false,
            deploy,
            release,
            env_unset,
            limits_lowered,
            health_missing,
        }
    }

    /// Records a release, boots it, and adds it to the registry. Not yet published.
    pub(super) async fn admit(
        &self,
        draft: Draft,
        boot_deadline: Duration,
        acknowledged: Acknowledged,
    ) -> Result<Arc<ReleaseHandle>, ReleaseError> {
        let (config, app) = (&self.config, draft.id.app.clone());
        let cpus = config.worker_of(&app).cpus;
        let limits =
            super::effective_limits::effective_limits(&draft.bundle.manifest.limits, &config.limits, cpus);
        let (preview, expires_ms) = draft.preview.unzip();
        let record = ReleaseRecord {
            spec_hash: draft.bundle.digest,
            digest: draft.bundle.digest,
            config_revision: 0,
            env_scope: draft.env_scope,
            preview,
            expires_ms,
            created_ms: self.clock.now_ms(),
            promoted_ms: None,
            rolled_back: false,
            state: ReleaseState::Pending,
            id: draft.id,
        };
        let (bundle, rules) = (Arc::clone(&draft.bundle), Arc::clone(config));
        let with_newest = move |newest| {
            let config_revision = draft.config_revision.unwrap_or(newest);
            let record = ReleaseRecord { config_revision, ..record.clone() };
            ReleaseRecord { spec_hash: spec_hash(&record, &bundle, &limits, &rules), ..record }
        };
        let record = self.record_release(&app, with_newest).await?;
        let life = Lifecycle::uploaded();
        let handle = ReleaseHandle::new(record.clone(), life, draft.bundle, draft.dir, &config.limits, cpus);
        draft.deploy.inspect(|deploy| handle.upload.begun_by(*deploy));
        // Others take bundles in while this one waits.
        drop(draft.kept);
        self.metrics.add_app(&record.id.app);
        if let Err(error) = self.start_admitted(&handle, boot_deadline, acknowledged).await {
            self.discard_failed_upload(&handle).await;
            // A removal of its app takes its record and its bundle away: what was lacking then says nothing.
            return Err(self.removed_meanwhile(&record.id).await.unwrap_or(error));
        }
        if !self.registry.take_in(&handle) {
            self.discard_failed_upload(&handle).await;
            return Err(self
                .removed_meanwhile(&record.id)
                .await
                .unwrap_or_else(|| self.registry.no_app(&record.id.app)));
        }
        // Another first upload of the same app may have failed meanwhile.
        self.metrics.add_app(&handle.id().app);
        self.deltas.begin(&handle);
        Ok(handle)
    }

    /// Says that the app of an upload was removed since that began, if it was.
    async fn removed_meanwhile(&self, release: &ReleaseId) -> Option<ReleaseError> {
        // A removal holds it until the registry knows of it, too.
        let _switching = self.registry.switching(&release.app).lock().await;
        if !self.registry.is_revoked(release) {
            return None;
        }
        Some(match self.registry.no_app(&release.app) {
            ReleaseError::NoApp(app) => ReleaseError::Refused(format!(
                "`{app}` was removed while `{release}` was being taken in; deploy it again if the app is to be there"
            )),
            kept => kept,
        })
    }

    async fn start_admitted(
        &self,
        handle: &Arc<ReleaseHandle>,
        boot_deadline: Duration,
        acknowledged: Acknowledged,
    ) -> Result<(), ReleaseError> {
        if acknowledged == Acknowledged::InPlace {
            // What users are about to get is started where there is no room, too.
            let _room = self.supervisor.make_room(handle, true).await.ok();
            return self.supervisor.ensure_worker(handle, boot_deadline, true).await;
        }
        let _room = self.supervisor.room_for_upload(handle).await?;
        self.supervisor.ensure_worker(handle, boot_deadline, true).await?;
        if acknowledged == Acknowledged::Promoted {
            return Ok(());
        }
        let id = handle.id();
        self.records
            .stored("recording the release", move |store| store.set_state(&id, ReleaseState::Ready))
            .await?;
        handle.update(|record| record.state = ReleaseState::Ready);
        Ok(())
    }

    /// Records a release. One of its name that the registry does not have lost its bundle: it makes room.
    async fn record_release(
        &self,
        app: &AppName,
        with_newest: impl Fn(u64) -> ReleaseRecord + Send + 'static,
    ) -> Result<ReleaseRecord, ReleaseError> {
        let app = app.clone();
        self.records
            .stored("recording the release", move |store| match store.insert_release_as(&app, &with_newest) {
                Err(StoreError::Exists(id)) => {
                    store.delete_release(&id)?;
                    store.insert_release_as(&app, &with_newest)
                }
                inserted => inserted,
            })
            .await
    }

    /// Takes back a release that was admitted and did not come as far as it should. One that an operator gave users meanwhile
    /// stays.
    pub(super) async fn discard_failed_upload(&self, handle: &Arc<ReleaseHandle>) {
        let id = handle.id();
        let recorded = id.clone();
        let undone =
            self.records.stored("undoing the release", move |store| store.delete_release(&recorded)).await;
        if let Err(error) = undone {
            tracing::warn!(release = %id, error = %error_chain(&error), "failed to delete a discarded release");
            if matches!(&error, ReleaseError::Store { source, .. } if matches!(**source, StoreError::Live(_)))
            {
                return;
            }
        }
        if self.registry.release(&id).is_some()
            && let Err(error) =
                self.publisher.republish_routes(&id.app, |registry| registry.remove(&id)).await
        {
            tracing::warn!(release = %id, error = %error_chain(&error), "failed to count a discarded release in the epoch");
        }
        let _boot = handle.boot.lock().await;
        self.supervisor.discard(handle).await;
        if let Err(error) =
            self.supervisor.apply(handle, Event::Removed { with_app: false }, Duration::ZERO).await
        {
            tracing::warn!(release = %id, error = %error_chain(&error), "failed to stop the worker of a discarded release");
        }
        self.supervisor.0.rooms.leave(&id);
        let metrics = &self.metrics;
        metrics.forget(handle.pool.series());
        if !self.registry.knows(&id.app) {
            metrics.forget_app(&id.app);
        }
    }

    /// The preview that had this name before is of no use any more.
    async fn replace_preview(&self, handle: &Arc<ReleaseHandle>) -> Result<(), ReleaseError> {
        let record = handle.record();
        let Some((name, _)) = record.as_preview() else { return Ok(()) };
        for older in self.registry.releases(&record.id.app) {
            let older_record = older.record();
            let same_name = older_record.as_preview().is_some_and(|(older_name, _)| older_name == name);
            if same_name && !Arc::ptr_eq(&older, handle) {
                match self.remover.remove(older_record.id).await {
                    Err(error) if !error.is_no_release() => return Err(error),
                    // It may have been its time just now.
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// The contract's example value: three days outlive a weekend.
const DEFAULT_PREVIEW_TTL: Duration = Duration::from_secs(72 * 3600);
