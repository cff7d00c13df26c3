//! Why an isolate stopped serving.

use crate::isolate::driver::TurnError;
use crate::isolate::engine::Killed;
use deno_core::error::CoreError;
use vitrine_wire::{Outcome, RestartReason};

/// Why an isolate stopped serving.
pub(super) enum Stop {
    /// The pool is gone.
    PoolGone,
    /// It has served its only request.
    Used,
    /// What its app answers lets its module state be doubted.
    Doubted(RestartReason),
    /// Its JavaScript was ended by force.
    Broken(Killed),
    /// A part of the platform failed in it.
    Failed(CoreError),
}

impl From<TurnError> for Stop {
    fn from(error: TurnError) -> Self {
        match error {
            TurnError::Killed(killed) => Self::Broken(killed),
            TurnError::EventLoop(error) => Self::Failed(error),
        }
    }
}

impl From<Killed> for Stop {
    fn from(killed: Killed) -> Self {
        Self::Broken(killed)
    }
}

impl Stop {
    /// Why the isolate is condemned, if it is.
    pub(super) fn reason(&self) -> Option<RestartReason> {
        match self {
            Self::PoolGone | Self::Used => None,
            Self::Doubted(reason) => Some(*reason),
            Self::Failed(_) => Some(RestartReason::Crashed),
            Self::Broken(killed) => Some(match killed.outcome {
                Outcome::CpuLimit => RestartReason::CpuLimit,
                Outcome::WallLimit => RestartReason::WallLimit,
                Outcome::HeapLimit => RestartReason::HeapLimit,
                _ => RestartReason::Crashed,
            }),
        }
    }
}
