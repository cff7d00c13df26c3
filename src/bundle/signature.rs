//! Who vouches for a bundle: a minisign signature over its digest, which says for which release and in which order.

use minisign_verify::{Error as MinisignError, PublicKey, Signature};
use vitrine_core::id::{AppName, Digest, Version};

/// Why a signature does not let a bundle in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is none, and there has to be.
    #[error("this host takes signed bundles only; sign the digest and add --signature FILE")]
    Missing,
    /// There is one, and no key to check it with.
    #[error(
        "this host knows no key to check a signature with; add its key to `signatures.keys`, or leave --signature out"
    )]
    NoKeys,
    /// It is no signature, or a part of one.
    #[error("the signature can't be read; it is the whole file that `minisign -S` writes")]
    Unreadable,
    /// No key of this host made it.
    #[error("the signature is by none of this host's keys (`signatures.keys`)")]
    UnknownKey,
    /// It is over something else.
    #[error("the signature is not over this bundle's digest, {0}, or its trusted comment was changed")]
    Wrong(Digest),
    /// Its comment does not say what it is for.
    #[error("the trusted comment is `{0}`; it has to be `app=APP version=VERSION sequence=NUMBER`")]
    Comment(String),
    /// It is for another release.
    #[error("the signature is for `{signed}`, not for `{wanted}`")]
    OtherRelease {
        /// What it says.
        signed: String,
        /// What is deployed.
        wanted: String,
    },
    /// A newer one was seen.
    #[error(
        "the signature has the sequence {sequence}, and {newest} was seen already; sign with a higher one, or roll back to go back"
    )]
    Replayed {
        /// Of this one.
        sequence: u64,
        /// Newest seen.
        newest: u64,
    },
}

/// The trusted public keys.
#[derive(Debug, Clone, Default)]
pub struct Signers {
    keys: Vec<PublicKey>,
    required: bool,
}

impl Signers {
    /// Reads public keys as minisign writes them: the second line of a `.pub` file.
    ///
    /// # Errors
    /// Index of the first that is none.
    pub fn new(keys: &[String], required: bool) -> Result<Self, usize> {
        let read = |(index, key): (usize, &String)| PublicKey::from_base64(key.trim()).map_err(|_| index);
        Ok(Self { keys: keys.iter().enumerate().map(read).collect::<Result<_, _>>()?, required })
    }

    /// Checks what came with a bundle; gives the sequence of its signature, if it has one.
    ///
    /// # Errors
    /// See [`SignatureError`].
    pub fn check(
        &self,
        signature: Option<&str>,
        digest: Digest,
        app: &AppName,
        version: &Version,
    ) -> Result<Option<u64>, SignatureError> {
        let Some(text) = signature else {
            return if self.required { Err(SignatureError::Missing) } else { Ok(None) };
        };
        if self.keys.is_empty() {
            return Err(SignatureError::NoKeys);
        }
        let signature = Signature::decode(text).map_err(|_| SignatureError::Unreadable)?;
        let message = digest.to_string();
        // One that names a key of this host and is wrong says more than all keys that it does not name.
        let mut refusal = SignatureError::UnknownKey;
        for key in &self.keys {
            match key.verify(message.as_bytes(), &signature, false) {
                Ok(()) => return statement(signature.trusted_comment(), app, version).map(Some),
                Err(MinisignError::UnexpectedKeyId) => {}
                Err(_) => refusal = SignatureError::Wrong(digest),
            }
        }
        Err(refusal)
    }
}

/// The sequence in `app=APP version=VERSION sequence=NUMBER`, if the rest is about this release.
fn statement(comment: &str, app: &AppName, version: &Version) -> Result<u64, SignatureError> {
    let unfit = || SignatureError::Comment(comment.chars().take(200).collect());
    let fields: Vec<_> = comment.split(' ').map(|part| part.split_once('=')).collect();
    let [Some(("app", signed_app)), Some(("version", signed_version)), Some(("sequence", sequence))] =
        fields[..]
    else {
        return Err(unfit());
    };
    let sequence: u64 = sequence.parse().ok().filter(|sequence| *sequence > 0).ok_or_else(unfit)?;
    if signed_app != app.as_str() || signed_version != version.as_str() {
        let (signed, wanted) = (format!("{signed_app}@{signed_version}"), format!("{app}@{version}"));
        return Err(SignatureError::OtherRelease { signed, wanted });
    }
    Ok(sequence)
}

#[cfg(test)]
mod tests;
