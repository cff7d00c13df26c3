//! What a release is to its app, which release a name leads to, and what a switch means to the deployments of an app.

use super::Registry;
use crate::release::ReleaseError;
use crate::release::deployment::Event;
use crate::release::release_handle::ReleaseHandle;
use std::collections::BTreeSet;
use std::sync::Arc;
use vitrine_core::failpoint::{self, Fault};
use vitrine_core::id::{AppName, Digest, ReleaseId, Version};
use vitrine_core::telemetry::Figures;
use vitrine_store::PromotionKind;

impl Registry {
    pub(in crate::release) fn still_live(&self, live: &Arc<ReleaseHandle>) -> Result<(), ReleaseError> {
        let app = live.id().app;
        if self.live(&app).is_some_and(|now| Arc::ptr_eq(&now, live)) {
            return Ok(());
        }
        if !self.knows(&app) {
            return Err(self.no_app(&app));
        }
        Err(ReleaseError::Refused(format!(
            "the live release of `{app}` changed meanwhile; look at `vitrine status {app}` and try again"
        )))
    }

    /// Whether a release is there still: it may have been removed, and its name be another's by now.
    pub(in crate::release) fn still_there(&self, handle: &Arc<ReleaseHandle>) -> Result<(), ReleaseError> {
        let id = handle.id();
        match Arc::ptr_eq(&self.find(&id)?, handle) {
            true => Ok(()),
            false => Err(ReleaseError::Refused(format!(
                "`{id}` was removed meanwhile, and its name was given to another release"
            ))),
        }
    }

    /// What a rollback that names no version goes to: the end of a share of the users, else an earlier live release.
    pub(in crate::release) fn rollback_target(&self, app: &AppName) -> Option<Version> {
        let live = self.live(app)?.id().version;
        if self.candidate(app).is_some() { Some(live) } else { self.earlier(app, &live) }
    }

    /// The live release before `live` that a rollback goes to.
    pub(in crate::release) fn earlier(&self, app: &AppName, live: &Version) -> Option<Version> {
        let had_users = self.had_users(app);
        // Of most apps that are listed there is none, and a history is long.
        let any = had_users.iter().any(|version| version != live);
        if !any {
            return None;
        }
        let is_bad = |version: &Version| self.bad(&ReleaseId::new(app.clone(), version.clone())).is_some();
        let good = had_users.into_iter().filter(|version| !is_bad(version)).collect();
        crate::release::rollback_target::rollback_target(&self.history(app), live, &good)
    }

    /// The releases that an app's users had, all of them or a share: a rollback goes to no other. A name in the history alone may be
    /// another release's by now.
    pub(in crate::release) fn had_users(&self, app: &AppName) -> BTreeSet<Version> {
        let releases = self.releases(app);
        releases.iter().filter(|handle| handle.had_users()).map(|handle| handle.id().version).collect()
    }

    /// The release that a version or a preview's name leads to; what is unknown stays as it is.
    pub(in crate::release) fn named(&self, release: ReleaseId) -> ReleaseId {
        if self.release(&release).is_some() {
            return release;
        }
        self.preview(&release.app, &release.version).map_or(release, |handle| handle.id())
    }

    /// A release, or which part of its name is unknown.
    pub(in crate::release) fn find(&self, release: &ReleaseId) -> Result<Arc<ReleaseHandle>, ReleaseError> {
        if !self.knows(&release.app) {
            return Err(self.no_app(&release.app));
        }
        self.release(release).ok_or_else(|| ReleaseError::NoRelease(release.clone()))
    }

    /// The release that has a share of its app's users.
    pub(in crate::release) fn candidate(
        &self,
        app: &vitrine_core::id::AppName,
    ) -> Option<Arc<ReleaseHandle>> {
        let split = self.split(app)?;
        self.release(&ReleaseId::new(app.clone(), split.version))
    }

    /// Whether users are sent to a release.
    pub(in crate::release) fn gets_requests(&self, handle: &Arc<ReleaseHandle>) -> bool {
        let app = handle.id().app;
        let gets = [self.live(&app), self.candidate(&app)];
        gets.iter().flatten().any(|one| Arc::ptr_eq(one, handle))
    }

    /// Whether a release is one of those that keep their workers without requests. What a bake goes back to is one.
    pub(in crate::release) fn is_wanted(&self, handle: &Arc<ReleaseHandle>) -> bool {
        let id = handle.id();
        self.wanted(&id.app).iter().any(|one| Arc::ptr_eq(one, handle)) || self.is_baking(&id)
    }

    /// Those that users get, and the one that a rollback would go to.
    pub(in crate::release) fn wanted(&self, app: &AppName) -> Vec<Arc<ReleaseHandle>> {
        let Some(live) = self.live(app) else { return Vec::new() };
        let standby = self.earlier(app, &live.id().version);
        let standby = standby.and_then(|version| self.release(&ReleaseId::new(app.clone(), version)));
        [Some(live), self.candidate(app), standby].into_iter().flatten().collect()
    }

    pub(in crate::release) fn is_gone(&self, app: &AppName) -> bool {
        !self.knows(app) || self.removed(app).is_some()
    }

    /// There is no such app, or not any more.
    pub(in crate::release) fn no_app(&self, app: &AppName) -> ReleaseError {
        match self.removed(app) {
            Some(removed) => ReleaseError::Removed { app: app.clone(), until: removed.until() },
            None => ReleaseError::NoApp(app.clone()),
        }
    }

    /// Refuses what would make an app of this name anew while the one that was removed is kept: that would be lost.
    pub(in crate::release) fn refuse_kept(&self, app: &AppName) -> Result<(), ReleaseError> {
        let Some(removed) = self.removed(app) else { return Ok(()) };
        Err(ReleaseError::Refused(format!(
            "`{app}` was removed and is kept until {}: `vitrine restore {app}` brings it back, `vitrine remove {app} --now` drops it \
             for good, and then the name can be used again",
            removed.until()
        )))
    }

    /// A release, which must have this content if one is asked for.
    pub(in crate::release) fn find_content(
        &self,
        release: &ReleaseId,
        digest: Option<Digest>,
    ) -> Result<Arc<ReleaseHandle>, ReleaseError> {
        let handle = self.find(release)?;
        let existing = handle.record().digest;
        match digest {
            Some(digest) if digest != existing => Err(ReleaseError::Refused(format!(
                "`{release}` has other content ({existing}) than what was to be promoted ({digest}): its name was given to another \
                 release"
            ))),
            _ => Ok(handle),
        }
    }

    /// The release that one is compared with that is about to become live, and its figures. Where only the values of `after` are
    /// changed while that one bakes, the bake goes on: it is what `after` is compared with.
    pub(in crate::release) fn compared_with(
        &self,
        app: &AppName,
        after: Option<&Arc<ReleaseHandle>>,
    ) -> (Option<Version>, Figures) {
        let bakes = |after: &Arc<ReleaseHandle>| {
            let of_it = self.deployments(app).into_iter().find(|one| one.release == after.id())?;
            let standing = of_it.standing();
            let bakes = standing.progress.has_shifted() && !standing.progress.is_over();
            (bakes && standing.previous.is_some()).then_some((standing.previous, standing.baseline))
        };
        after.and_then(bakes).unwrap_or_else(|| {
            let live = self.live(app);
            let baseline = live.as_ref().map(|live| self.recent_figures(live)).unwrap_or_default();
            (live.map(|live| live.id().version), baseline)
        })
    }

    /// The deploy of this number is where users are: those that began before it and have not come to their switch end where they
    /// are.
    pub(in crate::release) fn went_live(&self, release: &ReleaseId, number: Option<u64>) {
        self.set_newest_deploy(release, number);
        for one in self.deployments(&release.app) {
            let progress = one.standing().progress;
            let earlier = one.number.zip(number).is_some_and(|(one, this)| one < this);
            if earlier && !progress.has_shifted() && !progress.is_over() {
                one.happens(Event::Superseded, Some(format!("`{}` went live", release.version)));
            }
        }
    }

    pub(in crate::release) fn is_live(&self, handle: &Arc<ReleaseHandle>) -> bool {
        self.live(&handle.id().app).is_some_and(|live| Arc::ptr_eq(&live, handle))
    }

    /// Tells the deployments of an app that another release is live: those under way are over. The caller holds the switching
    /// lock.
    pub(in crate::release) fn supersede(&self, live: &ReleaseId, left: &Version, kind: PromotionKind) {
        for one in self.deployments(&live.app) {
            let progress = one.standing().progress;
            if one.release == *live || progress.is_over() || !progress.has_shifted() {
                continue;
            }
            let live = &live.version;
            let (event, reason) = match kind {
                PromotionKind::Rollback if *left == one.release.version => {
                    (Event::RolledBackFrom, format!("rolled back to `{live}`"))
                }
                PromotionKind::Reconfigure => (
                    Event::Superseded,
                    format!("its values changed: `{live}` went live and goes on with the bake"),
                ),
                _ => (Event::Superseded, format!("`{live}` went live")),
            };
            one.happens(event, Some(reason));
        }
    }

    /// Whether an unfinished deployment needs a release: it is its own, or the one to go back to.
    pub(in crate::release) fn is_baking(&self, id: &ReleaseId) -> bool {
        self.deployments(&id.app).iter().any(|one| {
            let standing = one.standing();
            !standing.progress.is_over()
                && (one.release == *id || standing.previous.as_ref() == Some(&id.version))
        })
    }

    /// Whether a deploy comes too late, or brings what is known to be bad. An operator's own promotion may do both.
    pub(in crate::release) fn refuse_deploy(
        &self,
        release: &ReleaseId,
        deploy: Option<u64>,
    ) -> Result<(), ReleaseError> {
        let Some(number) = deploy else { return Ok(()) };
        if failpoint::at("deploy.order") == Some(Fault::Skip) {
            return Ok(());
        }
        if let Some((newest, version)) = self.newest_deploy(&release.app)
            && newest > number
        {
            return Err(ReleaseError::Superseded { release: release.clone(), by: version });
        }
        match self.bad(release) {
            None => Ok(()),
            Some(reason) => Err(ReleaseError::Refused(format!(
                "`{release}` is marked as bad ({reason}); deploy another version, or take the mark off with \
                 `vitrine promote {} {}`",
                release.app, release.version
            ))),
        }
    }

    /// Figures of a release in the last minutes.
    pub(in crate::release) fn recent_figures(&self, handle: &ReleaseHandle) -> Figures {
        handle.pool.series().sample().since(&handle.window().beginning())
    }
}
