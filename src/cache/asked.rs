//! A request as the app sees it, and by what of it entries of one key are told apart.

use http::header::{ACCEPT_ENCODING, ACCEPT_LANGUAGE, COOKIE};
use http::{HeaderName, Method};
use std::borrow::Cow;

/// A request, as the app sees it: what a client sent besides is no part of it.
pub trait Asked {
    /// Its method.
    fn method(&self) -> &Method;
    /// The value of a header, several lines joined by a comma.
    fn header(&self, name: &HeaderName) -> Option<Cow<'_, [u8]>>;
    /// A cookie, as it stands there.
    fn cookie(&self, name: &str) -> Option<Cow<'_, [u8]>>;
}

/// By what entries of one key are told apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToldApart {
    /// By the values of these headers.
    pub headers: Vec<HeaderName>,
    /// By the values of these cookies.
    pub cookies: Vec<String>,
}

/// The values that an entry was made for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct MadeFor {
    headers: Vec<(HeaderName, Option<Box<[u8]>>)>,
    cookies: Vec<(String, Option<Box<[u8]>>)>,
}

impl MadeFor {
    pub(crate) fn of(apart: ToldApart, asked: &impl Asked) -> Self {
        let header = |name: HeaderName| {
            let value = normal(&name, asked.header(&name)).map(Box::from);
            (name, value)
        };
        let cookie = |name: String| {
            let value = asked.cookie(&name).map(Box::from);
            (name, value)
        };
        Self {
            headers: apart.headers.into_iter().map(header).collect(),
            cookies: apart.cookies.into_iter().map(cookie).collect(),
        }
    }

    pub(crate) fn fits(&self, asked: &impl Asked) -> bool {
        self.headers
            .iter()
            .all(|(name, value)| normal(name, asked.header(name)).as_deref() == value.as_deref())
            && self.cookies.iter().all(|(name, value)| asked.cookie(name).as_deref() == value.as_deref())
    }

    pub(crate) fn names(&self) -> ToldApart {
        ToldApart {
            headers: self.headers.iter().map(|(name, _)| name.clone()).collect(),
            cookies: self.cookies.iter().map(|(name, _)| name.clone()).collect(),
        }
    }

    /// The headers of a request for which it holds.
    pub(crate) fn request_headers(&self) -> Vec<(String, Vec<u8>)> {
        let given = self
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.as_ref()?.to_vec())));
        let cookies: Vec<&[u8]> = self.cookies.iter().filter_map(|(_, value)| value.as_deref()).collect();
        let has_line = self.headers.iter().any(|(name, value)| name == COOKIE && value.is_some());
        let line =
            (!cookies.is_empty() && !has_line).then(|| ("cookie".to_owned(), cookies.join(&b"; "[..])));
        given.chain(line).collect()
    }

    pub(crate) fn bytes(&self) -> usize {
        let length = |value: &Option<Box<[u8]>>| value.as_ref().map_or(0, |value| value.len()) + 48;
        let headers = self.headers.iter().map(|(name, value)| name.as_str().len() + length(value));
        let cookies = self.cookies.iter().map(|(name, value)| name.len() + length(value));
        headers.chain(cookies).sum()
    }
}

/// A value without blanks that mean nothing, at its ends and around commas, and without the case of languages and codings.
fn normal<'a>(name: &HeaderName, value: Option<Cow<'a, [u8]>>) -> Option<Cow<'a, [u8]>> {
    let mut value = value?;
    let has_case =
        (name == ACCEPT_LANGUAGE || name == ACCEPT_ENCODING) && value.iter().any(u8::is_ascii_uppercase);
    if has_case {
        value = Cow::Owned(value.to_ascii_lowercase());
    }
    let has_blanks = value.iter().any(u8::is_ascii_whitespace);
    if !has_blanks {
        return Some(value);
    }
    let parts: Vec<&[u8]> = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).collect();
    Some(Cow::Owned(parts.join(&b","[..])))
}
