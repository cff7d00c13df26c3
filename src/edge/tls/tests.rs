//! A certificate for `localhost` that lasts a hundred years, its key, and a key of somebody else.

use super::*;
use std::path::PathBuf;

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

fn with(certificate: &str, key: &str) -> (tempfile::TempDir, Tls) {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| -> PathBuf {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let listen = ([127, 0, 0, 1], 0).into();
    let tls = Tls { listen, certificate: file("chain.pem", certificate), key: file("key.pem", key) };
    (dir, tls)
}

/// A listener's configuration.
pub fn sound() -> Arc<ServerConfig> {
    let (_dir, tls) = with(CERTIFICATE, KEY);
    config(&tls).unwrap()
}

#[test]
fn a_broken_file_is_named() {
    for (certificate, key, file) in [
        ("", KEY, "chain.pem"),
        ("no PEM", KEY, "chain.pem"),
        (CERTIFICATE, "", "key.pem"),
        (CERTIFICATE, CERTIFICATE, "key.pem"),
        (CERTIFICATE, OTHER_KEY, "key.pem"),
    ] {
        let (_dir, tls) = with(certificate, key);
        let error = config(&tls).unwrap_err().to_string();
        assert!(error.contains(file), "{error}");
    }
    let (_dir, tls) = with(CERTIFICATE, KEY);
    let missing = Tls { certificate: "/nonexistent/chain.pem".into(), ..tls };
    assert!(config(&missing).unwrap_err().to_string().contains("/nonexistent/chain.pem"));
}
