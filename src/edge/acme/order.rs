//! One order: a challenge is shown, and a certificate comes back.

use super::error::AcmeError;
use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Identifier, KeyAuthorization, NewOrder, Order, OrderStatus,
    RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::sign::CertifiedKey;
use rustls_pki_types::PrivatePkcs8KeyDer;
use std::sync::Arc;
use std::time::Duration;
use vitrine_core::config::ChallengeKind;
use vitrine_core::limits::{ACME_POLL_MS, ACME_STEP_MS};
use vitrine_proxy::certificates::{Challenge, Issued, Shown};

/// A chain in PEM, and its key in PKCS #8.
pub(super) struct Ordered {
    pub(super) chain: String,
    pub(super) key: Vec<u8>,
}

/// Orders a certificate for a name.
pub(super) async fn certificate(
    account: &Account,
    name: &str,
    kind: ChallengeKind,
    issued: &Arc<Issued>,
) -> Result<Ordered, AcmeError> {
    let identifiers = [Identifier::Dns(name.to_owned())];
    let order = account.new_order(&NewOrder::new(&identifiers)).await;
    let mut order = order.map_err(AcmeError::call("begin an order"))?;
    let steps = RetryPolicy::new()
        .initial_delay(Duration::from_millis(ACME_POLL_MS))
        .backoff(1.5)
        .timeout(Duration::from_millis(ACME_STEP_MS));
    let shown = show(&mut order, name, kind, issued).await?;
    let looked = order.poll_ready(&steps).await;
    drop(shown);
    if order.state().status == OrderStatus::Invalid {
        return Err(refusal(&mut order).await);
    }
    looked.map_err(AcmeError::call("look at a name"))?;
    let key = KeyPair::generate()?;
    let mut request = CertificateParams::new([name.to_owned()])?;
    request.distinguished_name = DistinguishedName::new();
    let request = request.serialize_request(&key)?;
    order.finalize_csr(request.der()).await.map_err(AcmeError::call("finish an order"))?;
    let chain = order.poll_certificate(&steps).await.map_err(AcmeError::call("fetch a certificate"))?;
    Ok(Ordered { chain, key: key.serialize_der() })
}

/// Shows the challenges of the order's names, and tells the authority to look.
async fn show(
    order: &mut Order,
    name: &str,
    kind: ChallengeKind,
    issued: &Arc<Issued>,
) -> Result<Vec<Shown>, AcmeError> {
    let mut shown = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.map_err(AcmeError::call("read an authorization"))?;
        // Seen not long ago.
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let wanted = match kind {
            ChallengeKind::Http => ChallengeType::Http01,
            ChallengeKind::TlsAlpn => ChallengeType::TlsAlpn01,
        };
        let challenge = authorization.challenge(wanted);
        let mut challenge = challenge.ok_or(AcmeError::NotOffered)?;
        let expected = challenge.key_authorization();
        let answer = match kind {
            ChallengeKind::Http => {
                Challenge::Http { token: challenge.token.clone(), text: expected.as_str().to_owned() }
            }
            ChallengeKind::TlsAlpn => Challenge::TlsAlpn(self_signed(name, &expected)?),
        };
        shown.push(issued.show(name, answer));
        challenge.set_ready().await.map_err(AcmeError::call("have a name looked at"))?;
    }
    Ok(shown)
}

/// The certificate that shows a challenge in a handshake (RFC 8737).
fn self_signed(name: &str, expected: &KeyAuthorization) -> Result<Arc<CertifiedKey>, AcmeError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new([name.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(expected.digest().as_ref())];
    let certificate = params.self_signed(&key)?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let key = rustls::crypto::ring::default_provider().key_provider.load_private_key(key);
    // Its fit is not checked: the library takes no certificate with such an extension for a valid one.
    Ok(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key.map_err(AcmeError::Own)?)))
}

/// The authority's reason for refusing a name.
async fn refusal(order: &mut Order) -> AcmeError {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        if let Ok(state) = authorization.refresh().await
            && let Some(problem) = state.challenges.iter().find_map(|challenge| challenge.error.as_ref())
        {
            return AcmeError::Refused { problem: problem.to_string() };
        }
    }
    AcmeError::Refused { problem: "no reason was given".into() }
}
