use super::*;
use minisign::KeyPair;
use std::io::Cursor;

const COMMENT: &str = "app=shop version=v7 sequence=7";

fn sign(pair: &KeyPair, message: &str, comment: &str) -> String {
    let message = Cursor::new(message.to_owned());
    minisign::sign(Some(&pair.pk), &pair.sk, message, Some(comment), Some("a bundle")).unwrap().to_string()
}

fn pair() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().unwrap()
}

fn signers(pairs: &[&KeyPair]) -> Signers {
    let keys: Vec<String> = pairs.iter().map(|pair| pair.pk.to_base64()).collect();
    Signers::new(&keys, true).unwrap()
}

fn check(signers: &Signers, signature: &str) -> Result<Option<u64>, SignatureError> {
    let (app, version) = ("shop".parse().unwrap(), "v7".parse().unwrap());
    signers.check(Some(signature), Digest::of(b"bundle"), &app, &version)
}

fn good(pair: &KeyPair) -> String {
    sign(pair, &Digest::of(b"bundle").to_string(), COMMENT)
}

#[test]
fn a_signature_by_any_known_key_gives_its_sequence() {
    let (first, second) = (pair(), pair());
    let signers = signers(&[&first, &second]);
    assert_eq!(check(&signers, &good(&first)), Ok(Some(7)));
    assert_eq!(check(&signers, &good(&second)), Ok(Some(7)));
    assert_eq!(check(&signers, &good(&pair())), Err(SignatureError::UnknownKey));
}

#[test]
fn any_changed_byte_and_any_cut_is_refused() {
    let pair = pair();
    let signers = signers(&[&pair]);
    let good = good(&pair);
    let comment_ends = good.find('\n').unwrap();
    let mut refused = 0;
    // The first line says nothing and is not signed.
    for at in comment_ends + 1..good.len() {
        for flip in [0x01, 0x02, 0x20] {
            let mut bytes = good.clone().into_bytes();
            bytes[at] ^= flip;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            let result = check(&signers, &changed);
            // A space for the line end after the last line, and the like, change no field.
            if changed.trim_end() == good.trim_end() {
                continue;
            }
            assert!(result.is_err(), "byte {at}: {changed}");
            refused += 1;
        }
    }
    for end in 0..good.trim_end().len() {
        assert!(check(&signers, &good[..end]).is_err(), "cut at {end}");
        refused += 1;
    }
    println!("{refused} changed or cut signatures refused");
    assert!(refused > 800, "{refused}");
}

#[test]
fn what_it_is_for_has_to_be_what_is_deployed() {
    let pair = pair();
    let signers = signers(&[&pair]);
    let digest = Digest::of(b"bundle").to_string();
    let with = |comment: &str| check(&signers, &sign(&pair, &digest, comment));
    for comment in ["app=blog version=v7 sequence=7", "app=shop version=v8 sequence=7"] {
        assert!(matches!(with(comment), Err(SignatureError::OtherRelease { .. })), "{comment}");
    }
    for comment in [
        "",
        "app=shop version=v7",
        "app=shop version=v7 sequence=",
        "app=shop version=v7 sequence=0",
        "app=shop version=v7 sequence=-1",
        "app=shop version=v7 sequence=99999999999999999999",
        "app=shop version=v7 sequence=7 sequence=8",
        "app=shop  version=v7 sequence=7",
        "version=v7 app=shop sequence=7",
        "timestamp:1 app=shop version=v7 sequence=7",
    ] {
        assert!(matches!(with(comment), Err(SignatureError::Comment(_))), "{comment}");
    }
    let other = sign(&pair, &Digest::of(b"other").to_string(), COMMENT);
    assert!(matches!(check(&signers, &other), Err(SignatureError::Wrong(_))));
}

#[test]
fn it_may_be_left_out_where_it_is_not_required() {
    let (app, version) = ("shop".parse().unwrap(), "v7".parse().unwrap());
    let without = |signers: &Signers| signers.check(None, Digest::of(b"bundle"), &app, &version);
    assert_eq!(without(&signers(&[&pair()])), Err(SignatureError::Missing));
    let optional = Signers::new(&[pair().pk.to_base64()], false).unwrap();
    assert_eq!(without(&optional), Ok(None));
    assert!(check(&optional, &good(&pair())).is_err());
    assert_eq!(check(&Signers::default(), &good(&pair())), Err(SignatureError::NoKeys));
    assert_eq!(Signers::new(&[pair().pk.to_base64(), "RWx".into()], false).unwrap_err(), 1);
}
