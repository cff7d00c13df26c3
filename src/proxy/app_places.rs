//! Places for what apps hold of the host: so many for all apps, and a share of them for each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vitrine_core::id::AppName;

/// Places of one kind.
#[derive(Debug)]
pub struct AppPlaces {
    all_max: usize,
    of_app_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_app: HashMap<AppName, usize>,
}

/// A place, free again when dropped.
#[derive(Debug)]
pub struct AppPlace {
    places: Arc<AppPlaces>,
    app: AppName,
}

impl AppPlaces {
    /// So many for all apps, and so many of them for each.
    #[must_use]
    pub fn new(all_max: usize, of_app_max: usize) -> Arc<Self> {
        Arc::new(Self { all_max, of_app_max, taken: Mutex::default() })
    }

    /// A place for this app; `None` if all of them, or all of the app's, are taken.
    pub fn take(self: &Arc<Self>, app: &AppName) -> Option<AppPlace> {
        let mut taken = self.lock();
        let of_app = taken.by_app.get(app).copied().unwrap_or_default();
        if taken.all >= self.all_max || of_app >= self.of_app_max {
            return None;
        }
        taken.all += 1;
        taken.by_app.insert(app.clone(), of_app + 1);
        Some(AppPlace { places: Arc::clone(self), app: app.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AppPlace {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all -= 1;
        if let Some(of_app) = taken.by_app.get_mut(&self.app) {
            *of_app -= 1;
            if *of_app == 0 {
                taken.by_app.remove(&self.app);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_has_its_share_and_all_have_the_hosts() {
        let places = AppPlaces::new(4, 2);
        let fill = |app: &str| std::iter::from_fn(|| places.take(&app.parse().unwrap())).collect::<Vec<_>>();
        let (first, second, third) = (fill("first"), fill("second"), fill("third"));
        assert_eq!((first.len(), second.len(), third.len()), (2, 2, 0));
        drop(first);
        assert_eq!(fill("third").len(), 2);
        drop(second);
        assert!(places.lock().by_app.is_empty() && places.lock().all == 0);
    }
}
