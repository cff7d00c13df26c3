//! Which rules may hold for a host and path. A host with tens of thousands of rules looks at the few that name the request's own.

use super::rule::Rule;
use std::collections::HashMap;

/// Rules by host, then by path. Within each list the places grow.
#[derive(Debug, Default)]
pub(super) struct Index {
    exact: HashMap<Box<str>, Paths>,
    /// By what follows `*.`.
    below: HashMap<Box<str>, Paths>,
    any: Paths,
}

#[derive(Debug, Default)]
struct Paths {
    exact: HashMap<Box<str>, Vec<u32>>,
    /// By what precedes `/*`.
    below: HashMap<Box<str>, Vec<u32>>,
    /// The most segments that one of those has: no more of a long path is looked up.
    deepest: usize,
    /// Rules without a path, and those with a pattern that is neither.
    other: Vec<u32>,
}

impl Index {
    pub(super) fn of(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        for (at, rule) in (0_u32..).zip(rules) {
            let paths = match rule.host() {
                None => &mut index.any,
                Some(host) => match host.strip_prefix("*.") {
                    Some(above) => index.below.entry(above.into()).or_default(),
                    None => index.exact.entry(host.into()).or_default(),
                },
            };
            paths.add(at, rule);
        }
        index
    }

    /// Host names that rules name whole.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &str> {
        self.exact.keys().map(|host| &**host)
    }

    pub(super) fn covers(&self, host: &str) -> bool {
        self.names(host) || above(host).any(|name| self.below.contains_key(name))
    }

    pub(super) fn names(&self, host: &str) -> bool {
        self.exact.contains_key(host)
    }

    /// Places of rules that may hold, in their order.
    pub(super) fn candidates(&self, host: &str, path: impl AsRef<str>) -> Candidates<'_> {
        let path = path.as_ref();
        let mut lists = Vec::with_capacity(8);
        if let Some(paths) = self.exact.get(host) {
            paths.collect(path, &mut lists);
        }
        if !self.below.is_empty() {
            for paths in above(host).filter_map(|name| self.below.get(name)) {
                paths.collect(path, &mut lists);
            }
        }
        self.any.collect(path, &mut lists);
        Candidates(lists)
    }
}

/// The names that a host name is below.
fn above(host: &str) -> impl Iterator<Item = &str> {
    host.bytes().enumerate().filter(|(_, byte)| *byte == b'.').map(|(at, _)| &host[at + 1..])
}

impl Paths {
    fn add(&mut self, at: u32, rule: &Rule) {
        let pattern = rule.path();
        let list = if let Some(path) = pattern.and_then(|pattern| pattern.exact()) {
            self.exact.entry(path.into()).or_default()
        } else if let Some(prefix) = pattern.and_then(|pattern| pattern.prefix()) {
            self.deepest = self.deepest.max(prefix.matches('/').count());
            self.below.entry(prefix.into()).or_default()
        } else {
            &mut self.other
        };
        list.push(at);
    }

    fn collect<'a>(&'a self, path: &str, lists: &mut Vec<&'a [u32]>) {
        let found = [Some(&self.other), self.exact.get(path)];
        lists.extend(found.into_iter().flatten().map(Vec::as_slice).filter(|list| !list.is_empty()));
        if self.below.is_empty() {
            return;
        }
        let slashes = path.bytes().enumerate().filter(|(_, byte)| *byte == b'/').map(|(at, _)| at);
        let ends = slashes.take(self.deepest + 1).chain([path.len()]);
        lists.extend(ends.filter_map(|end| self.below.get(&path[..end])).map(Vec::as_slice));
    }
}

/// Merges lists of places into one that grows.
pub(super) struct Candidates<'a>(Vec<&'a [u32]>);

impl Iterator for Candidates<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let heads = self.0.iter().enumerate().filter_map(|(list, places)| Some((*places.first()?, list)));
        let (place, list) = heads.min()?;
        self.0[list] = &self.0[list][1..];
        Some(place as usize)
    }
}
