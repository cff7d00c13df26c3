//! Names: parsed once, valid from then on.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not `[a-z][a-z0-9-]{0,38}`.
    #[error("`{0}` is not an app name: a lower-case letter, then up to 38 of a-z, 0-9 and -")]
    App(String),
    /// Not `[a-zA-Z0-9._-]{1,64}`.
    #[error("`{0}` is not a version or preview name: 1 to 64 of a-z, A-Z, 0-9, `.`, `_` and -")]
    Version(String),
    /// Not `[a-z][a-z0-9-]{0,38}`, or a name that means somebody else.
    #[error(
        "`{0}` is not a token name: a lower-case letter, then up to 38 of a-z, 0-9 and -; not `host`, not `root`"
    )]
    Token(String),
    /// Not `APP@VERSION`.
    #[error("`{0}` is not APP@VERSION")]
    Release(String),
    /// Not 64 hexadecimal digits.
    #[error("`{0}` is not a SHA-256 digest")]
    Digest(String),
    /// Not an instance id.
    #[error("`{0}` is not an instance id")]
    Instance(String),
}

macro_rules! text_id {
    ($name:ident) => {
        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.as_str().to_owned()
            }
        }
    };
}

/// An application's name, `[a-z][a-z0-9-]{0,38}`. Clones share the text: every request and every line of a log has one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AppName(Arc<str>);
text_id!(AppName);

impl std::borrow::Borrow<str> for AppName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Whether a text is `[a-z][a-z0-9-]{0,38}`.
fn is_plain_name(text: &str) -> bool {
    let rest_ok = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let first_ok = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    first_ok && rest_ok && text.len() <= 39
}

impl FromStr for AppName {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        if is_plain_name(text) { Ok(Self(text.into())) } else { Err(IdError::App(text.into())) }
    }
}

/// An admin token's name, `[a-z][a-z0-9-]{0,38}`, and none that the audit log has for somebody else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenName(String);
text_id!(TokenName);

impl FromStr for TokenName {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let reserved = matches!(text, "host" | "root");
        if is_plain_name(text) && !reserved {
            Ok(Self(text.into()))
        } else {
            Err(IdError::Token(text.into()))
        }
    }
}

/// A version's or preview's name, `[a-zA-Z0-9._-]{1,64}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(String);
text_id!(Version);

impl Version {
    /// Bytes of the longest name.
    pub const LENGTH_MAX: usize = 64;
}

impl FromStr for Version {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let ok = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        // As a segment of a URL, `.` and `..` would name something else.
        if ok && !matches!(text, "." | "..") && (1..=Self::LENGTH_MAX).contains(&text.len()) {
            Ok(Self(text.into()))
        } else {
            Err(IdError::Version(text.into()))
        }
    }
}

/// One immutable version of one app, written `APP@VERSION`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReleaseId {
    /// The app.
    pub app: AppName,
    /// The version.
    pub version: Version,
}

impl ReleaseId {
    /// Puts both together.
    #[must_use]
    pub const fn new(app: AppName, version: Version) -> Self {
        Self { app, version }
    }
}

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.app, self.version)
    }
}

impl FromStr for ReleaseId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let (app, version) = text.split_once('@').ok_or_else(|| IdError::Release(text.into()))?;
        Ok(Self { app: app.parse()?, version: version.parse()? })
    }
}

impl TryFrom<String> for ReleaseId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<ReleaseId> for String {
    fn from(id: ReleaseId) -> Self {
        id.to_string()
    }
}

/// A SHA-256 digest, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The first 12 digits: the default version of a bundle, and short enough to read.
    #[must_use]
    pub fn short(&self) -> String {
        hex::encode(&self.0[..6])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

impl FromStr for Digest {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| IdError::Digest(text.into()))?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// One worker, from its start to its end: 16 random hexadecimal digits. Names its directory, container and sockets;
/// short, because a socket's path has at most 107 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InstanceId(String);
text_id!(InstanceId);

impl InstanceId {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(hex::encode(rand::random::<[u8; 8]>()))
    }
}

impl FromStr for InstanceId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let ok = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if ok { Ok(Self(text.into())) } else { Err(IdError::Instance(text.into())) }
    }
}

/// A DNS label for this text: lower case, other characters become `-`; over 63 bytes it is cut and 8 digits of its
/// SHA-256 are added, so that two long names keep two labels.
#[must_use]
pub fn dns_label(text: &str) -> String {
    let mut label: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    if label.len() > 63 {
        label.truncate(54);
        label.push('-');
        label.push_str(&Digest::of(text.as_bytes()).short()[..8]);
    }
    label
}

/// Label of a release's or preview's own host name, `APP-NAME`.
#[must_use]
pub fn release_label(app: &AppName, name: &Version) -> String {
    dns_label(&format!("{app}-{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_at_their_edges() {
        assert!("catalog".parse::<AppName>().is_ok());
        for bad in ["", "1a", "A", "a_b", "-a", &"a".repeat(40)] {
            assert!(bad.parse::<AppName>().is_err(), "{bad}");
        }
        assert!("V1.2_x-3".parse::<Version>().is_ok());
        for bad in ["", ".", "..", "a/b", "a b", "é", &"v".repeat(65)] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
        let id: ReleaseId = "catalog@v1".parse().unwrap();
        assert_eq!(id.to_string(), "catalog@v1");
        assert!("catalog".parse::<ReleaseId>().is_err());
    }

    #[test]
    fn labels_are_legal_and_long_ones_stay_apart() {
        let app: AppName = "shop".parse().unwrap();
        assert_eq!(release_label(&app, &"V1.2_x".parse().unwrap()), "shop-v1-2-x");
        let one = release_label(&app, &"a".repeat(64).parse().unwrap());
        let two = release_label(&app, &format!("{}b", "a".repeat(63)).parse().unwrap());
        assert_eq!(one.len(), 63);
        assert_ne!(one, two);
    }
}
