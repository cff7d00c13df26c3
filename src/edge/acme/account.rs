//! The account with the authority.

use super::error::AcmeError;
use super::http::Calls;
use super::record::Record;
use super::{Authority, blocking, now_s};
use instant_acme::{Account, AccountCredentials, NewAccount};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use vitrine_core::limits::ACME_STEP_MS;
use vitrine_core::telemetry::error_chain;

/// The account is kept under this name: no name of a host has a colon.
pub(super) const ACCOUNT: &str = ":account";

/// The account as it is kept.
#[derive(Serialize, Deserialize)]
struct KeptAccount {
    directory: String,
    email: Option<String>,
    credentials: AccountCredentials,
}

impl Authority {
    /// The account with the authority: the one that is kept, else a new one.
    pub(super) async fn account(&mut self) -> Option<Account> {
        if self.account.is_none() && now_s() >= self.account_record.retry_at_s() {
            let opened = tokio::time::timeout(Duration::from_millis(ACME_STEP_MS), self.open_account()).await;
            match opened.unwrap_or(Err(AcmeError::Late { waited_ms: ACME_STEP_MS })) {
                Ok(account) => {
                    self.account = Some(account);
                    self.account_record = Record::default();
                }
                Err(error) => {
                    let record = std::mem::take(&mut self.account_record);
                    self.account_record = record.failed(0, now_s(), rand::random());
                    let error = error_chain(&error);
                    tracing::error!(
                        error,
                        directory = self.rules.directory,
                        "there is no account with the authority"
                    );
                }
            }
        }
        self.account.clone()
    }

    async fn open_account(&self) -> Result<Account, AcmeError> {
        let ca = self.rules.ca.clone();
        let calls = blocking(move || Calls::new(ca.as_deref())).await?;
        let builder = || Account::builder_with_http(Box::new(calls.clone()));
        let kept = self.stored(|store| store.acme_records()).await?;
        let kept = kept.into_iter().find(|(name, _)| name == ACCOUNT);
        let kept = kept.map(|(_, bytes)| serde_json::from_slice::<KeptAccount>(&bytes));
        let contact = self.rules.email.as_ref().map(|email| format!("mailto:{email}"));
        let contact: Vec<&str> = contact.as_deref().into_iter().collect();
        let (account, credentials) = match kept.transpose().map_err(AcmeError::Account)? {
            Some(kept) if kept.directory == self.rules.directory => {
                let bytes = serde_json::to_vec(&kept.credentials).map_err(AcmeError::Account)?;
                let opened = builder().from_credentials(kept.credentials).await;
                let account = opened.map_err(AcmeError::call("open the account"))?;
                if kept.email == self.rules.email {
                    return Ok(account);
                }
                account
                    .update_contacts(&contact)
                    .await
                    .map_err(AcmeError::call("change the address of the account"))?;
                (account, serde_json::from_slice(&bytes).map_err(AcmeError::Account)?)
            }
            _ => {
                let wanted = NewAccount {
                    contact: &contact,
                    terms_of_service_agreed: true,
                    only_return_existing: false,
                };
                let made = builder().create(&wanted, self.rules.directory.clone(), None).await;
                made.map_err(AcmeError::call("make an account"))?
            }
        };
        let (directory, email) = (self.rules.directory.clone(), self.rules.email.clone());
        let kept = serde_json::to_vec(&KeptAccount { directory, email, credentials });
        let kept = kept.map_err(AcmeError::Account)?;
        self.stored(move |store| store.keep_acme(ACCOUNT, &kept)).await?;
        Ok(account)
    }
}
