//! Where apps may go.

use super::{AppResources, Config, PrivateRule};
use crate::id::AppName;
use serde::{Deserialize, Serialize};

/// Where apps may go. A bundle's own list is cut down to this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EgressPolicy {
    /// Origins that bundles may name (`https://api.example.com`, `https://*.example.com`); absent is any public one.
    pub allow: Option<Vec<String>>,
    /// Private services that the operator opens to every app.
    pub allow_private: Vec<PrivateRule>,
    /// Time for one call until its response head, in milliseconds.
    pub timeout_ms: u64,
    /// The app whose previews may not call these private services, which its other releases may.
    #[serde(skip)]
    pub not_for_previews: Option<(AppName, Vec<PrivateRule>)>,
}

impl Default for EgressPolicy {
    fn default() -> Self {
        Self { allow: None, allow_private: Vec::new(), timeout_ms: 10_000, not_for_previews: None }
    }
}

/// What the operator decides for one app.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppRules {
    /// See [`AppEgress`].
    pub egress: AppEgress,
    /// See [`AppResources`].
    pub worker: AppResources,
}

/// Where one app may go besides.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppEgress {
    /// Private services that are opened to this app's releases that see its production values; to no preview, unless `previews` says so.
    pub allow_private: Vec<PrivateRule>,
    /// Whether they are opened to previews too, and to releases that were uploaded without the right to promote.
    pub previews: bool,
}

impl Config {
    /// The policy for a release of an app; `vouched` is whether it sees the app's production values.
    #[must_use]
    pub fn egress_of(&self, app: &AppName, vouched: bool) -> EgressPolicy {
        let mut policy = self.egress.clone();
        if let Some(AppRules { egress, .. }) = self.apps.get(app) {
            match vouched || egress.previews {
                true => policy.allow_private.extend_from_slice(&egress.allow_private),
                false => policy.not_for_previews = Some((app.clone(), egress.allow_private.clone())),
            }
        }
        policy
    }
}
