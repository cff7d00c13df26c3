//! Tokens that are right, and attacks.

use super::*;
use http::{HeaderMap, HeaderValue, Method};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/jwt").join(name)
}

fn content(name: &str) -> Vec<u8> {
    fs::read(fixture(name)).unwrap()
}

fn rules(keys: &[&str]) -> JwtRules {
    let keys = keys.iter().map(|name| fixture(name)).collect();
    JwtRules { cookie: Some("session".into()), keys, ..JwtRules::default() }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn signed(algorithm: Algorithm, key: &EncodingKey, kid: Option<&str>, claims: &Value) -> String {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
    encode(&header, claims, key).unwrap()
}

fn rsa(name: &str) -> EncodingKey {
    EncodingKey::from_rsa_pem(&content(name)).unwrap()
}

fn plan(jwt: &Jwt, token: &str) -> Option<String> {
    let mut headers = HeaderMap::new();
    let cookie = format!("a=b; session={token}");
    headers.insert("cookie", HeaderValue::from_str(&cookie).unwrap());
    headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
    let facts = Facts {
        host: "a.test",
        sent_path: "/",
        query: None,
        method: &Method::GET,
        headers: &headers,
        client: [192, 0, 2, 1].into(),
        visitor: "",
    };
    jwt.claims(&facts).map(|claims| claims.values("plan").join(" "))
}

#[test]
fn tokens_of_each_kind_of_key_are_verified() {
    let claims = json!({ "exp": now() + 60, "plan": ["pro", 7, true, {}] });
    let read = Some("pro 7 true".to_owned());
    let all = Jwt::load(&rules(&["ec.pem", "ed.pem", "rsa.pem"])).unwrap();
    for (algorithm, key) in [
        (Algorithm::RS256, rsa("rsa.key.pem")),
        (Algorithm::PS512, rsa("rsa.key.pem")),
        (Algorithm::ES256, EncodingKey::from_ec_pem(&content("ec.key.pem")).unwrap()),
        (Algorithm::EdDSA, EncodingKey::from_ed_pem(&content("ed.key.pem")).unwrap()),
    ] {
        assert_eq!(plan(&all, &signed(algorithm, &key, None, &claims)), read, "{algorithm:?}");
    }
    let secret = "0123456789abcdef0123456789abcdef";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, format!("{secret}\n")).unwrap();
    let of_secret = JwtRules {
        hs256_file: Some(file.clone()),
        header: Some("authorization".into()),
        ..JwtRules::default()
    };
    let token =
        signed(Algorithm::HS256, &EncodingKey::from_secret(secret.as_bytes()).unwrap(), None, &claims);
    assert_eq!(plan(&Jwt::load(&of_secret).unwrap(), &token), read);
    fs::write(&file, "short").unwrap();
    assert!(matches!(Jwt::load(&of_secret), Err(JwtError::Short(_))));
    assert!(matches!(Jwt::load(&rules(&["jwks.json", "nowhere.pem"])), Err(JwtError::Read { .. })));
}

#[test]
fn a_document_of_keys_names_the_one_that_counts() {
    let jwt = Jwt::load(&rules(&["jwks.json"])).unwrap();
    let claims = json!({ "exp": now() + 60, "plan": "pro" });
    let with = |kid| plan(&jwt, &signed(Algorithm::RS256, &rsa("rsa.key.pem"), kid, &claims));
    assert_eq!((with(Some("one")), with(None)), (Some("pro".into()), Some("pro".into())));
    assert_eq!(with(Some("two")), None, "that key is not in the document, or not any more");
}

#[test]
fn attacks_are_as_no_token() {
    let jwt = Jwt::load(&JwtRules {
        audience: Some("shop".into()),
        issuer: Some("login".into()),
        ..rules(&["rsa.pem"])
    })
    .unwrap();
    let good = json!({ "exp": now() + 60, "nbf": now() - 5, "aud": "shop", "iss": "login", "plan": "pro" });
    let key = rsa("rsa.key.pem");
    let token = signed(Algorithm::RS256, &key, None, &good);
    assert_eq!(plan(&jwt, &token), Some("pro".into()));
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        signed(Algorithm::RS256, &key, None, &claims)
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        signed(Algorithm::RS256, &key, None, &claims)
    };
    let (head, rest) = token.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let base64 = |text: &str| {
        use base64::Engine as _;
        base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(text)
    };
    let none = |alg: &str| base64(&format!(r#"{{"typ":"JWT","alg":"{alg}"}}"#));
    let public = EncodingKey::from_secret(&content("rsa.pem")).unwrap();
    let forged = base64(&good.to_string().replace("pro", "max"));
    for (attack, token) in [
        ("alg none", format!("{}.{payload}.", none("none"))),
        ("alg None", format!("{}.{payload}.{signature}", none("None"))),
        ("alg empty", format!("{}.{payload}.{signature}", none(""))),
        ("HMAC under the public key", signed(Algorithm::HS256, &public, None, &good)),
        ("another key", signed(Algorithm::RS256, &rsa("other.key.pem"), None, &good)),
        ("another algorithm in the head", format!("{}.{payload}.{signature}", none("RS512"))),
        ("another payload", format!("{head}.{forged}.{signature}")),
        ("no signature", format!("{head}.{payload}.")),
        ("expired", with("exp", json!(now() - 1))),
        ("no expiry", without("exp")),
        ("an expiry that is no number", with("exp", json!("never"))),
        ("not yet", with("nbf", json!(now() + 60))),
        ("another audience", with("aud", json!("blog"))),
        ("no audience", without("aud")),
        ("another issuer", with("iss", json!("evil"))),
        ("a huge token", with("plan", json!("x".repeat(JWT_BYTES_MAX)))),
        ("no token at all", "..".into()),
        ("half a token", head.into()),
    ] {
        assert_eq!(plan(&jwt, &token), None, "{attack}");
    }
    let open = Jwt::load(&rules(&["rsa.pem"])).unwrap();
    assert_eq!(plan(&open, &token), None, "it is meant for somebody, and nobody says that this is us");
}
