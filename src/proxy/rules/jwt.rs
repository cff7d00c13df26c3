//! Tokens (RFC 7519) whose claims rules look at.
//!
//! Which algorithms are accepted follows from the kind of each key. The token's own `alg` only chooses among the keys, so that neither
//! `none` nor an HMAC under a public key is ever tried.

use super::facts::Facts;
use http::HeaderName;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use vitrine_core::config::JwtRules;
use vitrine_core::limits::{JWT_BYTES_MAX, JWT_KEYS_MAX, JWT_SECRET_BYTES_MIN};

const RSA: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];
const ECDSA: &[Algorithm] = &[Algorithm::ES256, Algorithm::ES384];
const EDDSA: &[Algorithm] = &[Algorithm::EdDSA];
const HMAC: &[Algorithm] = &[Algorithm::HS256];

/// Why a file of keys can't be used.
#[derive(Debug, thiserror::Error)]
pub enum JwtError {
    /// It can't be read.
    #[error("the key file {} of [jwt] can't be read", path.display())]
    Read {
        /// File.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// There is no public key in it.
    #[error("{} holds no public key of RSA, ECDSA (P-256, P-384) or Ed25519, as PEM or as JWKS", .0.display())]
    NoKey(PathBuf),
    /// A secret that would be guessed.
    #[error("{} holds a secret of fewer than {JWT_SECRET_BYTES_MIN} bytes", .0.display())]
    Short(PathBuf),
    /// There are too many keys.
    #[error("[jwt] has more than {JWT_KEYS_MAX} keys")]
    TooMany,
}

/// One key, and what it may verify.
struct Key {
    id: Option<String>,
    key: DecodingKey,
    algorithms: &'static [Algorithm],
}

/// What tokens are verified with.
pub(super) struct Jwt {
    place: Place,
    keys: Box<[Key]>,
    validation: Validation,
    /// Of all files, to notice a change by.
    digest: [u8; 32],
}

/// Where the token is.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Cookie(Box<str>),
    Header(HeaderName),
}

/// What a valid token says.
#[derive(Debug)]
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    /// Values of a claim as text: of a list, each.
    pub(super) fn values(&self, name: &str) -> Vec<String> {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
            _ => None,
        };
        match self.0.get(name) {
            Some(Value::Array(values)) => values.iter().filter_map(text).collect(),
            Some(value) => text(value).into_iter().collect(),
            None => Vec::new(),
        }
    }
}

impl std::fmt::Debug for Jwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jwt")
            .field("place", &self.place)
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

impl PartialEq for Jwt {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place && self.digest == other.digest
    }
}

impl Jwt {
    /// Reads the keys of a table that was checked.
    pub(super) fn load(rules: &JwtRules) -> Result<Self, JwtError> {
        let mut keys = Vec::new();
        let mut digest = Sha256::new();
        for path in &rules.keys {
            let content = read(path)?;
            digest.update(&content);
            let found = if path.extension().is_some_and(|kind| kind == "json") {
                jwks(&content)
            } else {
                pem(&content)
            };
            keys.extend(
                found.filter(|found| !found.is_empty()).ok_or_else(|| JwtError::NoKey(path.clone()))?,
            );
        }
        if let Some(path) = &rules.hs256_file {
            let content = read(path)?;
            digest.update(&content);
            let secret = content.trim_ascii();
            if secret.len() < JWT_SECRET_BYTES_MIN {
                return Err(JwtError::Short(path.clone()));
            }
            let key = DecodingKey::from_secret(secret).map_err(|_| JwtError::NoKey(path.clone()))?;
            keys.push(Key { id: None, key, algorithms: HMAC });
        }
        if keys.len() > JWT_KEYS_MAX {
            return Err(JwtError::TooMany);
        }
        Ok(Self { keys: keys.into(), digest: digest.finalize().into(), ..Self::closed(rules) })
    }

    /// Without a key: no token is valid.
    pub(super) fn closed(rules: &JwtRules) -> Self {
        let place = match (&rules.cookie, &rules.header) {
            (None, Some(name)) => name.parse().map_or_else(|_| Place::Cookie("".into()), Place::Header),
            (name, _) => Place::Cookie(name.as_deref().unwrap_or_default().into()),
        };
        Self { place, keys: Box::default(), validation: validation(rules), digest: [0; 32] }
    }

    /// The claims of a request's token, if it is valid. A wrong one is as none.
    pub(super) fn claims(&self, facts: &Facts<'_>) -> Option<Claims> {
        let token = match &self.place {
            Place::Cookie(name) => std::str::from_utf8(facts.cookie(name)?).ok()?,
            Place::Header(name) => {
                let value = std::str::from_utf8(facts.header(name).next()?).ok()?;
                let bearer = value.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("bearer "));
                bearer.map_or(value, |scheme| &value[scheme.len()..]).trim()
            }
        };
        if token.len() > JWT_BYTES_MAX {
            return None;
        }
        let header = decode_header(token).ok()?;
        let fitting = self.keys.iter().filter(|key| {
            let same_id = header.kid.is_none() || key.id.is_none() || key.id == header.kid;
            same_id && key.algorithms.contains(&header.alg)
        });
        let mut validation = self.validation.clone();
        validation.algorithms = vec![header.alg];
        for key in fitting {
            match decode::<Map<String, Value>>(token, &key.key, &validation) {
                Ok(token) => return Some(Claims(token.claims)),
                Err(error) if *error.kind() == ErrorKind::InvalidSignature => {}
                Err(_) => return None,
            }
        }
        None
    }
}

fn validation(rules: &JwtRules) -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.leeway = rules.leeway_s;
    validation.validate_nbf = true;
    let mut required = vec!["exp"];
    if let Some(issuer) = &rules.issuer {
        validation.set_issuer(&[issuer]);
        required.push("iss");
    }
    if let Some(audience) = &rules.audience {
        validation.set_audience(&[audience]);
        required.push("aud");
    }
    validation.set_required_spec_claims(&required);
    validation
}

fn read(path: &Path) -> Result<Vec<u8>, JwtError> {
    fs::read(path).map_err(|source| JwtError::Read { path: path.to_owned(), source })
}

fn pem(content: &[u8]) -> Option<Vec<Key>> {
    type Read = fn(&[u8]) -> jsonwebtoken::errors::Result<DecodingKey>;
    let kinds: [(Read, &'static [Algorithm]); 3] = [
        (DecodingKey::from_rsa_pem, RSA),
        (DecodingKey::from_ec_pem, ECDSA),
        (DecodingKey::from_ed_pem, EDDSA),
    ];
    let key = kinds.into_iter().find_map(|(read, algorithms)| Some((read(content).ok()?, algorithms)));
    key.map(|(key, algorithms)| vec![Key { id: None, key, algorithms }])
}

fn jwks(content: &[u8]) -> Option<Vec<Key>> {
    use jsonwebtoken::jwk::{AlgorithmParameters, PublicKeyUse};
    let set: JwkSet = serde_json::from_slice(content).ok()?;
    let keys = set.keys.iter().filter_map(|jwk| {
        if jwk.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
            return None;
        }
        let algorithms = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => RSA,
            AlgorithmParameters::EllipticCurve(_) => ECDSA,
            AlgorithmParameters::OctetKeyPair(_) => EDDSA,
            // A secret in a document of public keys, or a kind that is not verified here.
            _ => return None,
        };
        Some(Key { id: jwk.common.key_id.clone(), key: DecodingKey::from_jwk(jwk).ok()?, algorithms })
    });
    Some(keys.collect())
}

#[cfg(test)]
mod tests;
