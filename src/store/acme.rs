//! Certificates by ACME: the account, certificates with their keys, when a name is tried again. All of it lies sealed, as secrets do. A value
//! that can't be opened, because the key is lost, is as if it were not there: it is made anew.

use super::keyring::Keyring;
use super::{Store, StoreError};
use ring::aead::Aad;
use rusqlite::{Connection, Transaction, params};

/// A row as it lies: its name, the identity of the key, and the sealed bytes.
type Row = (String, String, Vec<u8>);

impl Store {
    /// Everything by its name.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn acme_records(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.read("read the certificates by ACME", |connection| {
            let ring = self.0.keyring.load();
            let open = |(name, key, sealed): Row| {
                let value = ring.open_bytes(aad(&name), &key, &sealed)?;
                Some((name, value))
            };
            Ok(rows(connection)?.into_iter().filter_map(open).collect())
        })
    }

    /// Keeps a value under a name, instead of the one before.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn keep_acme(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.write("keep a certificate by ACME", |transaction| {
            write(transaction, &self.0.keyring.load(), name, value)?;
            Ok(())
        })
    }

    /// Forgets what is kept under a name.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn forget_acme(&self, name: &str) -> Result<(), StoreError> {
        self.write("forget a certificate by ACME", |transaction| {
            transaction.execute("DELETE FROM acme WHERE name = ?1", [name])?;
            Ok(())
        })
    }
}

/// Brings everything under the newest key; gives whether something lay under another one.
pub(super) fn reseal(transaction: &Transaction<'_>, ring: &Keyring) -> rusqlite::Result<bool> {
    let mut changed = false;
    for (name, key, sealed) in rows(transaction)?.into_iter().filter(|(_, key, _)| key != ring.newest()) {
        if let Some(value) = ring.open_bytes(aad(&name), &key, &sealed) {
            write(transaction, ring, &name, &value)?;
            changed = true;
        }
    }
    Ok(changed)
}

fn rows(connection: &Connection) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare("SELECT name, key, value FROM acme ORDER BY name")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

fn write(connection: &Connection, ring: &Keyring, name: &str, value: &[u8]) -> rusqlite::Result<()> {
    let sealed = ring.seal_bytes(aad(name), value);
    let row = params![name, ring.newest(), sealed];
    connection.execute("INSERT OR REPLACE INTO acme (name, key, value) VALUES (?1, ?2, ?3)", row).map(drop)
}

fn aad(name: &str) -> Aad<Vec<u8>> {
    Aad::from(format!("vitrine acme 1\0{name}").into_bytes())
}
