//! Health as ECS and its load balancer define it: fields, defaults, ranges and rules, without a clock and without effects.
//!
//! [`container`] is a container's own check and what it makes of a task, [`target`] is a target group's view of the same
//! worker under the rules of [`target_group`], [`traffic`] is which targets get requests, [`service`] is what a scheduler
//! does about it. Times that rules compare are given by the caller, as time since the start of what they are about.

pub mod container;
mod matcher;
mod policy;
pub mod service;
pub mod target;
pub mod target_group;
pub mod traffic;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

pub use container::{ContainerHealth, HealthCheck, HealthStatus, Probe, task_status};
pub use policy::HealthPolicy;
pub use target::{Check, Reason, Target, TargetState};
pub use target_group::TargetGroup;

/// A value that the service would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HealthError {
    /// A number outside of its range.
    #[error("`{field}` is {found}; it goes from {least} to {most}")]
    Range {
        /// Field, as the service names it.
        field: &'static str,
        /// What it is.
        found: u32,
        /// Least value.
        least: u32,
        /// Most.
        most: u32,
    },
    /// A list of codes that can't be read, or that holds one that no check may expect.
    #[error(
        "`Matcher` is `{found}`; write codes from {least} to {most}, such as `200`, `200,202` or `200-299`"
    )]
    Matcher {
        /// What it is.
        found: String,
        /// Least code.
        least: u16,
        /// Most.
        most: u16,
    },
    /// A path that is none.
    #[error(
        "`HealthCheckPath` is `{0}`; it begins with one `/` and has at most 1024 visible ASCII characters"
    )]
    Path(String),
}

impl HealthError {
    /// The field that it is about, as the service names it.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Range { field, .. } => field,
            Self::Matcher { .. } => "Matcher",
            Self::Path(_) => "HealthCheckPath",
        }
    }
}

/// Nothing, or an error that names the field and its range.
const fn within(field: &'static str, found: u32, least: u32, most: u32) -> Result<(), HealthError> {
    if found < least || found > most {
        return Err(HealthError::Range { field, found, least, most });
    }
    Ok(())
}
