//! Admin tokens: what they may do and the digest of each, never a token itself.

use super::transaction::{from_integer, parsed, to_integer};
use super::{Store, StoreError};
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};
use vitrine_core::audit::{AuditAction, AuditResult, Event};
use vitrine_core::id::{Digest, TokenName};
use vitrine_core::limits::TOKENS_MAX;
use vitrine_core::scope::{Actor, Scope, Selection};

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// Its name.
    pub name: TokenName,
    /// SHA-256 of its text.
    pub sha256: Digest,
    /// What it may do.
    pub scope: Scope,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When it ends, in milliseconds since the Unix epoch; never, if absent.
    pub expires_ms: Option<u64>,
}

impl TokenRecord {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let expires_ms: Option<i64> = row.get(5)?;
        Ok(Self {
            name: parsed(row, 0)?,
            sha256: parsed(row, 1)?,
            scope: Scope { apps: selection(row, 2)?, verbs: selection(row, 3)? },
            created_ms: from_integer(row, 4)?,
            expires_ms: expires_ms.map(i64::cast_unsigned),
        })
    }
}

fn selection<T>(row: &Row<'_>, index: usize) -> rusqlite::Result<Selection<T>>
where
    T: Ord + std::str::FromStr + std::fmt::Display,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    Selection::parse(row.get_ref(index)?.as_str()?.split(','))
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error)))
}

impl Store {
    /// Every token, by name.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn tokens(&self) -> Result<Vec<TokenRecord>, StoreError> {
        self.read("list the tokens", all)
    }

    /// Records a token; gives false when it is there already, with the same digest, scope and end.
    ///
    /// # Errors
    /// [`StoreError::TokenExists`], [`StoreError::TooManyTokens`]; see [`StoreError`].
    pub fn create_token(&self, token: &TokenRecord) -> Result<bool, StoreError> {
        self.audited("record the token", |transaction| {
            let known = all(transaction)?;
            if let Some(same) = known.iter().find(|old| old.name == token.name || old.sha256 == token.sha256)
            {
                let again = TokenRecord { created_ms: same.created_ms, ..token.clone() };
                return if again == *same {
                    Ok((false, None))
                } else {
                    Err(StoreError::TokenExists(same.name.clone()).into())
                };
            }
            if known.len() >= TOKENS_MAX {
                return Err(StoreError::TooManyTokens(known.len()).into());
            }
            transaction.execute(
                "INSERT INTO tokens VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    token.name.as_str(),
                    token.sha256.to_string(),
                    token.scope.apps.texts().join(","),
                    token.scope.verbs.texts().join(","),
                    to_integer(token.created_ms),
                    token.expires_ms.map(to_integer),
                ],
            )?;
            let detail = format!(
                "{}: {} on {}",
                token.name,
                token.scope.verbs.texts().join(","),
                token.scope.apps.texts().join(",")
            );
            Ok((true, Some(Event::of_host(AuditAction::TokenCreate, Some(detail), AuditResult::Done))))
        })
    }

    /// Forgets a token; gives whether there was one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn revoke_token(&self, name: &TokenName) -> Result<bool, StoreError> {
        self.audited("revoke the token", |transaction| {
            let gone = transaction.execute("DELETE FROM tokens WHERE name = ?1", [name.as_str()])? > 0;
            // Another one of this name begins with keys of its own.
            let who = Actor::Token(name.clone()).to_string();
            transaction.execute("DELETE FROM idempotency WHERE who = ?1", [who])?;
            let event = Event::of_host(AuditAction::TokenRevoke, Some(name.to_string()), AuditResult::Done);
            Ok((gone, gone.then_some(event)))
        })
    }
}

fn all(connection: &Connection) -> rusqlite::Result<Vec<TokenRecord>> {
    let mut statement = connection.prepare_cached(
        "SELECT name, sha256, apps, verbs, created_ms, expires_ms FROM tokens ORDER BY name",
    )?;
    statement.query_map([], TokenRecord::from_row)?.collect()
}
