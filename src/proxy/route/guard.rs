//! Who may look at releases that users never got: those who know the operator's password, or have a link that was made with it.

use super::Target;
use ring::hmac;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use vitrine_core::config::PreviewRules;
use vitrine_core::id::AppName;
use vitrine_core::limits::PREVIEW_PASSWORD_BYTES_MIN;

/// The parameter of a link that holds a pass.
pub const PASS_PARAMETER: &str = "__vitrine_pass";
/// Bytes of a pass: more than can be guessed.
const PASS_BYTES: usize = 16;

/// Why previews can't be guarded.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The file can't be read.
    #[error("the password of previews can't be read from {}", path.display())]
    Read {
        /// File.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// The file is open to everybody.
    #[error("{} can be read by other users (mode {mode:03o}); run `chmod 600 {}`", path.display(), path.display())]
    Exposed {
        /// File.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It would be guessed.
    #[error("{} holds a password of fewer than {PREVIEW_PASSWORD_BYTES_MIN} bytes; write a longer one, such as `openssl rand -base64 24` prints", .0.display())]
    Short(PathBuf),
}

/// The password, as it is compared and as passes are made of it.
pub struct Guard {
    password: [u8; 32],
    passes: hmac::Key,
    apps: Option<Vec<AppName>>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("apps", &self.apps).finish_non_exhaustive()
    }
}

impl Guard {
    /// The guard that the operator asks for, if one is. `secret` is random and this host's: without it the
    /// holder of one link could try passwords offline.
    ///
    /// # Errors
    /// See [`GuardError`].
    pub fn load(rules: &PreviewRules, secret: &[u8]) -> Result<Option<Arc<Self>>, GuardError> {
        let Some(path) = &rules.password_file else { return Ok(None) };
        let password = read(path)?;
        let guard = Self::new(&password, rules.apps.clone());
        let passes = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&guard.passes, secret).as_ref());
        Ok(Some(Arc::new(Self { passes, ..guard })))
    }

    /// With this password, for these apps or for all.
    #[must_use]
    pub fn new(password: &str, apps: Option<Vec<AppName>>) -> Self {
        let passes = hmac::Key::new(hmac::HMAC_SHA256, password.as_bytes());
        Self { password: Sha256::digest(password).into(), passes, apps }
    }

    /// Whether a release of this app that users never got is guarded.
    #[must_use]
    pub fn watches(&self, app: &AppName) -> bool {
        self.apps.as_ref().is_none_or(|apps| apps.contains(app))
    }

    /// Whether a release may be seen with a pass or the password only. What users have or had is no secret.
    #[must_use]
    pub fn asks_for(&self, target: &Target) -> bool {
        !target.was_live && self.watches(&target.release.app)
    }

    /// Whether this is the password, in a time that does not depend on where it differs.
    #[must_use]
    pub fn knows(&self, shown: &[u8]) -> bool {
        let shown: [u8; 32] = Sha256::digest(shown).into();
        shown.ct_eq(&self.password).into()
    }

    /// The pass for one host name. It tells neither the password nor another name's pass, and ends with the password.
    #[must_use]
    pub fn pass(&self, host: &str) -> String {
        let tag = hmac::sign(&self.passes, format!("vitrine preview 1\0{host}").as_bytes());
        hex::encode(&tag.as_ref()[..PASS_BYTES])
    }

    /// Whether this is the pass for a host name, in a time that does not depend on where it differs.
    #[must_use]
    pub fn is_pass(&self, host: &str, shown: &str) -> bool {
        shown.as_bytes().ct_eq(self.pass(host).as_bytes()).into()
    }
}

fn read(path: &Path) -> Result<String, GuardError> {
    let failed = |source| GuardError::Read { path: path.to_owned(), source };
    let text = fs::read_to_string(path).map_err(failed)?;
    let mode = fs::metadata(path).map_err(failed)?.mode() & 0o777;
    if mode & 0o007 != 0 {
        return Err(GuardError::Exposed { path: path.to_owned(), mode });
    }
    let password = text.lines().next().unwrap_or_default().trim();
    if password.len() < PREVIEW_PASSWORD_BYTES_MIN {
        return Err(GuardError::Short(path.to_owned()));
    }
    Ok(password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_pass_is_for_one_host_name_and_one_password() {
        let (guard, other) = (Guard::new("a long password", None), Guard::new("another password", None));
        let pass = guard.pass("shop-pr-1.localhost");
        assert!(guard.is_pass("shop-pr-1.localhost", &pass));
        for (guard, host, pass) in [
            (&guard, "shop-pr-2.localhost", pass.as_str()),
            (&other, "shop-pr-1.localhost", &pass),
            (&guard, "shop-pr-1.localhost", &pass[1..]),
            (&guard, "shop-pr-1.localhost", ""),
            (&guard, "shop-pr-1.localhost", "a long password"),
        ] {
            assert!(!guard.is_pass(host, pass), "{host} {pass}");
        }
        assert!(guard.knows(b"a long password") && !guard.knows(b"") && !other.knows(b"a long password"));
    }

    #[test]
    fn a_file_that_others_read_or_that_is_short_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        let rules = PreviewRules { password_file: Some(file.clone()), apps: None };
        assert!(matches!(Guard::load(&rules, b"secret"), Err(GuardError::Read { .. })));
        let write = |text: &str, mode| {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            Guard::load(&rules, b"secret")
        };
        assert!(matches!(
            write("long enough to be one\n", 0o644),
            Err(GuardError::Exposed { mode: 0o644, .. })
        ));
        assert!(matches!(write("short\nand another line\n", 0o600), Err(GuardError::Short(_))));
        let guard = write("long enough to be one\n", 0o600).unwrap().unwrap();
        assert!(guard.knows(b"long enough to be one"));
        // The same password gives other passes on another host, and again the same ones on this.
        let pass = guard.pass("shop-pr-1.localhost");
        let elsewhere = Guard::load(&rules, b"another").unwrap().unwrap();
        assert!(!elsewhere.is_pass("shop-pr-1.localhost", &pass));
        assert!(!Guard::new("long enough to be one", None).is_pass("shop-pr-1.localhost", &pass));
        assert!(Guard::load(&rules, b"secret").unwrap().unwrap().is_pass("shop-pr-1.localhost", &pass));
        assert!(Guard::load(&PreviewRules::default(), b"secret").unwrap().is_none());
    }
}
