//! What a target group of an application load balancer is set to.

use super::matcher::Matcher;
use super::{HealthError, within};
use serde::{Deserialize, Serialize};

/// Health check settings of a target group. Times in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct TargetGroup {
    /// Time from the start of one check to the start of the next.
    pub health_check_interval_seconds: u32,
    /// Time after which a check has failed. Documents disagree on the default (5, or 6 for HTTP): here it is 5.
    pub health_check_timeout_seconds: u32,
    /// Successes in a row that make an unhealthy target healthy. One that is new needs a single one.
    pub healthy_threshold_count: u32,
    /// Failures in a row that make a target unhealthy.
    pub unhealthy_threshold_count: u32,
    /// Codes that are a success.
    pub matcher: Matcher,
    /// What is asked for; without it the path that the bundle names.
    pub health_check_path: Option<String>,
}

impl Default for TargetGroup {
    fn default() -> Self {
        Self {
            health_check_interval_seconds: 30,
            health_check_timeout_seconds: 5,
            healthy_threshold_count: 5,
            unhealthy_threshold_count: 2,
            matcher: Matcher::default(),
            health_check_path: None,
        }
    }
}

impl TargetGroup {
    /// Holds the fields against the ranges that the load balancer accepts.
    ///
    /// # Errors
    /// [`HealthError::Range`] or [`HealthError::Path`] with the first field that can't be used.
    pub fn check(&self) -> Result<(), HealthError> {
        within("HealthCheckIntervalSeconds", self.health_check_interval_seconds, 5, 300)?;
        within("HealthCheckTimeoutSeconds", self.health_check_timeout_seconds, 2, 120)?;
        within("HealthyThresholdCount", self.healthy_threshold_count, 2, 10)?;
        within("UnhealthyThresholdCount", self.unhealthy_threshold_count, 2, 10)?;
        let Some(path) = &self.health_check_path else { return Ok(()) };
        let begins = path.starts_with('/') && !path.starts_with("//");
        if !begins || path.len() > 1024 || !path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return Err(HealthError::Path(path.clone()));
        }
        Ok(())
    }
}

/// Attributes of a target group that say which targets get requests. How long one that leaves may finish is `switching.drain_timeout_ms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attributes {
    /// Time in which the share of a new target grows, in seconds; 0 is off.
    #[serde(rename = "slow_start.duration_seconds")]
    pub slow_start_seconds: u32,
    /// Healthy targets below which all get requests.
    #[serde(rename = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count")]
    pub minimum_healthy_count: u32,
    /// The same as a part of all, in percent; none is off.
    #[serde(rename = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage")]
    pub minimum_healthy_percentage: Option<u32>,
}

impl Default for Attributes {
    fn default() -> Self {
        Self { slow_start_seconds: 0, minimum_healthy_count: 1, minimum_healthy_percentage: None }
    }
}

impl Attributes {
    /// Holds the attributes against the ranges that the load balancer accepts.
    ///
    /// # Errors
    /// [`HealthError::Range`] with the first one that is out of its range.
    pub fn check(&self) -> Result<(), HealthError> {
        if self.slow_start_seconds != 0 {
            within("slow_start.duration_seconds", self.slow_start_seconds, 30, 900)?;
        }
        within("minimum_healthy_targets.count", self.minimum_healthy_count, 1, u32::MAX)?;
        self.minimum_healthy_percentage
            .map_or(Ok(()), |percentage| within("minimum_healthy_targets.percentage", percentage, 1, 100))
    }
}
