//! Who may look at releases that users never got.

use super::check::{Problem, problem};
use crate::id::AppName;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How previews, and other releases that users never got, are guarded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PreviewRules {
    /// File with the password that is asked for under their own host names; absent is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Apps that it is asked for; absent is every app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apps: Option<Vec<AppName>>,
}

pub(super) fn preview_problem(rules: &PreviewRules) -> Option<Problem> {
    if rules.password_file.is_none() && rules.apps.is_some() {
        return problem("previews.apps", "stands without `password_file`; name the file of the password");
    }
    None
}
