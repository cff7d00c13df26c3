//! Certificates that an authority issued to this host, and the challenges that it is shown before.

use arc_swap::ArcSwap;
use rustls::server::ClientHello;
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use vitrine_core::limits::ACME_ASKED_MAX;

/// The protocol that an authority names to be shown a challenge's certificate (RFC 8737).
pub(super) const PROTOCOL: &[u8] = b"acme-tls/1";

/// Proof for an authority that a name leads here.
#[derive(Debug)]
pub enum Challenge {
    /// Over HTTP, at the path that ends in the token.
    Http {
        /// Of the authority.
        token: String,
        /// The text that it expects there.
        text: String,
    },
    /// In a handshake that names `acme-tls/1`.
    TlsAlpn(Arc<CertifiedKey>),
}

/// See the module. Names are lower case.
#[derive(Debug)]
pub struct Issued {
    certificates: ArcSwap<HashMap<String, Arc<CertifiedKey>>>,
    /// By name: there is one order a name at once.
    challenges: Mutex<HashMap<String, Challenge>>,
    asked: Option<mpsc::Sender<String>>,
}

/// A challenge that is shown as long as this lives.
#[derive(Debug)]
pub struct Shown(Arc<Issued>, String);

impl Issued {
    /// Without any yet. The names that clients ask for in vain are told, if that is wanted.
    #[must_use]
    pub fn new(tells_names: bool) -> (Arc<Self>, Option<mpsc::Receiver<String>>) {
        let (send, asked) = tells_names.then(|| mpsc::channel(ACME_ASKED_MAX)).unzip();
        let (certificates, challenges) = Default::default();
        (Arc::new(Self { certificates, challenges, asked: send }), asked)
    }

    /// Serves certificates under their names from now on.
    pub fn serve(&self, issued: &[(String, Arc<CertifiedKey>)]) {
        self.change(|certificates| certificates.extend(issued.iter().cloned()));
    }

    /// Serves none under a name any more.
    pub fn withdraw(&self, name: &str) {
        self.change(|certificates| drop(certificates.remove(name)));
    }

    fn change(&self, change: impl Fn(&mut HashMap<String, Arc<CertifiedKey>>)) {
        self.certificates.rcu(|certificates| {
            let mut certificates = HashMap::clone(certificates);
            change(&mut certificates);
            certificates
        });
    }

    /// Shows a challenge under a name.
    #[must_use]
    pub fn show(self: &Arc<Self>, name: &str, challenge: Challenge) -> Shown {
        let mut challenges = self.challenges.lock().unwrap_or_else(PoisonError::into_inner);
        challenges.insert(name.to_owned(), challenge);
        Shown(Arc::clone(self), name.to_owned())
    }

    /// The text for an authority that asks this name for this token over HTTP.
    #[must_use]
    pub fn answer(&self, name: &str, asked: &str) -> Option<String> {
        let challenges = self.challenges.lock().unwrap_or_else(PoisonError::into_inner);
        match challenges.get(name)? {
            Challenge::Http { token, text } if token == asked => Some(text.clone()),
            _ => None,
        }
    }

    /// The certificate for an authority that asks this name for its challenge in a handshake.
    pub(super) fn shown_to_authority(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let challenges = self.challenges.lock().unwrap_or_else(PoisonError::into_inner);
        match challenges.get(&name.to_ascii_lowercase())? {
            Challenge::TlsAlpn(key) => Some(Arc::clone(key)),
            Challenge::Http { .. } => None,
        }
    }

    /// The certificate of a name. That there is none is told.
    pub(super) fn find(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let name = name.to_ascii_lowercase();
        let found = self.certificates.load().get(&name).cloned();
        if let (None, Some(asked)) = (&found, &self.asked) {
            // Its client asks again.
            let _ = asked.try_send(name);
        }
        found
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.challenges.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

/// Whether a handshake is an authority's, which wants to see a challenge and nothing else.
pub(super) fn is_of_authority(hello: &ClientHello<'_>) -> bool {
    hello.alpn().is_some_and(|mut protocols| protocols.next() == Some(PROTOCOL) && protocols.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_answered_under_its_own_name_as_long_as_it_is_shown() {
        let (issued, _) = Issued::new(false);
        let (token, text) = ("t1".to_owned(), "t1.key".to_owned());
        let shown = issued.show("a.example", Challenge::Http { token, text });
        assert_eq!(issued.answer("a.example", "t1").as_deref(), Some("t1.key"));
        for (name, token) in [("b.example", "t1"), ("a.example", "t2"), ("a.example", ""), ("", "t1")] {
            assert_eq!(issued.answer(name, token), None, "{name} {token}");
        }
        assert!(issued.shown_to_authority("a.example").is_none());
        drop(shown);
        assert_eq!(issued.answer("a.example", "t1"), None);
    }

    #[test]
    fn names_that_clients_ask_for_in_vain_are_told_and_never_more_than_are_looked_at() {
        let (issued, asked) = Issued::new(true);
        for _ in 0..10 * ACME_ASKED_MAX {
            assert!(issued.find("Shop.Example").is_none());
        }
        let mut asked = asked.unwrap();
        assert_eq!(asked.len(), ACME_ASKED_MAX);
        assert_eq!(asked.try_recv().unwrap(), "shop.example");
    }
}
