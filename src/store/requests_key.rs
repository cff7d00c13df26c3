//! The key under which requests are recorded (see `src/store/idempotency.rs`). It lies sealed in the database and outlives a rotation
//! of the key that seals it, so that a request is recognised after one.

use super::keyring::{KEY_BYTES, Keyring};
use super::transaction::sqlite_error;
use super::{Store, StoreError};
use ring::aead::Aad;
use ring::hmac;
use rusqlite::{Connection, OptionalExtension};
use std::path::Path;
use vitrine_core::id::Digest;

/// In `meta`: the identity of the key that seals it, a colon, and the sealed bytes in hexadecimal digits.
const NAME: &str = "requests_key";

/// See the module.
#[derive(Debug)]
pub(super) struct RequestsKey(hmac::Key);

impl RequestsKey {
    /// The key of this database. One that is not there, or can't be opened because the key that seals it is lost, is made anew.
    pub(super) fn load(connection: &Connection, ring: &Keyring, path: &Path) -> Result<Self, StoreError> {
        let known =
            read(connection).map_err(|source| sqlite_error("read the key of requests", path, source))?;
        let known = known.and_then(|(id, sealed)| ring.open_bytes(aad(), &id, &sealed));
        let key = known.unwrap_or_else(|| {
            let key: [u8; KEY_BYTES] = rand::random();
            if let Err(error) = write(connection, ring, &key) {
                // A full disk keeps no host from starting.
                tracing::warn!(%error, "requests of before are not recognised after the next start");
            }
            key.to_vec()
        });
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    /// What a request is recorded as. By its digest alone a short value in its body could be found by trying.
    pub(super) fn blind(&self, request: Digest) -> String {
        hex::encode(hmac::sign(&self.0, request.to_string().as_bytes()))
    }
}

impl Store {
    /// A secret of this data folder for one purpose, the same after a restart and after a rotation of the keys.
    #[must_use]
    pub fn derived_secret(&self, purpose: &str) -> Vec<u8> {
        let of = format!("vitrine derived 1\0{purpose}");
        hmac::sign(&self.0.requests_key.0, of.as_bytes()).as_ref().to_vec()
    }
}

/// Brings it under the newest key; gives whether it lay under another one.
pub(super) fn reseal(connection: &Connection, ring: &Keyring) -> rusqlite::Result<bool> {
    let Some((id, sealed)) = read(connection)?.filter(|(id, _)| id != ring.newest()) else {
        return Ok(false);
    };
    let Some(key) = ring.open_bytes(aad(), &id, &sealed) else { return Ok(false) };
    write(connection, ring, &key)?;
    Ok(true)
}

fn read(connection: &Connection) -> rusqlite::Result<Option<(String, Vec<u8>)>> {
    let text: Option<String> =
        connection.query_row("SELECT value FROM meta WHERE key = ?1", [NAME], |row| row.get(0)).optional()?;
    Ok(text.and_then(|text| {
        let (id, sealed) = text.split_once(':')?;
        Some((id.to_owned(), hex::decode(sealed).ok()?))
    }))
}

fn write(connection: &Connection, ring: &Keyring, key: &[u8]) -> rusqlite::Result<()> {
    let text = format!("{}:{}", ring.newest(), hex::encode(ring.seal_bytes(aad(), key)));
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", [NAME, &text]).map(drop)
}

fn aad() -> Aad<Vec<u8>> {
    Aad::from(b"vitrine requests key 1".to_vec())
}
