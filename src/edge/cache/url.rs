//! The address of a page: what stands in its key, and what its render sees. Pure.

use std::borrow::Cow;
use vitrine_bundle::CacheWish;

/// A query without the parameters that make no difference; none where nothing is left.
pub(crate) fn query<'a>(wish: &CacheWish, query: &'a str) -> Option<Cow<'a, str>> {
    let name = |pair: &'a str| pair.split('=').next().unwrap_or_default();
    if wish.ignored_query.is_empty() || !query.split('&').any(|pair| wish.ignores_query(name(pair))) {
        return Some(Cow::Borrowed(query));
    }
    let kept: Vec<&str> = query.split('&').filter(|pair| !wish.ignores_query(name(pair))).collect();
    (!kept.is_empty()).then(|| Cow::Owned(kept.join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_make_no_difference_go_and_the_rest_stays_as_it_is() {
        let wish = CacheWish { ignored_query: vec!["utm_*".into(), "gclid".into()], ..CacheWish::default() };
        let query = |text| query(&wish, text).map(Cow::into_owned);
        assert_eq!(query("b=2&a=1").as_deref(), Some("b=2&a=1"));
        assert_eq!(query("a=1&utm_source=x&&gclid&b=%20").as_deref(), Some("a=1&&b=%20"));
        assert_eq!(query("utm_a=1&gclid=2"), None);
        assert_eq!(query("a=1;utm_x=2").as_deref(), Some("a=1;utm_x=2"), "a semicolon parts nothing");
        assert_eq!(query("").as_deref(), Some(""));
    }
}
