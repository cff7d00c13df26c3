//! Users and passwords in a file, one `USER:PASSWORD` a line.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use subtle::{Choice, ConstantTimeEq as _};

/// Why such a file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum BasicAuthError {
    /// It can't be read.
    #[error("{} can't be read", path.display())]
    Read {
        /// File.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// A line is no `USER:PASSWORD`.
    #[error("{}:{line} is no USER:PASSWORD", path.display())]
    Line {
        /// File.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
    },
    /// There is nobody in it.
    #[error("{} names no user", .0.display())]
    Nobody(PathBuf),
}

/// Who is let in, as digests of `USER:PASSWORD`.
#[derive(PartialEq, Eq)]
pub(super) struct Users(Box<[[u8; 32]]>);

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Users").field(&self.0.len()).finish()
    }
}

impl Users {
    pub(super) fn load(path: &Path) -> Result<Self, BasicAuthError> {
        let text = fs::read_to_string(path)
            .map_err(|source| BasicAuthError::Read { path: path.to_owned(), source })?;
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        let users =
            lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).map(|(line, text)| {
                let has_both =
                    text.split_once(':').is_some_and(|(user, word)| !user.is_empty() && !word.is_empty());
                let digest = has_both.then(|| Sha256::digest(text).into());
                digest.ok_or_else(|| BasicAuthError::Line { path: path.to_owned(), line })
            });
        let users: Box<[[u8; 32]]> = users.collect::<Result<_, _>>()?;
        if users.is_empty() { Err(BasicAuthError::Nobody(path.to_owned())) } else { Ok(Self(users)) }
    }

    /// None at all.
    pub(super) fn nobody() -> Self {
        Self(Box::default())
    }

    /// Whether an `Authorization` header is of one of them, in a time that does not depend on which.
    pub(super) fn knows(&self, shown: Option<&HeaderValue>) -> bool {
        let shown = shown.and_then(|value| value.to_str().ok());
        let Some((scheme, credentials)) = shown.and_then(|shown| shown.split_once(' ')) else { return false };
        let Ok(pair) = BASE64_STANDARD.decode(credentials.trim()) else { return false };
        let shown: [u8; 32] = Sha256::digest(pair).into();
        let known = self.0.iter().fold(Choice::from(0), |known, user| known | user.ct_eq(&shown));
        scheme.eq_ignore_ascii_case("basic") && known.into()
    }
}
