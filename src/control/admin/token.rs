//! The bearer token of the admin side.

use nix::unistd::geteuid;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use subtle::ConstantTimeEq as _;
use vitrine_core::files::Replace;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file can't be read.
    #[error("the admin token can't be read from {path}")]
    Read {
        /// File.
        path: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// The file can't be made.
    #[error("the admin token can't be written to {path}")]
    Write {
        /// File.
        path: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error(
        "{path} does not hold a token (`vt_` and 64 hexadecimal digits); remove it and a new one is made"
    )]
    Malformed {
        /// File.
        path: PathBuf,
    },
    /// The file is another user's, who knows what is in it.
    #[error("{path} belongs to user {owner}; remove it and a new one is made")]
    Foreign {
        /// File.
        path: PathBuf,
        /// User.
        owner: u32,
    },
    /// Other users can read the file.
    #[error(
        "{path} can be read by other users (mode {mode:03o}); run `chmod 600 {path}`, or remove it to get a new token"
    )]
    Exposed {
        /// File.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// What a caller has to show. Only its SHA-256 is kept in memory.
#[derive(Clone)]
pub struct Token([u8; 32]);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// The token with this text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// Reads the token from its file; makes both, mode 0600, if there is no file.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn load_or_create(path: &Path) -> Result<Self, TokenError> {
        match Self::load(path)? {
            Some(token) => Ok(token),
            None => create(path).map_err(|source| TokenError::Write { path: path.into(), source }),
        }
    }

    /// Reads the token from its file, if there is one.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn load(path: &Path) -> Result<Option<Self>, TokenError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(TokenError::Read { path: path.into(), source }),
        };
        let found = fs::metadata(path).map_err(|source| TokenError::Read { path: path.into(), source })?;
        let (owner, mode) = (found.uid(), found.mode() & 0o777);
        if owner != geteuid().as_raw() && owner != 0 {
            return Err(TokenError::Foreign { path: path.into(), owner });
        }
        if mode & 0o077 != 0 {
            return Err(TokenError::Exposed { path: path.into(), mode });
        }
        let text = text.trim();
        let digits = text.strip_prefix("vt_").unwrap_or_default();
        if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(TokenError::Malformed { path: path.into() });
        }
        Ok(Some(Self::new(text)))
    }

    /// Whether this is the token, in a time that does not depend on where it differs.
    #[must_use]
    pub fn matches(&self, shown: &str) -> bool {
        Self::new(shown).0.ct_eq(&self.0).into()
    }
}

fn create(path: &Path) -> std::io::Result<Token> {
    let text = format!("vt_{}", hex::encode(rand::random::<[u8; 32]>()));
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    Replace::private(path, "token").put(path, format!("{text}\n").as_bytes())?;
    Ok(Token::new(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_first_start_makes_a_private_token_and_the_next_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data/admin.token");
        let made = Token::load_or_create(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(made.matches(text.trim()));
        assert!(!made.matches("") && !made.matches("vt_"));
        assert!(Token::load_or_create(&path).unwrap().matches(text.trim()));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_no_token_or_open_to_others_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("admin.token");
        fs::write(&path, "secret\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(Token::load_or_create(&path), Err(TokenError::Malformed { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Token::load_or_create(&path), Err(TokenError::Exposed { mode: 0o644, .. })));
        if geteuid().is_root() {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
            assert!(matches!(Token::load_or_create(&path), Err(TokenError::Foreign { owner: 65_534, .. })));
        }
    }
}
