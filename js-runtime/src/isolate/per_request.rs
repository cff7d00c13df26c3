//! What each request has of something, so that one takes nothing from others.

use super::event::RequestNumber;
use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Counts by request. One that has none takes no room, also after its end.
#[derive(Debug, Default)]
pub struct PerRequest(RefCell<HashMap<RequestNumber, usize>>);

impl PerRequest {
    /// One more for a request. `false` when it has as many as it may.
    pub fn take(&self, request: RequestNumber, most: usize) -> bool {
        let mut counts = self.0.borrow_mut();
        let count = counts.entry(request).or_default();
        let has_room = *count < most;
        *count += usize::from(has_room);
        has_room
    }

    /// One less.
    pub fn give_back(&self, request: RequestNumber) {
        if let Entry::Occupied(mut count) = self.0.borrow_mut().entry(request) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}
