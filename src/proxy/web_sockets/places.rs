//! Places for WebSockets: so many for all apps, and a share of them for each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vitrine_core::id::AppName;
use vitrine_core::limits::{WEB_SOCKETS_MAX, WEB_SOCKETS_OF_APP_MAX};

/// The places of a host.
#[derive(Debug, Default)]
pub struct SocketPlaces(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_app: HashMap<AppName, usize>,
}

/// A socket's place, free again when dropped.
#[derive(Debug)]
pub struct SocketPlace {
    places: Arc<SocketPlaces>,
    app: AppName,
}

impl SocketPlaces {
    /// A place for a socket of this app; `None` if all of them, or all of the app's, are taken.
    pub fn take(self: &Arc<Self>, app: &AppName) -> Option<SocketPlace> {
        let mut taken = self.lock();
        let of_app = taken.by_app.get(app).copied().unwrap_or_default();
        if taken.all >= WEB_SOCKETS_MAX || of_app >= WEB_SOCKETS_OF_APP_MAX {
            return None;
        }
        taken.all += 1;
        taken.by_app.insert(app.clone(), of_app + 1);
        Some(SocketPlace { places: Arc::clone(self), app: app.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SocketPlace {
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
        let places = Arc::<SocketPlaces>::default();
        let fill = |app: &str| std::iter::from_fn(|| places.take(&app.parse().unwrap())).collect::<Vec<_>>();
        let (first, second, third) = (fill("first"), fill("second"), fill("third"));
        assert_eq!(
            (first.len(), second.len(), third.len()),
            (WEB_SOCKETS_OF_APP_MAX, WEB_SOCKETS_OF_APP_MAX, 0)
        );
        drop(first);
        assert_eq!(fill("third").len(), WEB_SOCKETS_OF_APP_MAX);
        drop(second);
        assert!(places.lock().by_app.is_empty() && places.lock().all == 0);
    }
}
