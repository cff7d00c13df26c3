//! The deployments that run, and the last of those that ran.

use super::operation::Operation;
use crate::admin::idempotency::{IdempotencyKey, key_reused};
use crate::admin::problem::{Kind, Problem};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vitrine_core::id::AppName;
use vitrine_core::limits::{DEPLOYS_KEPT_MAX, DEPLOYS_KEPT_OF_APP_MAX, DEPLOYS_OF_APP_MAX};

/// See the module. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deployments(Arc<Mutex<Vec<Arc<Operation>>>>);

/// What a request to deploy leads to.
pub(super) enum Admitted {
    /// Its deployment, which is new.
    New(Arc<Operation>),
    /// That of the same request, which came before.
    Same(Arc<Operation>),
}

impl Deployments {
    /// Adds a deployment, unless its request came before with the same key.
    ///
    /// # Errors
    /// [`Kind::KeyReused`]; [`Kind::Busy`] where too many of its app run.
    pub(super) fn admit(&self, new: Operation) -> Result<Admitted, Problem> {
        let mut all = self.lock();
        if let Some(IdempotencyKey { key, request }) = &new.once {
            let of_key = |one: &&Arc<Operation>| {
                one.who == new.who && one.once.as_ref().is_some_and(|once| once.key == *key)
            };
            match all.iter().find(of_key) {
                Some(same) if same.once.as_ref().is_some_and(|once| once.request == *request) => {
                    return Ok(Admitted::Same(Arc::clone(same)));
                }
                Some(_) => return Err(key_reused(key)),
                None => {}
            }
        }
        let app = &new.release.app;
        if all.iter().filter(|one| one.release.app == *app && !one.is_over()).count() >= DEPLOYS_OF_APP_MAX {
            let text =
                format!("`{app}` is being deployed {DEPLOYS_OF_APP_MAX} times at once; wait for one of them");
            return Err(Problem::new(Kind::Busy, text));
        }
        let new = Arc::new(new);
        all.push(Arc::clone(&new));
        drop_surplus(&mut all, DEPLOYS_KEPT_OF_APP_MAX, |one| one.release.app == new.release.app);
        drop_surplus(&mut all, DEPLOYS_KEPT_MAX, |_| true);
        Ok(Admitted::New(new))
    }

    /// Forgets one that did not begin.
    pub(super) fn forget(&self, operation: &Arc<Operation>) {
        self.lock().retain(|one| !Arc::ptr_eq(one, operation));
    }

    /// Forgets those of an app, which was removed: another app may get its name. Those that run are listed no more, and forgotten at
    /// their end.
    pub(crate) fn forget_app(&self, app: &AppName) {
        self.lock().retain(|one| {
            let is_its_own = one.release.app == *app;
            if is_its_own {
                one.orphaned.store(true, Ordering::SeqCst);
            }
            !(is_its_own && one.is_over())
        });
    }

    /// One has ended.
    pub(super) fn ended(&self, operation: &Operation) {
        if operation.orphaned.load(Ordering::SeqCst) {
            self.lock().retain(|one| !(one.number == operation.number && one.is_over()));
        }
    }

    /// Those of an app, the newest first.
    pub(super) fn of_app(&self, app: &AppName) -> Vec<Arc<Operation>> {
        let is_listed =
            |one: &&Arc<Operation>| one.release.app == *app && !one.orphaned.load(Ordering::SeqCst);
        let mut found: Vec<_> = self.lock().iter().filter(is_listed).map(Arc::clone).collect();
        found.sort_by_key(|one| std::cmp::Reverse(one.number));
        found
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Operation>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops the oldest of those that are over while there are more than `max`.
fn drop_surplus(all: &mut Vec<Arc<Operation>>, max: usize, among: impl Fn(&Operation) -> bool) {
    let is_kept = |one: &Arc<Operation>| one.is_over() && among(one);
    let mut surplus = all.iter().filter(|one| is_kept(one)).count().saturating_sub(max);
    all.retain(|one| {
        let goes = surplus > 0 && is_kept(one);
        surplus -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::deployments::view::{DeployEnd, DeployResult};
    use vitrine_core::scope::Actor;

    fn begun(all: &Deployments, number: u64, release: &str) -> Arc<Operation> {
        let new = Operation::begin(number, release.parse().unwrap(), Actor::Root, 1, None);
        match all.admit(new).unwrap_or_else(|problem| panic!("{problem:?}")) {
            Admitted::New(operation) | Admitted::Same(operation) => operation,
        }
    }

    fn end(operation: &Operation) {
        let end = DeployEnd {
            result: DeployResult::Failed,
            id: operation.number.to_string(),
            release: operation.release.to_string(),
            url: None,
            error: None,
            uploaded: None,
            switched: None,
            notices: Vec::new(),
        };
        operation.end(end, 2);
    }

    #[test]
    fn the_next_owner_of_a_name_sees_no_deployment_of_the_app_before() {
        let all = Deployments::default();
        let shop: AppName = "shop".parse().unwrap();
        let (over, runs) = (begun(&all, 1, "shop@v1"), begun(&all, 2, "shop@v2"));
        begun(&all, 3, "blog@v1");
        end(&over);
        all.forget_app(&shop);
        assert!(all.of_app(&shop).is_empty());
        begun(&all, 4, "shop@v1");
        let numbers = || all.lock().iter().map(|one| one.number).collect::<Vec<_>>();
        assert_eq!((all.of_app(&shop)[0].number, numbers()), (4, vec![2, 3, 4]));
        end(&runs);
        all.ended(&runs);
        assert_eq!(numbers(), [3, 4]);
    }
}
