//! Values of the environment as the admin side shows them.

use super::Switched;
use serde::{Deserialize, Serialize};

/// What the live release has under a name of the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LiveValue {
    /// This value.
    Same,
    /// An earlier value, or none yet: it was rolled back to.
    Other,
    /// This value, which was unset since: the next release does not get it.
    Only,
    /// Nothing: no release is live, or its bundle does not name it.
    Unread,
}

/// A name of an app's environment, with its value unless that is a secret.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EnvView {
    /// Name.
    pub name: String,
    /// Whether it is a secret.
    pub secret: bool,
    /// The value, unless it is a secret.
    pub value: Option<String>,
    /// When it was set, in milliseconds since the Unix epoch; 0 if it has no value.
    pub updated_ms: u64,
    /// Whether the live release runs with it.
    pub live: LiveValue,
    /// Whether it has no value, and is listed because the live or the newest release names it.
    #[serde(default)]
    pub unset: bool,
    /// Whether previews see production's value under this name.
    #[serde(default)]
    pub granted: bool,
}

/// What a change of the environment did.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct EnvChange {
    /// The new release with the new values, if one was live that reads them.
    pub switched: Option<Switched>,
    /// Names that are granted to previews: what is set here they see, too.
    pub granted: Vec<String>,
    /// Names that no release of the app lists in `env`; none while it has no release.
    pub unlisted: Vec<String>,
    /// Names that were unset and that the live or the newest release lists.
    pub without_value: Vec<String>,
}
