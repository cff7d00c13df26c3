//! `cache` of `vitrine.json`: what of the app's pages the host may keep for everybody.

use serde::{Deserialize, Serialize};
use vitrine_core::config::PathPattern;
use vitrine_core::limits::{CACHE_RULES_MAX, MANIFEST_TEXT_BYTES_MAX};

/// How pages are shared.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CacheWish {
    /// For all paths that no rule of `routes` names.
    pub mode: CacheMode,
    /// Cookies by whose values pages are kept apart.
    pub keyed_cookies: Vec<String>,
    /// Query parameters, or `PREFIX*`, that make no difference. The app never sees them in a GET.
    pub ignored_query: Vec<String>,
    /// Further rules; the first whose path matches holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<CacheRoute>,
}

/// What decides whether a page may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheMode {
    /// What the render read.
    #[default]
    Observed,
    /// The same, and renders of pages that are shared see only what they are kept apart by.
    Narrowed,
    /// `vary` alone, as in a CDN.
    Declared,
    /// No page is kept.
    Off,
}

/// The mode of some paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheRoute {
    /// Which paths.
    pub path: PathPattern,
    /// Their mode.
    pub mode: CacheMode,
}

impl CacheWish {
    /// The first field that can't be used, and why.
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        let lists = [
            ("keyed_cookies", self.keyed_cookies.len()),
            ("ignored_query", self.ignored_query.len()),
            ("routes", self.routes.len()),
        ];
        for (field, count) in lists {
            if count > CACHE_RULES_MAX {
                return Err((field.into(), format!("has {count} entries; {CACHE_RULES_MAX} is the most")));
            }
        }
        let is_token = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"=;,\"".contains(&byte))
        };
        for (at, name) in self.keyed_cookies.iter().enumerate() {
            if !is_token(name) || name.len() > MANIFEST_TEXT_BYTES_MAX {
                return Err((
                    format!("keyed_cookies[{at}]"),
                    format!("is `{name}`, which is no name of a cookie"),
                ));
            }
        }
        for (at, name) in self.ignored_query.iter().enumerate() {
            let stem = name.strip_suffix('*').unwrap_or(name);
            if stem.is_empty() || stem.contains(['*', '&', '=']) || name.len() > MANIFEST_TEXT_BYTES_MAX {
                let message = format!("is `{name}`; write the name of a parameter, or its beginning and `*`");
                return Err((format!("ignored_query[{at}]"), message));
            }
        }
        Ok(())
    }

    /// The mode of a path.
    #[must_use]
    pub fn mode_of(&self, path: &str) -> CacheMode {
        let rule = self.routes.iter().find(|rule| rule.path.holds(path));
        rule.map_or(self.mode, |rule| rule.mode)
    }

    /// Whether a query parameter makes no difference.
    #[must_use]
    pub fn ignores_query(&self, name: &str) -> bool {
        self.ignored_query.iter().any(|ignored| match ignored.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => ignored == name,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(json: &str) -> Result<CacheWish, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn the_first_rule_that_matches_gives_the_mode() {
        let wish = wish(
            r#"{"mode": "off", "routes": [{"path": "/blog/new", "mode": "observed"}, {"path": "/blog/*", "mode": "narrowed"}]}"#,
        )
        .unwrap();
        for (path, mode) in
            [("/blog/a", CacheMode::Narrowed), ("/blog/new", CacheMode::Observed), ("/", CacheMode::Off)]
        {
            assert_eq!(wish.mode_of(path), mode, "{path}");
        }
    }

    #[test]
    fn query_parameters_are_named_whole_or_by_their_beginning() {
        let wish = wish(r#"{"ignored_query": ["utm_*", "gclid"]}"#).unwrap();
        let ignored =
            ["utm_source", "utm_", "gclid", "gclid2", "utm", "q"].map(|name| wish.ignores_query(name));
        assert_eq!(ignored, [true, true, true, false, false, false]);
    }

    #[test]
    fn mistakes_are_named() {
        assert!(wish(r#"{"mode": "all"}"#).unwrap_err().contains("unknown variant `all`"));
        assert!(wish(r#"{"routes": [{"path": "blog", "mode": "off"}]}"#).unwrap_err().contains("blog"));
        assert!(wish(r#"{"keyed": []}"#).unwrap_err().contains("unknown field `keyed`"));
    }
}
