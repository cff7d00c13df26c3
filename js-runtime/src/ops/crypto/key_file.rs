//! The formats that keys travel in: SPKI, PKCS #8, PKCS #1 and SEC 1, as DER.

use super::{curve, edwards, rsa, unknown};
use deno_core::{ToJsBuffer, op2};
use deno_error::JsErrorBox;
use pkcs8::der::asn1::{AnyRef, BitStringRef, Null, ObjectIdentifier, OctetStringRef};
use pkcs8::der::{Decode as _, Encode as _, SliceReader, Tag, Tagged as _};
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use pkcs8::{PrivateKeyInfo, PrivateKeyInfoRef};
use sec1::{EcParameters, EcPrivateKey};
use serde::Serialize;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const CURVES: [(&str, ObjectIdentifier); 3] = [
    ("P-256", ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7")),
    ("P-384", ObjectIdentifier::new_unwrap("1.3.132.0.34")),
    ("P-521", ObjectIdentifier::new_unwrap("1.3.132.0.35")),
];
const EDWARDS: [(&str, ObjectIdentifier); 2] = [
    ("Ed25519", ObjectIdentifier::new_unwrap("1.3.101.112")),
    ("X25519", ObjectIdentifier::new_unwrap("1.3.101.110")),
];

/// What a file holds.
#[derive(Serialize)]
pub struct Found {
    kind: &'static str,
    is_private: bool,
    key: ToJsBuffer,
}

impl Found {
    fn new(kind: &'static str, is_private: bool, key: &[u8]) -> Self {
        Self { kind, is_private, key: ToJsBuffer::from(key.to_vec()) }
    }
}

fn name_of(known: &[(&'static str, ObjectIdentifier)], id: ObjectIdentifier) -> Option<&'static str> {
    known.iter().find(|(_, other)| *other == id).map(|(name, _)| *name)
}

fn id_of(known: &[(&str, ObjectIdentifier)], name: &str) -> Option<ObjectIdentifier> {
    known.iter().find(|(other, _)| *other == name).map(|(_, id)| *id)
}

fn curve_of(algorithm: &AlgorithmIdentifierRef<'_>) -> Option<&'static str> {
    name_of(&CURVES, algorithm.parameters?.decode_as().ok()?)
}

fn rsa_kind(id: ObjectIdentifier) -> Option<&'static str> {
    match id {
        RSA => Some("rsa"),
        RSA_PSS => Some("rsa-pss"),
        _ => None,
    }
}

fn spki(bytes: &[u8]) -> Option<Found> {
    let file = SubjectPublicKeyInfoRef::from_der(bytes).ok()?;
    let key = file.subject_public_key.as_bytes()?;
    if let Some(kind) = rsa_kind(file.algorithm.oid) {
        return Some(Found::new(kind, false, &rsa::checked(false, key)?));
    }
    if file.algorithm.oid == EC {
        let curve = curve_of(&file.algorithm)?;
        return Some(Found::new(curve, false, &curve::public_key(curve, key).ok()??));
    }
    let kind = name_of(&EDWARDS, file.algorithm.oid)?;
    (key.len() == 32 && file.algorithm.parameters.is_none()).then(|| Found::new(kind, false, key))
}

/// The key of a certificate (X.509): it stands behind version, serial number, signature's algorithm, issuer, validity and subject.
fn certificate(bytes: &[u8]) -> Option<Found> {
    let whole = AnyRef::from_der(bytes).ok()?;
    let signed = AnyRef::decode(&mut SliceReader::new(whole.value()).ok()?).ok()?;
    let mut fields = SliceReader::new(signed.value()).ok()?;
    let first = AnyRef::decode(&mut fields).ok()?;
    // The version may be missing.
    let before = if first.tag() == Tag::Integer { 4 } else { 5 };
    for _ in 0..before {
        AnyRef::decode(&mut fields).ok()?;
    }
    spki(&AnyRef::decode(&mut fields).ok()?.to_der().ok()?)
}

fn pkcs8(bytes: &[u8]) -> Option<Found> {
    let file = PrivateKeyInfoRef::from_der(bytes).ok()?;
    let key = file.private_key.as_bytes();
    if let Some(kind) = rsa_kind(file.algorithm.oid) {
        return Some(Found::new(kind, true, &rsa::checked(true, key)?));
    }
    if file.algorithm.oid == EC {
        return scalar(curve_of(&file.algorithm)?, &EcPrivateKey::from_der(key).ok()?);
    }
    let kind = name_of(&EDWARDS, file.algorithm.oid)?;
    let seed = <&OctetStringRef>::from_der(key).ok()?;
    let private = edwards::private_key(kind, seed.as_bytes()).ok()??;
    file.algorithm.parameters.is_none().then(|| Found::new(kind, true, &private))
}

fn sec1(bytes: &[u8]) -> Option<Found> {
    let file = EcPrivateKey::from_der(bytes).ok()?;
    scalar(name_of(&CURVES, file.parameters?.named_curve()?)?, &file)
}

/// The private key in a file of SEC 1, if the public one beside it is its own.
fn scalar(curve: &'static str, file: &EcPrivateKey<'_>) -> Option<Found> {
    let private = curve::private_key(curve, file.private_key).ok()??;
    if let Some(point) = file.public_key {
        let public = curve::public_key(curve, point).ok()??;
        if !private.ends_with(&public) {
            return None;
        }
    }
    Some(Found::new(curve, true, &private))
}

/// The key in a file of the format `certificate`, `spki`, `pkcs8`, `pkcs1-public`, `pkcs1-private` or `sec1`; nothing if it has none.
///
/// # Errors
/// There is no format of that name.
#[op2]
#[serde]
pub fn op_key_read(#[string] format: &str, #[buffer] bytes: &[u8]) -> Result<Option<Found>, JsErrorBox> {
    Ok(match format {
        "certificate" => certificate(bytes),
        "spki" => spki(bytes),
        "pkcs8" => pkcs8(bytes),
        "pkcs1-public" => rsa::checked(false, bytes).map(|key| Found::new("rsa", false, &key)),
        "pkcs1-private" => rsa::checked(true, bytes).map(|key| Found::new("rsa", true, &key)),
        "sec1" => sec1(bytes),
        other => return Err(unknown(other)),
    })
}

fn write_spki(kind: &str, key: &[u8]) -> Option<Vec<u8>> {
    let curve = id_of(&CURVES, kind);
    let file = SubjectPublicKeyInfoRef {
        algorithm: algorithm(kind, curve.as_ref())?,
        subject_public_key: BitStringRef::from_bytes(key).ok()?,
    };
    file.to_der().ok()
}

fn algorithm<'a>(kind: &str, curve: Option<&'a ObjectIdentifier>) -> Option<AlgorithmIdentifierRef<'a>> {
    let (oid, parameters) = match (kind, curve) {
        ("rsa", _) => (RSA, Some(AnyRef::from(Null))),
        ("rsa-pss", _) => (RSA_PSS, None),
        (_, Some(curve)) => (EC, Some(AnyRef::from(curve))),
        _ => (id_of(&EDWARDS, kind)?, None),
    };
    Some(AlgorithmIdentifierRef { oid, parameters })
}

fn write_pkcs8(kind: &str, key: &[u8]) -> Option<Vec<u8>> {
    let curve = id_of(&CURVES, kind);
    let inner = match (kind, curve) {
        ("rsa" | "rsa-pss", _) => key.to_vec(),
        (_, Some(_)) => write_sec1(kind, key, false)?,
        _ => OctetStringRef::new(key.get(..32)?).ok()?.to_der().ok()?,
    };
    let file = PrivateKeyInfo {
        algorithm: algorithm(kind, curve.as_ref())?,
        private_key: OctetStringRef::new(&inner).ok()?,
        public_key: None::<BitStringRef<'_>>,
    };
    file.to_der().ok()
}

fn write_sec1(kind: &str, key: &[u8], names_curve: bool) -> Option<Vec<u8>> {
    let (private_key, point) = key.split_at_checked(curve::coordinate_bytes(kind).ok()?)?;
    let named = id_of(&CURVES, kind)?;
    let parameters = names_curve.then_some(EcParameters::NamedCurve(named));
    EcPrivateKey { private_key, parameters, public_key: Some(point) }.to_der().ok()
}

/// A key as a file of the format `spki`, `pkcs8` or `sec1`; nothing if a key of its kind has no such file.
///
/// # Errors
/// There is no format of that name.
#[op2]
#[buffer]
pub fn op_key_write(
    #[string] format: &str,
    #[string] kind: &str,
    #[buffer] key: &[u8],
) -> Result<Option<Box<[u8]>>, JsErrorBox> {
    let file = match format {
        "spki" => write_spki(kind, key),
        "pkcs8" => write_pkcs8(kind, key),
        "sec1" => write_sec1(kind, key, true),
        other => return Err(unknown(other)),
    };
    Ok(file.map(Into::into))
}
