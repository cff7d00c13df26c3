//! Keys under which values of environments lie in the database, and what is done with them.
//!
//! A value is sealed with AES-256-GCM under a nonce of its own, and bound to its place: app, revision, scope, name, and whether it
//! is a secret, and whether it is granted. One that is moved to another row, or changed, can't be opened.

use super::EnvScope;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use sha2::{Digest as _, Sha256};
use std::fmt;
use vitrine_core::id::AppName;

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 32;

/// The keys of a data folder: the first one seals, all of them open.
pub(super) struct Keyring(Vec<Key>);

struct Key {
    id: String,
    aead: LessSafeKey,
    backups: hmac::Key,
}

/// Where a value belongs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub app: &'a AppName,
    pub revision: i64,
    pub scope: EnvScope,
    pub name: &'a str,
    pub secret: bool,
    pub granted: bool,
}

/// A value that can't be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum SealError {
    /// Its key is not there.
    #[error("the value `{name}` of `{app}` is encrypted under key {key}, which this host does not have")]
    NoKey { app: AppName, name: String, key: String },
    /// It was changed, or is another row's.
    #[error("the value `{name}` of `{app}` can't be decrypted: it was changed, or moved from another row")]
    Changed { app: AppName, name: String },
}

impl fmt::Debug for Keyring {
    // Identities are public, keys are not.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

/// What a key is called: it tells nothing about the key.
pub(super) fn key_id(key: &[u8; KEY_BYTES]) -> String {
    let mut hash = Sha256::new();
    hash.update(b"vitrine key id 1\0");
    hash.update(key);
    hex::encode(&hash.finalize()[..8])
}

/// The key of the codes of backups that belongs to a key.
pub(super) fn backup_key(key: &[u8; KEY_BYTES]) -> hmac::Key {
    let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), b"vitrine backup 1");
    hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref())
}

impl Keyring {
    /// A ring of these keys, the one that seals first.
    pub(super) fn new(keys: &[[u8; KEY_BYTES]]) -> Self {
        let key = |bytes: &[u8; KEY_BYTES]| Key {
            id: key_id(bytes),
            aead: LessSafeKey::new(
                UnboundKey::new(&AES_256_GCM, bytes).expect("AES-256 has keys of this length"),
            ),
            backups: backup_key(bytes),
        };
        Self(keys.iter().map(key).collect())
    }

    /// Identity of the key that seals.
    pub(super) fn newest(&self) -> &str {
        self.0.first().map_or("", |key| &key.id)
    }

    /// The key of the codes of backups that belongs to the key that seals.
    pub(super) fn backup_key(&self) -> hmac::Key {
        self.0.first().expect("a ring has a key").backups.clone()
    }

    /// Seals a value for its place.
    pub(super) fn seal(&self, place: Place<'_>, value: &str) -> Vec<u8> {
        self.seal_bytes(place.aad(), value.as_bytes())
    }

    /// Seals bytes that belong where `aad` says.
    pub(super) fn seal_bytes(&self, aad: Aad<Vec<u8>>, bytes: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut text = bytes.to_vec();
        let key = &self.0.first().expect("a ring has a key").aead;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut text)
            .expect("values are shorter than what AES-GCM seals");
        [nonce.as_slice(), &text].concat()
    }

    /// Opens what was sealed for this place under this key.
    pub(super) fn open(&self, place: Place<'_>, key: &str, sealed: &[u8]) -> Result<String, SealError> {
        let (app, name) = (place.app.clone(), place.name.to_owned());
        if !self.0.iter().any(|held| held.id == key) {
            return Err(SealError::NoKey { app, name, key: key.to_owned() });
        }
        let opened =
            self.open_bytes(place.aad(), key, sealed).and_then(|value| String::from_utf8(value).ok());
        opened.ok_or(SealError::Changed { app, name })
    }

    /// Opens what [`Keyring::seal_bytes`] sealed for the same place under this key.
    pub(super) fn open_bytes(&self, aad: Aad<Vec<u8>>, key: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let key = self.0.iter().find(|held| held.id == key)?;
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        key.aead.open_in_place(nonce, aad, &mut text).ok().map(|value| value.to_vec())
    }
}

impl Place<'_> {
    fn aad(&self) -> Aad<Vec<u8>> {
        let Self { app, revision, scope, name, secret, granted } = self;
        // No part holds a NUL, so no two places have one text. Values that were sealed before there were grants have none.
        let granted = if *granted { "\0granted" } else { "" };
        let scope = scope.as_str();
        Aad::from(
            format!("vitrine env 1\0{app}\0{revision}\0{scope}\0{name}\0{secret}{granted}").into_bytes(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_in_its_own_place_alone() {
        let ring = Keyring::new(&[[1; KEY_BYTES]]);
        let (shop, blog): (AppName, AppName) = ("shop".parse().unwrap(), "blog".parse().unwrap());
        let (scope, name) = (EnvScope::Production, "KEY");
        let place = Place { app: &shop, revision: 3, scope, name, secret: true, granted: false };
        let (one, two) = (ring.seal(place, "s3cr3t"), ring.seal(place, "s3cr3t"));
        assert_ne!(one, two, "each has a nonce of its own");
        assert!(!one.windows(6).any(|part| part == b"s3cr3t"));
        assert_eq!(ring.open(place, ring.newest(), &one).unwrap(), "s3cr3t");
        for other in [
            Place { app: &blog, ..place },
            Place { revision: 4, ..place },
            Place { scope: EnvScope::Preview, ..place },
            Place { name: "KEZ", ..place },
            Place { secret: false, ..place },
            Place { granted: true, ..place },
        ] {
            let error = ring.open(other, ring.newest(), &one).unwrap_err();
            assert!(matches!(error, SealError::Changed { .. }), "{other:?}: {error}");
        }
        let mut changed = one.clone();
        changed[20] ^= 1;
        for sealed in [&changed[..], &one[..11], b""] {
            assert!(ring.open(place, ring.newest(), sealed).is_err());
        }
    }

    #[test]
    fn an_older_key_opens_and_the_newest_seals() {
        let (old, both) = (Keyring::new(&[[1; KEY_BYTES]]), Keyring::new(&[[2; KEY_BYTES], [1; KEY_BYTES]]));
        let shop = "shop".parse().unwrap();
        let (scope, name) = (EnvScope::Preview, "A");
        let place = Place { app: &shop, revision: 1, scope, name, secret: false, granted: false };
        assert_eq!(both.open(place, old.newest(), &old.seal(place, "x")).unwrap(), "x");
        let sealed = both.seal(place, "y");
        assert!(matches!(old.open(place, both.newest(), &sealed), Err(SealError::NoKey { .. })));
        assert_eq!(
            format!("{both:?}"),
            format!("{:?}", [both.newest(), old.newest()]),
            "identities alone are shown"
        );
    }
}
