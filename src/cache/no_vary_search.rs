//! `No-Vary-Search`: parameters of a query that make no difference to an answer, as the answer says. Pure.

use http::HeaderValue;
use http::header::{HeaderMap, HeaderName};
use sfv::{BareItem, Dictionary, ListEntry, Parser};
use std::borrow::Cow;

const NO_VARY_SEARCH: HeaderName = HeaderName::from_static("no-vary-search");

/// What of a query makes no difference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoVarySearch {
    /// Whether the order of the parameters' names does not.
    any_order: bool,
    ignored: Ignored,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Ignored {
    #[default]
    Nothing,
    /// These parameters.
    Only(Vec<String>),
    /// All but these.
    AllBut(Vec<String>),
}

impl NoVarySearch {
    /// Of an answer; none where it does not say, or says what can't be read.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let lines: Vec<&[u8]> = headers.get_all(NO_VARY_SEARCH).iter().map(HeaderValue::as_bytes).collect();
        if lines.is_empty() {
            return None;
        }
        let dictionary: Dictionary = Parser::new(&lines.join(&b", "[..])).parse().ok()?;
        let mut said = Self::default();
        let mut except = None;
        for (key, entry) in &dictionary {
            match (key.as_str(), entry) {
                ("key-order", ListEntry::Item(item)) => said.any_order = is_true(&item.bare_item)?,
                ("params", ListEntry::Item(item)) => {
                    said.ignored = if is_true(&item.bare_item)? {
                        Ignored::AllBut(Vec::new())
                    } else {
                        Ignored::Nothing
                    };
                }
                ("params", ListEntry::InnerList(list)) => said.ignored = Ignored::Only(names(list)?),
                ("except", ListEntry::InnerList(list)) => except = Some(names(list)?),
                // What is not known, or of another type, makes all of it unreadable.
                ("except", ListEntry::Item(_)) | ("key-order", ListEntry::InnerList(_)) => return None,
                _ => {}
            }
        }
        match (&mut said.ignored, except) {
            (_, None) => {}
            (Ignored::AllBut(but), Some(except)) => *but = except,
            (Ignored::Nothing | Ignored::Only(_), Some(_)) => return None,
        }
        (said != Self::default()).then_some(said)
    }

    /// A query as far as it makes a difference; none where nothing is left.
    #[must_use]
    pub fn kept<'a>(&self, query: &'a str) -> Option<Cow<'a, str>> {
        let is_kept = |pair: &&str| match &self.ignored {
            Ignored::Nothing => true,
            Ignored::Only(names) => !names.iter().any(|ignored| *ignored == decoded(name_of(pair))),
            Ignored::AllBut(names) => names.iter().any(|kept| *kept == decoded(name_of(pair))),
        };
        let mut kept: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).filter(is_kept).collect();
        if self.any_order {
            kept.sort_by_key(|pair| name_of(pair));
        }
        (!kept.is_empty()).then(|| Cow::Owned(kept.join("&")))
    }
}

fn name_of(pair: &str) -> &str {
    pair.split('=').next().unwrap_or_default()
}

/// A name as its parameter is understood.
fn decoded(name: &str) -> String {
    percent_encoding::percent_decode_str(&name.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn is_true(item: &BareItem) -> Option<bool> {
    match item {
        BareItem::Boolean(on) => Some(*on),
        _ => None,
    }
}

fn names(list: &sfv::InnerList) -> Option<Vec<String>> {
    let name = |item: &sfv::Item| match &item.bare_item {
        BareItem::String(name) => Some(name.as_str().to_owned()),
        _ => None,
    };
    list.items.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(said: &str, query: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(NO_VARY_SEARCH, said.parse().unwrap());
        let said = NoVarySearch::of(&headers)?;
        Some(said.kept(query).map(Cow::into_owned).unwrap_or_default())
    }

    #[test]
    fn what_makes_no_difference_is_left_out() {
        for (said, query, expected) in [
            (r#"params=("utm" "b c")"#, "a=1&utm=2&b%20c=3&b+c=4", "a=1"),
            ("params", "a=1&b=2", ""),
            (r#"params, except=("a")"#, "b=2&a=1&a=2", "a=1&a=2"),
            ("key-order", "b=2&a=1&b=1", "a=1&b=2&b=1"),
            (r#"key-order, params=("c")"#, "c&b&a", "a&b"),
        ] {
            assert_eq!(kept(said, query).as_deref(), Some(expected), "{said} {query}");
        }
    }

    #[test]
    fn what_can_not_be_read_says_nothing() {
        for said in [
            "",
            "params=1",
            r#"except=("a")"#,
            r#"params=("a"), except=("b")"#,
            "key-order=(\"a\")",
            "params=(a)",
            "((",
            "key-order=?0",
        ] {
            assert_eq!(kept(said, "a=1"), None, "{said}");
        }
    }
}
