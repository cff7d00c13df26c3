//! What the render of a page fetched: by the tags of that, the page is purged, too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vitrine_core::limits::CACHE_DEPENDENCIES_MAX;

/// The renders that are under way whose pages may be kept, by the ids of their requests.
#[derive(Debug, Default)]
pub(crate) struct Renders(Mutex<HashMap<Box<str>, Vec<Box<str>>>>);

/// One of them; what its calls depend on is noted until this is dropped.
#[derive(Debug)]
pub struct Dependencies {
    renders: Arc<Renders>,
    request_id: Box<str>,
}

impl Renders {
    pub(crate) fn begin(self: &Arc<Self>, request_id: &str) -> Dependencies {
        self.lock().entry(request_id.into()).or_default();
        Dependencies { renders: Arc::clone(self), request_id: request_id.into() }
    }

    /// A call of this request depends on these tags.
    pub(crate) fn note<'a>(&self, request_id: &str, tags: impl Iterator<Item = &'a str>) {
        let mut renders = self.lock();
        let Some(noted) = renders.get_mut(request_id) else { return };
        for tag in tags {
            if noted.len() <= CACHE_DEPENDENCIES_MAX && !noted.iter().any(|known| **known == *tag) {
                noted.push(tag.into());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Vec<Box<str>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dependencies {
    /// The tags so far; none if there are more than a page may have.
    #[must_use]
    pub fn tags(&self) -> Option<Vec<Box<str>>> {
        let noted = self.renders.lock().get(&self.request_id).cloned().unwrap_or_default();
        (noted.len() <= CACHE_DEPENDENCIES_MAX).then_some(noted)
    }
}

impl Drop for Dependencies {
    fn drop(&mut self) {
        self.renders.lock().remove(&self.request_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_render_depends_on_is_known_while_it_is_under_way() {
        let renders = Arc::<Renders>::default();
        renders.note("r", ["early"].into_iter());
        let render = renders.begin("r");
        renders.note("r", ["a", "b", "a"].into_iter());
        renders.note("other", ["c"].into_iter());
        assert_eq!(render.tags().unwrap(), [Box::from("a"), Box::from("b")]);
        for number in 0..CACHE_DEPENDENCIES_MAX {
            renders.note("r", [number.to_string().as_str()].into_iter());
        }
        assert_eq!(render.tags(), None, "a purge of one that is not noted would not reach the page");
        drop(render);
        assert!(renders.lock().is_empty());
    }
}
