//! Everything that the admin side may ask for, as one closed list.

use crate::admin::access::Caller;
use crate::admin::apps::AppList;
use crate::admin::audit::AuditPage;
use crate::admin::perform::record;
use crate::admin::problem::{Kind, Problem};
use crate::admin::router::AdminState;
use crate::release::{
    AppView, AppsPage, EnvChange, EnvView, PromoteOptions, ReleaseView, RemoveOptions, Switched,
    UploadOptions, Uploaded,
};
use vitrine_bundle::{Bundle, BundleDir, Scale};
use vitrine_core::audit::{AuditAction, AuditResult, Event};
use vitrine_core::id::{AppName, Digest, ReleaseId, TokenName, Version};
use vitrine_core::scope::Verb;
use vitrine_proxy::route::split::Weight;
use vitrine_store::{EnvEdit, EnvScope, Rotated, TokenRecord};

/// A request whose every part is valid.
#[derive(Debug)]
pub enum Action {
    /// Apps.
    ListApps {
        /// Which.
        page: AppsPage,
        /// A line each.
        short: bool,
    },
    /// One app.
    ShowApp(AppName),
    /// One release.
    ShowRelease(ReleaseId),
    /// Say whether a bundle would be taken in.
    CheckUpload {
        /// Name of the release.
        release: ReleaseId,
        /// Digest of the bundle.
        digest: Digest,
        /// Its files together, in bytes.
        bytes: u64,
        /// Name of the preview that it is to be.
        preview: Option<Version>,
        /// Whether its sender may decide what users get.
        may_promote: bool,
    },
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
    RemoveRelease {
        /// Which.
        release: ReleaseId,
        /// Whether anything but a preview is refused.
        previews_only: bool,
        /// Whether one is refused that a bake needs.
        spares_baking: bool,
    },
    /// Remove an app and all its releases.
    RemoveApp {
        /// App.
        app: AppName,
        /// See [`RemoveOptions`].
        how: RemoveOptions,
    },
    /// Apps that were removed and can be restored.
    ListRemoved,
    /// Bring a removed app back.
    RestoreApp(AppName),
    /// Set how many instances an app has; none leaves it to its bundles.
    Scale {
        /// App.
        app: AppName,
        /// How many.
        scale: Option<Scale>,
    },
    /// Names of an app's environment.
    ListEnv(AppName, EnvScope),
    /// Change values of an app's environment.
    ChangeEnv {
        /// App.
        app: AppName,
        /// Whose values.
        scope: EnvScope,
        /// How.
        change: EnvEdit,
    },
    /// Something with tokens.
    Token(TokenAction),
    /// Encrypt the values of environments under a new key.
    RotateKey,
    /// Records of the audit log behind this one.
    ListAudit(u64),
}

impl Action {
    /// What the audit log has to say about this, if it is refused: the reason is to be added to its detail. None where it
    /// changes nothing.
    #[must_use]
    pub fn refused(&self) -> Option<Event> {
        let (what, app, version, more) = match self {
            Self::ListApps { .. }
            | Self::ListRemoved
            | Self::ShowApp(_)
            | Self::ShowRelease(_)
            | Self::ListEnv(..)
            | Self::ListAudit(_)
            | Self::Token(TokenAction::List) => return None,
            Self::Upload { release: id, .. } | Self::CheckUpload { release: id, .. } => {
                (AuditAction::Deploy, Some(&id.app), Some(&id.version), None)
            }
            Self::Promote { release: id, .. } => {
                (AuditAction::Promote, Some(&id.app), Some(&id.version), None)
            }
            Self::Rollback { app, to, .. } => (AuditAction::Rollback, Some(app), to.as_ref(), None),
            Self::RemoveRelease { release: id, .. } => {
                (AuditAction::Remove, Some(&id.app), Some(&id.version), None)
            }
            Self::RemoveApp { app, .. } => (AuditAction::Remove, Some(app), None, None),
            Self::Scale { app, .. } => (AuditAction::Scale, Some(app), None, None),
            Self::RestoreApp(app) => (AuditAction::Restore, Some(app), None, None),
            Self::ChangeEnv { app, change, .. } => {
                (change.what(), Some(app), None, Some(change.names().join(", ")))
            }
            Self::Token(TokenAction::Create(token)) => {
                (AuditAction::TokenCreate, None, None, Some(token.name.to_string()))
            }
            Self::RotateKey => (AuditAction::KeyRotate, None, None, None),
            Self::Token(TokenAction::Revoke(name)) => {
                (AuditAction::TokenRevoke, None, None, Some(name.to_string()))
            }
        };
        let (app, version) = (app.cloned(), version.cloned());
        Some(Event { what, app, version, detail: more, came: AuditResult::Refused })
    }
}

/// What may be asked for with tokens.
#[derive(Debug)]
pub enum TokenAction {
    /// Every token but the host's own.
    List,
    /// Make one.
    Create(TokenRecord),
    /// Revoke one.
    Revoke(TokenName),
}

/// What an [`Action`] gave.
#[derive(Debug)]
pub enum Outcome {
    /// Done, nothing to tell.
    Done,
    /// Apps.
    Apps(AppList),
    /// One app.
    App(AppView),
    /// One release.
    Release(ReleaseView),
    /// A bundle was taken in, or was there already.
    Uploaded(Uploaded),
    /// Another release is live.
    Switched(Switched),
    /// An environment was changed; the switch that it caused, if a release was live.
    EnvChanged(EnvChange),
    /// An environment.
    Env(Vec<EnvView>),
    /// Every token.
    Tokens(Vec<TokenRecord>),
    /// A token, and whether it is new.
    Token(TokenRecord, bool),
    /// Values are encrypted under another key.
    KeyRotated(Rotated),
    /// Part of the audit log.
    Audit(AuditPage),
}

/// Carries an action out.
///
/// # Errors
/// See [`Problem`]; nothing has changed then.
pub async fn dispatch(state: &AdminState, action: Action) -> Result<Outcome, Problem> {
    let releases = &state.releases;
    Ok(match action {
        Action::ListApps { page, short: false } => {
            Outcome::Apps(AppList::Full(releases.apps(&page, may_be_shown())))
        }
        Action::ListApps { page, short: true } => {
            Outcome::Apps(AppList::Short(releases.app_summaries(&page, may_be_shown())))
        }
        Action::ShowApp(app) => Outcome::App(releases.app(&app)?),
        Action::ShowRelease(id) => Outcome::Release(releases.release(&releases.named(id))?),
        Action::CheckUpload { release, digest, bytes, preview, may_promote } => {
            releases.check_upload(release, preview, digest, bytes, may_promote).await?;
            Outcome::Done
        }
        Action::Upload { release, staged, options } => {
            let ReleaseId { app, version } = release;
            Outcome::Uploaded(releases.upload(app, Some(version), *staged, options).await?)
        }
        Action::Promote { release, weight: None, options } => {
            Outcome::Switched(releases.promote(releases.named(release), options).await?)
        }
        Action::Promote { release, weight: Some(weight), options } => {
            let release = releases.named(release);
            Outcome::Switched(releases.promote_weighted(release, weight, options).await?)
        }
        Action::Rollback { app, to, from } => {
            let to = to.map(|to| releases.named(ReleaseId::new(app.clone(), to)).version);
            Outcome::Switched(releases.rollback(app, to, from).await?)
        }
        Action::RemoveRelease { release, previews_only, spares_baking } => {
            let release = releases.named(release);
            if previews_only && !releases.is_preview(&release)? {
                let text = format!("`{release}` is no preview, and the token may remove previews only");
                return Err(Problem::new(Kind::Forbidden, text));
            }
            if spares_baking && releases.is_baking(&release) {
                let text = format!(
                    "`{release}` is needed until the bake of the live release is over, which is rolled back if it fails; remove it \
                     after that, or with a token that allows `promote` or `rollback`"
                );
                return Err(Problem::new(Kind::Refused, text));
            }
            releases.remove(release).await?;
            Outcome::Done
        }
        Action::RemoveApp { app, how } => {
            releases.remove_app(app.clone(), how).await?;
            state.deployments.forget_app(&app);
            Outcome::Done
        }
        Action::ListRemoved => Outcome::Apps(AppList::Removed(releases.removed_apps(may_be_shown()))),
        Action::RestoreApp(app) => Outcome::App(releases.restore_app(app).await?),
        Action::Scale { app, scale } => {
            releases.set_scale(&app, scale).await?;
            Outcome::App(releases.app(&app)?)
        }
        Action::ListEnv(app, scope) => Outcome::Env(releases.env(&app, scope).await?),
        Action::ChangeEnv { app, scope, change } => {
            Outcome::EnvChanged(releases.change_env(app, scope, change).await?)
        }
        Action::Token(action) => with_tokens(state, action).await?,
        Action::RotateKey => Outcome::KeyRotated(record(state, |store| store.rotate_key()).await?),
        Action::ListAudit(after) => {
            let (records, head) = record(state, move |store| store.audit(after)).await?;
            Outcome::Audit(AuditPage { records, head })
        }
    })
}

/// The apps that the caller may see.
pub(super) fn may_be_shown() -> impl Fn(&AppName) -> bool {
    may_be_shown_to(Caller::current())
}

/// The apps that a caller may see.
pub(super) fn may_be_shown_to(caller: Option<Caller>) -> impl Fn(&AppName) -> bool {
    move |app| caller.as_ref().is_none_or(|caller| caller.may(Verb::Read, Some(app)))
}

async fn with_tokens(state: &AdminState, action: TokenAction) -> Result<Outcome, Problem> {
    Ok(match action {
        TokenAction::List => {
            Outcome::Tokens(state.access.change(&state.store, |store| store.tokens()).await?)
        }
        TokenAction::Create(record) => {
            let made = record.clone();
            let created = state.access.change(&state.store, move |store| store.create_token(&made)).await?;
            Outcome::Token(record, created)
        }
        TokenAction::Revoke(name) => {
            let gone = name.clone();
            if !state.access.change(&state.store, move |store| store.revoke_token(&gone)).await? {
                return Err(Problem::new(Kind::NoToken, format!("there is no token `{name}`")));
            }
            Outcome::Done
        }
    })
}
