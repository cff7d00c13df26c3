//! Why there is no certificate.

use vitrine_proxy::certificates::CertificateError;
use vitrine_store::StoreError;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub(super) enum AcmeError {
    #[error("the system's certificates, which the authority's address is checked with, can't be read")]
    System(#[source] std::io::Error),
    #[error("the certificates of `acme.ca`, which the authority's address is checked with, can't be used")]
    Roots(#[source] CertificateError),
    #[error("the authority could not be asked to {operation}")]
    Call {
        operation: &'static str,
        #[source]
        source: instant_acme::Error,
    },
    #[error("the authority refused the name: {problem}")]
    Refused { problem: String },
    #[error("the authority does not offer this challenge for the name")]
    NotOffered,
    #[error("the authority did not finish within {waited_ms} ms")]
    Late { waited_ms: u64 },
    #[error("no key or request could be made")]
    Made(#[from] rcgen::Error),
    #[error("the certificate that answers a challenge could not be made")]
    Own(#[source] rustls::Error),
    #[error("the authority sent a certificate that can't be used")]
    Unusable(#[source] CertificateError),
    #[error("the authority sent a certificate that is not for {name}")]
    Foreign { name: String },
    #[error("what is kept of an account can't be read")]
    Account(#[source] serde_json::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AcmeError {
    pub(super) fn call(operation: &'static str) -> impl FnOnce(instant_acme::Error) -> Self {
        move |source| Self::Call { operation, source }
    }

    /// Whether the authority says this, in its own words.
    pub(super) fn is(&self, kind: &str) -> bool {
        let Self::Call { source: instant_acme::Error::Api(problem), .. } = self else { return false };
        problem
            .r#type
            .as_deref()
            .is_some_and(|said| said.strip_prefix("urn:ietf:params:acme:error:") == Some(kind))
    }
}
