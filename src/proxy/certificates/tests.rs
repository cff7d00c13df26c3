//! A certificate for `localhost` that lasts a hundred years, its key, and a key of somebody else.

use super::*;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use std::path::Path;
use tempfile::TempDir;

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIBlDCCATugAwIBAgIUIQT7oQjF1FehB1+Wxbsa57ko+4cwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTAwMjM1MFoYDzIxMjYxMDI4
MDAyMzUwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARMcqoLekRc8ZAV7dCU7YT4kwaewt9DlZ1Z5aMldGmPS4MPSXPj5vej
UzQ7v2kY/MhpS9IKsH4Xd46qWAMgu2Jlo2kwZzAdBgNVHQ4EFgQU5dP/y66Bv4E9
d0nhUCehpyt2XKEwHwYDVR0jBBgwFoAU5dP/y66Bv4E9d0nhUCehpyt2XKEwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
RwAwRAIgJu9YUR/4HvTcOWAIGESgi7ZHBYwIVAGWhuktgkMMjNgCIEVLuf/u/xxj
ex2Kor2XNXCepUsip5BKeainGR00IC++
-----END CERTIFICATE-----
";
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgx0cVMh6Ph1WmL6hT
8xOhBpOv/cRPl7n6Mb5Dh+eOqjihRANCAARMcqoLekRc8ZAV7dCU7YT4kwaewt9D
lZ1Z5aMldGmPS4MPSXPj5vejUzQ7v2kY/MhpS9IKsH4Xd46qWAMgu2Jl
-----END PRIVATE KEY-----
";
const OTHER_KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgN3x0Qv930HOYXhBs
fNXTACou+AengzwaUUcppArUqDuhRANCAATSpsvQxbW+P2SNo0Z+D8hm9WV5+Qqx
6IaHydt42WnBd+upQ7B0nAgiWVehAAhUOfn0F+ZYvre/J0t9/HW1NIVX
-----END PRIVATE KEY-----
";

/// When [`CERTIFICATE`] ends.
const EXPIRES_S: i64 = 4_948_820_630;

fn write(dir: &TempDir, name: &str, certificate: &str, key: &str) -> CertificateFiles {
    let file = |ending: &str, text: &str| {
        // As renewals do it: a new file in the place of the old one.
        let (path, staged) = (dir.path().join(format!("{name}.{ending}")), dir.path().join("staged"));
        std::fs::write(&staged, text).unwrap();
        std::fs::rename(&staged, &path).unwrap();
        path
    };
    CertificateFiles { certificate: file("pem", certificate), key: file("key.pem", key) }
}

fn fixture(name: &str) -> (String, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/tls");
    let read = |file: String| std::fs::read_to_string(folder.join(file)).unwrap();
    (read(format!("{name}.pem")), read(format!("{name}.key.pem")))
}

fn load(files: Vec<CertificateFiles>) -> Result<Arc<Certificates>, CertificateError> {
    listener(files, None, Arc::default())
}

fn listener(
    files: Vec<CertificateFiles>,
    folder: Option<&Path>,
    metrics: Arc<Metrics>,
) -> Result<Arc<Certificates>, CertificateError> {
    Ok(Certificates::of(Sources::load(files, folder.map(Path::to_owned), false, &metrics)?, None, metrics))
}

#[test]
fn a_broken_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    for (certificate, key, file) in [
        ("", KEY, "broken.pem"),
        ("no PEM", KEY, "broken.pem"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", KEY, "broken.pem"),
        (CERTIFICATE, "", "broken.key.pem"),
        (CERTIFICATE, CERTIFICATE, "broken.key.pem"),
        (CERTIFICATE, OTHER_KEY, "broken.key.pem"),
    ] {
        let error = load(vec![write(&dir, "broken", certificate, key)]).unwrap_err().to_string();
        assert!(error.contains(file), "{error}");
    }
    let files = write(&dir, "missing", CERTIFICATE, KEY);
    let missing = CertificateFiles { certificate: "/nonexistent/chain.pem".into(), ..files };
    assert!(load(vec![missing]).unwrap_err().to_string().contains("/nonexistent/chain.pem"));
}

/// Does a handshake in memory; returns the certificate that a client gets that asks for this name.
fn shown(certificates: &Arc<Certificates>, name: &str) -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let client = client.dangerous().with_custom_certificate_verifier(Arc::new(Anybody)).with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(client), name).unwrap();
    let config = certificates.server_config(&[]).unwrap();
    let mut server = rustls::ServerConnection::new(config).unwrap();
    while client.peer_certificates().is_none() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut &*wire).unwrap();
        server.process_new_packets().unwrap();
        wire.clear();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut &*wire).unwrap();
        client.process_new_packets().unwrap();
    }
    client.peer_certificates().unwrap()[0].to_vec()
}

fn der(pem: &str) -> Vec<u8> {
    use rustls_pki_types::pem::PemObject as _;
    rustls_pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}

#[test]
fn a_client_is_shown_the_certificate_for_the_name_that_it_asks_for() {
    let dir = tempfile::tempdir().unwrap();
    let ((shop, shop_key), (wildcard, wildcard_key)) = (fixture("shop"), fixture("wildcard"));
    let certificates = load(vec![
        write(&dir, "first", CERTIFICATE, KEY),
        write(&dir, "wildcard", &wildcard, &wildcard_key),
        write(&dir, "shop", &shop, &shop_key),
    ])
    .unwrap();
    for (name, pem) in [
        ("shop.example", &*shop),
        ("www.shop.example", &shop),
        ("blog.shop.example", &wildcard),
        ("a.b.shop.example", CERTIFICATE),
        ("elsewhere.example", CERTIFICATE),
        ("localhost", CERTIFICATE),
        // An address is no name: such clients send none.
        ("127.0.0.1", CERTIFICATE),
    ] {
        assert_eq!(shown(&certificates, name), der(pem), "{name}");
    }
    assert_eq!(certificates.name().as_deref(), Some("localhost"));
}

#[test]
fn a_renewed_certificate_is_served_and_a_broken_one_leaves_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let (shop, shop_key) = fixture("shop");
    let metrics = Arc::new(Metrics::new());
    let files = vec![write(&dir, "first", CERTIFICATE, KEY), write(&dir, "other", CERTIFICATE, KEY)];
    let file = files[0].certificate.display().to_string();
    let certificates = listener(files, None, Arc::clone(&metrics)).unwrap();
    let told = |line: &str| metrics.encode().contains(&line.replace("FILE", &file));
    assert!(told(&format!(
        "vitrine_certificate_expiry_seconds{{file=\"FILE\",name=\"localhost\"}} {EXPIRES_S}"
    )));

    // The certificate is there before its key.
    write(&dir, "first", &shop, KEY);
    certificates.refresh();
    assert_eq!(shown(&certificates, "localhost"), der(CERTIFICATE));
    assert!(told("vitrine_certificate_reload_failures_total{file=\"FILE\"} 1"));
    write(&dir, "first", &shop, &shop_key);
    certificates.refresh();
    assert_eq!(shown(&certificates, "shop.example"), der(&shop));
    assert!(told("file=\"FILE\",name=\"shop.example\"") && !told("file=\"FILE\",name=\"localhost\""));

    std::fs::remove_file(&file).unwrap();
    certificates.refresh();
    certificates.refresh();
    assert_eq!(shown(&certificates, "shop.example"), der(&shop));
    assert!(told("vitrine_certificate_reload_failures_total{file=\"FILE\"} 2"), "told once");
}

#[test]
fn pairs_of_a_folder_come_and_go_and_a_broken_one_leaves_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let ((shop, shop_key), (wildcard, wildcard_key)) = (fixture("shop"), fixture("wildcard"));
    let metrics = Arc::new(Metrics::new());
    let empty = listener(Vec::new(), Some(dir.path()), Arc::clone(&metrics)).unwrap_err().to_string();
    assert!(empty.contains(&dir.path().display().to_string()), "{empty}");
    write(&dir, "broken", CERTIFICATE, OTHER_KEY);
    write(&dir, "wildcard", &wildcard, &wildcard_key);
    let certificates = listener(Vec::new(), Some(dir.path()), Arc::clone(&metrics)).unwrap();
    let told = |name: &str, line: &str| {
        let path = dir.path().join(name).display().to_string();
        metrics.encode().contains(&line.replace("FILE", &format!("file=\"{path}\"")))
    };
    assert!(told("broken.pem", "vitrine_certificate_reload_failures_total{FILE} 1"));
    let all = Sources::load(Vec::new(), Some(dir.path().to_owned()), true, &Metrics::new());
    assert!(all.unwrap_err().to_string().contains("broken.key.pem"));

    let seen = |name: &str, pem: &str| {
        certificates.refresh();
        assert_eq!(shown(&certificates, name), der(pem), "{name}");
    };
    // One alone is for everybody; `default` is where there are several.
    seen("localhost", &wildcard);
    write(&dir, "default", CERTIFICATE, KEY);
    seen("elsewhere.example", CERTIFICATE);
    seen("blog.shop.example", &wildcard);
    seen("www.shop.example", &wildcard);
    let added = write(&dir, "shop", &shop, &shop_key);
    seen("www.shop.example", &shop);
    write(&dir, "shop", "no PEM", &shop_key);
    seen("www.shop.example", &shop);
    assert!(told("shop.pem", "vitrine_certificate_reload_failures_total{FILE} 1"));
    // A file that is absent for a moment is being replaced.
    std::fs::remove_file(&added.certificate).unwrap();
    std::fs::remove_file(&added.key).unwrap();
    seen("www.shop.example", &shop);
    seen("www.shop.example", &wildcard);
    assert!(!told("shop.pem", "FILE"));
    write(&dir, "shop", &shop, &shop_key);
    seen("www.shop.example", &shop);
    std::fs::rename(dir.path(), dir.path().with_extension("away")).unwrap();
    for _ in 0..3 {
        seen("www.shop.example", &shop);
    }
    std::fs::rename(dir.path().with_extension("away"), dir.path()).unwrap();
}

#[test]
fn of_two_for_one_name_that_is_served_which_lasts_longer() {
    let dir = tempfile::tempdir().unwrap();
    let (local, local_key) = fixture("localhost");
    write(&dir, "a", &local, &local_key);
    write(&dir, "b", CERTIFICATE, KEY);
    let certificates = listener(Vec::new(), Some(dir.path()), Arc::default()).unwrap();
    assert_eq!(shown(&certificates, "localhost"), der(CERTIFICATE));
    assert_eq!(shown(&certificates, "elsewhere.example"), der(&local), "the first is for everybody else");
}

#[test]
fn the_end_of_a_certificate_is_read_in_both_forms() {
    assert_eq!(validity::validity_s(&der(CERTIFICATE)).unwrap().1, EXPIRES_S);
    let element = |tag: u8, content: &[u8]| [&[tag, content.len() as u8], content].concat();
    let times = [element(0x18, b"20260101000000Z"), element(0x17, b"260102030405Z")].concat();
    let fields = [element(2, &[1]), element(0x30, &[]), element(0x30, &[]), element(0x30, &times)].concat();
    let certificate = element(0x30, &element(0x30, &fields));
    assert_eq!(validity::validity_s(&certificate), Some((1_767_225_600, 1_767_323_045)));
    for length in 0..certificate.len() {
        assert_eq!(validity::validity_s(&certificate[..length]), None);
    }
}

/// Believes everybody.
#[derive(Debug)]
struct Anybody;

impl rustls::client::danger::ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &rustls_pki_types::CertificateDer<'_>,
        _: &[rustls_pki_types::CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: rustls_pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls_pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &rustls_pki_types::CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        self.verify_tls12_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        vec![rustls::SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
