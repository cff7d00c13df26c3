//! `[health]` of `vitrine.toml`.

use super::target_group::Attributes;
use super::{HealthCheck, HealthError, TargetGroup, within};
use serde::{Deserialize, Serialize};

/// Which checks run against a worker's `health.path`, besides the one at its start. Liveness is not among them: it always
/// runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct HealthPolicy {
    /// The container's check: passes on any status below 500.
    pub health_check: Option<HealthCheck>,
    /// The load balancer's check: passes on what its matcher names.
    pub target_group: Option<TargetGroup>,
    /// Which instances of a release get requests.
    pub target_group_attributes: Attributes,
    /// Time after a worker's start in which it is not replaced for its health, in seconds.
    pub health_check_grace_period_seconds: u32,
}

impl HealthPolicy {
    /// Holds every field against its range; gives the table that the error is about.
    ///
    /// # Errors
    /// The first field that can't be used.
    pub fn check(&self) -> Result<(), (&'static str, HealthError)> {
        if let Some(check) = &self.health_check {
            check.check().map_err(|error| ("health.healthCheck", error))?;
        }
        if let Some(group) = &self.target_group {
            group.check().map_err(|error| ("health.targetGroup", error))?;
        }
        self.target_group_attributes.check().map_err(|error| ("health.targetGroupAttributes", error))?;
        within("healthCheckGracePeriodSeconds", self.health_check_grace_period_seconds, 0, i32::MAX as u32)
            .map_err(|error| ("health", error))
    }
}
