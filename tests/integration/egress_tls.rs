//! What an app fetches over TLS: the system's certificates decide whom the host believes.

use crate::egress::deploy;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vitrine_test_support::host::Host;

fn pem(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// A service for `localhost` that speaks these protocols, as ALPN names them, and says which one it was asked in. Ends with the test.
async fn upstream(protocols: &[&[u8]]) -> SocketAddr {
    let chain = CertificateDer::pem_file_iter(pem("localhost.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(pem("localhost.key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = config.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = hyper::service::service_fn(async |request: http::Request<_>| {
                    let _: &hyper::body::Incoming = request.body();
                    let text = format!("{:?} {}", request.version(), request.uri().path());
                    Ok::<_, Infallible>(http::Response::new(text))
                });
                let executor = hyper_util::rt::TokioExecutor::new();
                let server = hyper_util::server::conn::auto::Builder::new(executor);
                // The host closes its connections when the test ends.
                let _ = server.serve_connection(hyper_util::rt::TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

/// A host that takes its certificates from this file, and an app that may call `upstreams`.
fn with_app(upstreams: &[SocketAddr], certificates: &Path) -> Host {
    let opened: Vec<String> = upstreams.iter().map(ToString::to_string).collect();
    let folder = Host::configured(&format!("[egress]\nallow_private = {opened:?}\n"));
    let environment = [("SSL_CERT_FILE", certificates.to_str().unwrap())];
    let host = Host::try_start(folder, &["--isolation", "process"], &environment).unwrap();
    let origins: Vec<String> =
        upstreams.iter().map(|one| format!("https://localhost:{}", one.port())).collect();
    deploy(&host, &serde_json::json!({ "egress": origins }));
    host
}

/// What the app reports about a call.
async fn call(host: &Arc<Host>, port: u16) -> (u16, Value) {
    let host = Arc::clone(host);
    let asked = move || {
        let answer = host.get("shop", &format!("/?u=https://localhost:{port}/secret&n=2")).send();
        (answer.status, answer.json())
    };
    tokio::task::spawn_blocking(asked).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_origin_whose_certificate_the_system_trusts_is_called_in_its_best_protocol() {
    let [old, new] = [upstream(&[]).await, upstream(&[b"h2", b"http/1.1"]).await];
    let host = Arc::new(with_app(&[old, new], &pem("root.pem")));
    for (address, protocol) in [(old, "HTTP/1.1"), (new, "HTTP/2.0")] {
        let (status, told) = call(&host, address.port()).await;
        assert_eq!(status, 200, "{told}");
        for result in told["results"].as_array().unwrap() {
            assert_eq!(result["body"], format!("{protocol} /secret"), "{told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_origin_whose_certificate_the_system_does_not_trust_is_not_called() {
    let address = upstream(&[]).await;
    // A certificate, but not the one that signed the origin's.
    let host = Arc::new(with_app(&[address], &pem("localhost.pem")));
    let (status, told) = call(&host, address.port()).await;
    let message = told["error"]["message"].as_str().unwrap_or_default();
    assert!(status == 502 && message.contains("certificate"), "{status} {told}");
}
