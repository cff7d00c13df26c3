//! Everything that the admin side may ask for, as one closed list.

use crate::bundle::{Bundle, BundleDir};
use crate::id::{AppName, ReleaseId, Version};
use crate::release::{
    AppView, EnvView, PromoteOptions, ReleaseError, ReleaseView, Releases, Switched, UploadOptions, Uploaded,
};
use crate::route::split::Weight;

/// A request whose every part is valid.
#[derive(Debug)]
pub enum Action {
    /// Every app.
    ListApps,
    /// One app.
    ShowApp(AppName),
    /// One release.
    ShowRelease(ReleaseId),
    /// Take a bundle in and boot it.
    Upload {
        /// Name of the release.
        release: ReleaseId,
        /// Unpacked and checked bundle in the staging folder.
        staged: Box<(BundleDir, Bundle)>,
        /// See [`UploadOptions`].
        options: UploadOptions,
    },
    /// Make a release live.
    Promote {
        /// Which.
        release: ReleaseId,
        /// Share of the users that get it; all of them if absent.
        weight: Option<Weight>,
        /// See [`PromoteOptions`].
        options: PromoteOptions,
    },
    /// Make an earlier release live.
    Rollback {
        /// App.
        app: AppName,
        /// Which; the host picks if absent.
        to: Option<Version>,
        /// Refuse unless this one is live.
        from: Option<Version>,
    },
    /// Remove one release.
    RemoveRelease(ReleaseId),
    /// Remove an app and all its releases.
    RemoveApp(AppName),
    /// Names of an app's environment.
    ListEnv(AppName),
    /// Set a value of an app's environment, or unset it.
    SetEnv {
        /// App.
        app: AppName,
        /// Name.
        name: String,
        /// Value; none unsets.
        value: Option<String>,
        /// Whether it is never shown again.
        secret: bool,
    },
}

/// What an [`Action`] gave.
#[derive(Debug)]
pub enum Outcome {
    /// Done, nothing to tell.
    Done,
    /// Every app.
    Apps(Vec<AppView>),
    /// One app.
    App(AppView),
    /// One release.
    Release(ReleaseView),
    /// A bundle was taken in, or was there already.
    Uploaded(Uploaded),
    /// Another release is live.
    Switched(Switched),
    /// An environment was changed; the switch that it caused, if a release was live.
    EnvChanged(Option<Switched>),
    /// An environment.
    Env(Vec<EnvView>),
}

/// Carries an action out.
///
/// # Errors
/// See [`ReleaseError`]; nothing has changed then.
pub async fn dispatch(releases: &Releases, action: Action) -> Result<Outcome, ReleaseError> {
    Ok(match action {
        Action::ListApps => Outcome::Apps(releases.apps()),
        Action::ShowApp(app) => Outcome::App(releases.app(&app)?),
        Action::ShowRelease(id) => Outcome::Release(find_release(releases, id)?),
        Action::Upload { release, staged, options } => {
            let ReleaseId { app, version } = release;
            Outcome::Uploaded(releases.upload(app, Some(version), *staged, options).await?)
        }
        Action::Promote { release, weight: None, options } => {
            Outcome::Switched(releases.promote(release, options).await?)
        }
        Action::Promote { release, weight: Some(weight), options } => {
            Outcome::Switched(releases.promote_weighted(release, weight, options.boot_deadline).await?)
        }
        Action::Rollback { app, to, from } => Outcome::Switched(releases.rollback(app, to, from).await?),
        Action::RemoveRelease(id) => {
            releases.remove(id.app, Some(id.version)).await?;
            Outcome::Done
        }
        Action::RemoveApp(app) => {
            releases.remove(app, None).await?;
            Outcome::Done
        }
        Action::ListEnv(app) => Outcome::Env(releases.env(&app).await?),
        Action::SetEnv { app, name, value, secret } => {
            Outcome::EnvChanged(releases.set_env(app, name, value, secret).await?)
        }
    })
}

fn find_release(releases: &Releases, id: ReleaseId) -> Result<ReleaseView, ReleaseError> {
    let app = releases.app(&id.app)?;
    app.releases
        .into_iter()
        .find(|release| release.version == id.version.as_str())
        .ok_or(ReleaseError::NoRelease(id))
}
