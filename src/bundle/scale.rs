//! How many instances an app has.

use serde::{Deserialize, Serialize};
use vitrine_core::limits::INSTANCES_MAX;

/// `scale` of `vitrine.json`, and of an operator who knows better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Scale {
    /// Instances that users have at least.
    pub min: u32,
    /// Instances that they have at most.
    pub max: u32,
}

impl Default for Scale {
    fn default() -> Self {
        Self { min: 1, max: 1 }
    }
}

impl Scale {
    /// Holds the numbers against what any app may ask for.
    ///
    /// # Errors
    /// Name of the field that can't be used, and why.
    pub fn check(self) -> Result<(), (&'static str, String)> {
        if self.min == 0 {
            return Err(("min", "is 0; an app that users get has one instance at least".into()));
        }
        if self.max > INSTANCES_MAX {
            return Err(("max", format!("is {}; {INSTANCES_MAX} is the most", self.max)));
        }
        if self.max < self.min {
            return Err(("max", format!("is {}, and `min` is {}", self.max, self.min)));
        }
        Ok(())
    }

    /// The same within a bound.
    #[must_use]
    pub fn within(self, instances_max: u32) -> Self {
        Self { min: self.min.min(instances_max), max: self.max.min(instances_max) }
    }
}
