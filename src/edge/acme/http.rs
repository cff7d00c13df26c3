//! Calls of an authority, with a bound on time and on what it may answer.

use super::error::AcmeError;
use bytes::Bytes;
use http::Request;
use http_body_util::Limited;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::ClientConfig;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use vitrine_core::limits::{ACME_ANSWER_BYTES_MAX, ACME_CALL_MS};
use vitrine_proxy::certificates::{CertificateError, roots};

/// The HTTP client that instant-acme calls an authority with.
#[derive(Debug, Clone)]
pub(super) struct Calls(Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>);

impl Calls {
    /// Trusts the system's authorities, or those of this file alone. Reads files.
    pub(super) fn new(ca: Option<&Path>) -> Result<Self, AcmeError> {
        let provider = rustls::crypto::ring::default_provider();
        let builder = HttpsConnectorBuilder::new();
        let trusting = match ca {
            None => builder.with_provider_and_platform_verifier(provider).map_err(AcmeError::System)?,
            Some(path) => {
                let roots = roots(path).map_err(AcmeError::Roots)?;
                let config = ClientConfig::builder_with_provider(Arc::new(provider))
                    .with_safe_default_protocol_versions()
                    .map_err(|error| AcmeError::Roots(CertificateError::Versions(error)))?;
                builder.with_tls_config(config.with_root_certificates(roots).with_no_client_auth())
            }
        };
        let connector = trusting.https_only().enable_all_versions().build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }
}

impl HttpClient for Calls {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let called = self.0.request(request);
        Box::pin(async move {
            match tokio::time::timeout(Duration::from_millis(ACME_CALL_MS), called).await {
                Err(_) => Err(Error::Str("the authority did not answer in time")),
                Ok(Err(error)) => Err(Error::Other(Box::new(error))),
                Ok(Ok(answer)) => {
                    Ok(BytesResponse::from(answer.map(|body| Limited::new(body, ACME_ANSWER_BYTES_MAX))))
                }
            }
        })
    }
}
