//! What an entry is found by: whose it is, its address, and what tells entries of one address apart beforehand.

use crate::no_vary_search::NoVarySearch;
use std::sync::Arc;
use vitrine_core::id::AppName;

/// Whose entries these are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Pages of one release, by its content: releases with the same files have the same pages.
    Release(Arc<str>),
    /// What an app fetched, whichever of its releases did.
    Fetched,
}

/// The key of an entry. Keys are compared whole, never by a digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// App.
    pub app: AppName,
    /// Whose.
    pub scope: Scope,
    /// Absolute address with its query.
    pub url: Box<str>,
    /// What tells entries of this address apart, as far as that is known beforehand.
    pub variant: Box<[u8]>,
}

impl Key {
    /// The same for every query that makes no other difference than this one.
    #[must_use]
    pub fn as_far_as(mut self, said: &NoVarySearch) -> Self {
        if let Some((page, query)) = self.url.split_once('?') {
            self.url = match said.kept(query) {
                Some(kept) => [page, "?", &kept].concat().into(),
                None => page.into(),
            };
        }
        self
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        let scope = match &self.scope {
            Scope::Release(release) => release.len(),
            Scope::Fetched => 0,
        };
        self.app.as_str().len() + scope + self.url.len() + self.variant.len()
    }

    /// The path of its address, with the query.
    pub(crate) fn page(&self) -> &str {
        let after_scheme = self.url.find("://").map_or(0, |at| at + 3);
        let rest = &self.url[after_scheme..];
        rest.find('/').map_or("/", |at| &rest[at..])
    }

    /// The path of its address, without the query.
    pub(crate) fn path(&self) -> &str {
        let page = self.page();
        page.split(['?', '#']).next().unwrap_or(page)
    }
}

/// The tag by which what was fetched from one address is purged, and pages that were made of it.
#[must_use]
pub fn url_tag(url: &str) -> String {
    format!("url:{url}")
}

/// The tag by which one path is purged.
#[must_use]
pub fn path_tag(path: &str) -> String {
    format!("path:{path}")
}
