//! Boots and warms an isolate according to its role.

use super::super::Plan;
use super::{Role, Thread};
use crate::isolate::boot::boot;
use crate::isolate::driver::Driver;
use crate::isolate::state::RuntimeState;
use crate::isolate::warm::{warm, warm_in_time};
use crate::request::lock;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use vitrine_wire::{BootFailure, LogLevel};

impl Thread {
    pub(super) async fn boot(&self) -> Result<Driver, BootFailure> {
        let plan = &self.plan;
        let settings = &plan.start.settings;
        let mut driver = boot(self.state(), &plan.start, &plan.bundle, plan.snapshot).await?;
        // No warm-up for single-use isolates, where it costs more than it saves, or when no other isolate serves: a cold one beats none.
        let is_awaited = plan.turns.is_some() || plan.serving.load(Ordering::Acquire) == 0;
        let is_late = matches!(self.role, Role::Replacement(_)) && is_awaited;
        if is_late || matches!(self.role, Role::Spare) {
            return Ok(driver);
        }
        if !matches!(self.role, Role::First) {
            let warmed = warm(&mut driver, settings).await;
            self.warmed(&driver, warmed);
        } else if plan.start.is_accepted {
            if let Err(failure) = warm_in_time(&mut driver, settings).await {
                lock(&plan.warm_failure).get_or_insert(failure);
                // What its pages lack is not known to be its own doing.
                driver.state.trust();
            }
        } else {
            warm(&mut driver, settings).await?;
        }
        if driver.engine.is_killed() {
            // It can't serve; the next one does as it is.
            drop(driver);
            driver = boot(self.state(), &plan.start, &plan.bundle, plan.snapshot).await?;
        }
        Ok(driver)
    }

    fn state(&self) -> Rc<RuntimeState> {
        let Plan { start, link, log, .. } = &*self.plan;
        Rc::new(RuntimeState::new(start.settings.limits.clone(), link.clone(), log.clone()))
    }

    /// A warm isolate is trusted anew; one that could not be warmed serves all the same.
    fn warmed(&self, driver: &Driver, warmed: Result<(), BootFailure>) {
        match warmed {
            Ok(()) => driver.state.trust(),
            Err(failure) => self.note(LogLevel::Warn, None, failure.message),
        }
    }

    /// A spare warms itself and waits. If it is needed before it is warm, it serves as far as it is: that is further than another which
    /// would have to boot. `false` when it is not needed any more.
    pub(super) async fn wait_as_spare(&mut self, driver: &mut Driver) -> bool {
        if !matches!(self.role, Role::Spare) {
            return true;
        }
        let plan = Arc::clone(&self.plan);
        let warmed = tokio::select! {
            biased;
            command = self.commands.recv() => return command.is_some(),
            warmed = warm(driver, &plan.start.settings) => warmed,
        };
        self.warmed(driver, warmed);
        !driver.engine.is_killed() && self.stay_frozen(driver).await.is_ok()
    }
}
