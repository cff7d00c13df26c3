//! The cache as operators see it: purged, explained, counted.

use super::{Records, Registry, ReleaseError};
use http::header::COOKIE;
use http::{HeaderName, Method};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;
use vitrine_cache::{Asked, Cache, Decision, Purge};
use vitrine_core::audit::{AuditAction, AuditResult, Event};
use vitrine_core::id::AppName;
use vitrine_wire::limits::{PURGE_ITEMS_MAX, PURGE_TEXT_BYTES_MAX};

/// What to purge of an app.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PurgeWish {
    /// Everything that has one of these tags: an app's `cache-tag`, or `url:URL` of what its render fetched.
    pub tags: Vec<String>,
    /// Pages with these paths: `/a` is one, `/a/*` is all below it and itself.
    pub paths: Vec<String>,
    /// Everything.
    pub all: bool,
    /// Whether what is purged may not even be used where a new one can't be made.
    pub hard: bool,
}

/// The page that is asked about.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CachedPage {
    /// Its path, with its query.
    pub path: String,
    /// Headers of the request that is asked about, a line for each: `name: value`.
    #[serde(default)]
    pub headers: String,
}

/// What became of the last answers that were asked of the app for a page.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CacheWhy {
    /// Path that was asked about.
    pub path: String,
    /// The newest first; none where the app was not asked for the page lately.
    pub decisions: Vec<CacheDecision>,
    /// What is kept of it now.
    #[serde(default)]
    pub kept: Vec<KeptPage>,
}

/// A page that is kept.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeptPage {
    /// Its address.
    pub url: String,
    /// How old it is, in seconds.
    pub age_s: u64,
    /// How long it is fresh, in seconds; 0 where it is stale.
    pub ttl_s: u64,
    /// How often it was given.
    pub hits: u64,
    /// Whether the request that is asked about is like those that it is kept for.
    pub fits: bool,
}

/// What became of one answer of the app.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CacheDecision {
    /// Release that gave it.
    pub release: String,
    /// When, as RFC 3339 has it.
    pub at: String,
    /// Address of the page.
    pub url: String,
    /// Whether it was kept.
    pub stored: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How long it is fresh, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<u64>,
    /// Request headers, and cookies as `cookie NAME`, by whose values it is told apart.
    pub told_apart_by: Vec<String>,
    /// Tags by which it is purged.
    pub tags: Vec<String>,
}

/// What the cache did for an app since the host started.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CacheStats {
    /// Whether there is a cache.
    pub enabled: bool,
    /// Requests by what came of them: `hit`, `stale`, `miss`, `bypass`.
    pub requests: BTreeMap<String, u64>,
    /// Answers that were kept.
    pub stored: u64,
    /// Answers that were not, by their reason.
    pub refused: BTreeMap<String, u64>,
    /// Entries now.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
    /// CPU time that renders did not take, in milliseconds.
    pub cpu_saved_ms: u64,
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct CacheDesk {
    pub registry: Arc<Registry>,
    /// Nothing where the operator wants no cache.
    pub cache: Option<Arc<Cache>>,
}

impl fmt::Display for PurgeWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tags = self.tags.iter().map(|tag| format!("tag {tag}"));
        let paths = self.paths.iter().map(|path| format!("path {path}"));
        let all = self.all.then(|| "all".to_owned());
        let hard = self.hard.then(|| "hard".to_owned());
        let texts: Vec<String> = tags.chain(paths).chain(all).chain(hard).take(8).collect();
        f.write_str(&texts.join(", "))
    }
}

impl PurgeWish {
    /// As the cache takes it.
    ///
    /// # Errors
    /// What can't be used, in words.
    pub fn check(&self) -> Result<Purge, String> {
        let count = self.tags.len() + self.paths.len();
        if count == 0 && !self.all {
            return Err("nothing to purge: name `tags`, `paths`, or `all`".into());
        }
        if count > PURGE_ITEMS_MAX {
            return Err(format!("{count} tags and paths; {PURGE_ITEMS_MAX} at once is the most"));
        }
        let mut purge = Purge { everything: self.all, hard: self.hard, ..Purge::default() };
        for tag in &self.tags {
            check_text("tag", tag)?;
            purge.tags.push(tag.clone());
        }
        for path in &self.paths {
            check_text("path", path)?;
            let (stem, below) = path.strip_suffix('*').map_or((path.as_str(), false), |stem| (stem, true));
            if !path.starts_with('/') || stem.contains('*') || (below && !stem.ends_with('/')) {
                return Err(format!("path `{path}` can't be purged; write `/a`, or `/a/*` for all below it"));
            }
            match below {
                true => purge.path_prefixes.push(stem.to_owned()),
                false => purge.tags.push(vitrine_cache::path_tag(stem)),
            }
        }
        Ok(purge)
    }
}

fn check_text(what: &str, text: &str) -> Result<(), String> {
    if text.is_empty()
        || text.len() > PURGE_TEXT_BYTES_MAX
        || text.bytes().any(|byte| byte <= b' ' || byte == 0x7f)
    {
        let text = text.escape_debug();
        return Err(format!(
            "{what} `{text}` is empty, longer than {PURGE_TEXT_BYTES_MAX} bytes, or has blanks in it"
        ));
    }
    Ok(())
}

impl CacheDesk {
    /// Purges; what was asked is on the record.
    pub(super) async fn purge(
        &self,
        records: &Records,
        app: &AppName,
        wish: &PurgeWish,
    ) -> Result<(), ReleaseError> {
        self.known(app)?;
        let purge = wish.check().map_err(ReleaseError::Purge)?;
        if let Some(cache) = &self.cache {
            cache.purge(app, &purge);
        }
        let mut event = Event::of_host(AuditAction::CachePurge, Some(wish.to_string()), AuditResult::Done);
        event.app = Some(app.clone());
        records.stored("record a purge", move |store| store.record_event(&event)).await
    }

    /// See [`CacheWhy`].
    pub(super) fn why(&self, app: &AppName, page: &CachedPage) -> Result<CacheWhy, ReleaseError> {
        self.known(app)?;
        let found = self.cache.as_ref().map(|cache| cache.decisions(app, &page.path)).unwrap_or_default();
        let asked = AskedAbout::of(&page.headers);
        let now = Instant::now();
        let kept = self.cache.as_ref().map(|cache| cache.kept(app, &page.path)).unwrap_or_default();
        let kept = kept.iter().map(|entry| KeptPage {
            url: entry.url().to_owned(),
            age_s: entry.age(now).as_secs(),
            ttl_s: entry.ttl(now).as_secs(),
            hits: entry.hits(),
            fits: entry.fits(&asked),
        });
        Ok(CacheWhy {
            path: page.path.clone(),
            decisions: found.into_iter().map(CacheDecision::from).collect(),
            kept: kept.collect(),
        })
    }

    /// See [`CacheStats`].
    pub(super) fn stats(&self, app: &AppName) -> Result<CacheStats, ReleaseError> {
        self.known(app)?;
        let Some(cache) = &self.cache else { return Ok(CacheStats::default()) };
        let stats = cache.stats(app);
        let requests =
            [("hit", stats.hits), ("stale", stats.stale), ("miss", stats.misses), ("bypass", stats.bypassed)];
        Ok(CacheStats {
            enabled: true,
            requests: requests.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
            stored: stats.stored,
            refused: stats.refused,
            entries: stats.entries,
            bytes: stats.bytes,
            cpu_saved_ms: stats.cpu_saved_us / 1000,
        })
    }

    fn known(&self, app: &AppName) -> Result<(), ReleaseError> {
        if self.registry.knows(app) { Ok(()) } else { Err(self.registry.no_app(app)) }
    }
}

/// A request that is asked about.
struct AskedAbout(Vec<(HeaderName, String)>);

impl AskedAbout {
    fn of(lines: &str) -> Self {
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().parse().ok()?, value.trim().to_owned()))
        };
        Self(lines.lines().filter_map(header).collect())
    }
}

impl Asked for AskedAbout {
    fn method(&self) -> &Method {
        &Method::GET
    }

    fn header(&self, name: &HeaderName) -> Option<Cow<'_, [u8]>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| Cow::Borrowed(value.as_bytes()))
    }

    fn cookie(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let (_, line) = self.0.iter().find(|(known, _)| known == COOKIE)?;
        let mut cookies = line.split(';').map(str::trim);
        let is_named = |cookie: &&str| cookie.split('=').next().map(str::trim_end) == Some(name);
        cookies.find(is_named).map(|cookie| Cow::Borrowed(cookie.as_bytes()))
    }
}

impl From<Decision> for CacheDecision {
    fn from(decision: Decision) -> Self {
        Self {
            release: decision.release,
            at: decision.at.to_string(),
            url: decision.url,
            stored: decision.reason.is_none(),
            reason: decision.reason,
            ttl_s: decision.ttl_s,
            told_apart_by: decision.told_apart_by,
            tags: decision.tags,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purge(json: &str) -> Result<Purge, String> {
        serde_json::from_str::<PurgeWish>(json).map_err(|error| error.to_string())?.check()
    }

    #[test]
    fn a_path_is_one_page_or_all_below_it() {
        let purge = purge(r#"{"tags": ["a"], "paths": ["/x", "/y/*", "/*"]}"#).unwrap();
        assert_eq!(purge.path_prefixes, ["/y/", "/"]);
        assert_eq!(purge.tags, ["a".to_owned(), vitrine_cache::path_tag("/x")]);
        assert!(!purge.everything && !purge.hard);
    }

    #[test]
    fn mistakes_purge_nothing_and_are_named() {
        for (json, says) in [
            ("{}", "nothing to purge"),
            (r#"{"tags": [""]}"#, "tag ``"),
            (r#"{"tags": ["a b"]}"#, "tag `a b`"),
            (r#"{"paths": ["a"]}"#, "path `a`"),
            (r#"{"paths": ["/a*"]}"#, "path `/a*`"),
            (r#"{"paths": ["/*/b"]}"#, "path `/*/b`"),
            (r#"{"tag": ["a"]}"#, "unknown field `tag`"),
        ] {
            assert!(purge(json).unwrap_err().contains(says), "{json}");
        }
        let many = PurgeWish { tags: vec!["a".into(); PURGE_ITEMS_MAX + 1], ..PurgeWish::default() };
        assert!(many.check().unwrap_err().contains("the most"));
    }
}
