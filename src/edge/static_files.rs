//! The client's files: which one is meant, in which coding, whole or in part. Pure; reading is `asset_cache`'s.
//!
//! Paths are looked up in the release's index and never joined to a folder, so there is nothing to traverse.

use super::conditional::tags;
use super::negotiate::{DELTA, dictionary, encoding_name, negotiate};
use super::select::Selection;
use http::header::{HeaderMap, IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{HeaderValue, Method};
use http_range_header::{EndPosition, StartPosition};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::sync::Arc;
use vitrine_bundle::{Asset, Delta, Deltas, Encoding, is_in_hashed_folder};
use vitrine_proxy::route::Target;
use vitrine_proxy::route::speaks::{Reach, Voice};

/// What a path means.
#[derive(Debug)]
pub(crate) enum Found {
    /// A file.
    File {
        /// Whose.
        target: Arc<Target>,
        /// Its key in the index.
        path: String,
    },
    /// Nothing, and the app need not be asked.
    Missing,
    /// The app's business.
    NotAFile,
}

/// Looks a path up.
#[must_use]
pub(crate) fn find(selection: &Selection, method: &Method, path: &str) -> Found {
    if (method != Method::GET && method != Method::HEAD) || path == "/" {
        return Found::NotAFile;
    }
    let Some(path) = decode(path) else { return Found::NotAFile };
    let pinned = selection.files_only.iter().map(|target| (target, Voice::Files));
    for (target, voice) in pinned.chain([(&selection.target, selection.voice)]) {
        if target.bundle.assets.get(path.as_ref()).is_some_and(|asset| voice.gives(&path, asset)) {
            return Found::File { target: Arc::clone(target), path: path.into_owned() };
        }
    }
    if !is_in_hashed_folder(&path) {
        return Found::NotAFile;
    }
    let app = &selection.app;
    let gives = |target: &&Arc<Target>| {
        let asset = target.bundle.assets.get(path.as_ref());
        asset.is_some_and(|asset| app.voice(target, Reach::Path).gives(&path, asset))
    };
    // A host name of its own is for one release alone.
    match app.releases.iter().find(gives).filter(|_| selection.pinnable) {
        Some(target) => Found::File { target: Arc::clone(target), path: path.into_owned() },
        None => Found::Missing,
    }
}

/// Decodes percent escapes once. `None` for what no file is called: an escaped slash, bytes that are no UTF-8.
fn decode(path: &str) -> Option<Cow<'_, str>> {
    if !path.contains('%') {
        return Some(Cow::Borrowed(path));
    }
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    let slashes = |text: &str| text.bytes().filter(|b| *b == b'/').count();
    (slashes(&decoded) == slashes(path)).then_some(decoded)
}

/// How a file is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// All of it.
    Whole(Variant),
    /// A part, of the plain bytes.
    Part(Variant, RangeInclusive<u64>),
    /// The client has it.
    NotModified(Variant),
    /// The client wants another one, or nothing.
    Failed(Variant),
    /// The part that is asked for is not there.
    Unsatisfiable(Variant),
}

impl Plan {
    /// Which representation it is about.
    pub(crate) const fn variant(&self) -> &Variant {
        match self {
            Self::Whole(variant)
            | Self::Part(variant, _)
            | Self::NotModified(variant)
            | Self::Failed(variant)
            | Self::Unsatisfiable(variant) => variant,
        }
    }
}

/// One representation of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variant {
    /// Coding; `None` is the plain file.
    pub encoding: Option<Encoding>,
    /// In place of a coding: what differs from a file that the client has.
    pub delta: Option<Delta>,
    /// Length, in bytes.
    pub bytes: u64,
    /// Strong validator: the digest, and the coding, because codings differ in their bytes.
    pub etag: HeaderValue,
}

impl Variant {
    fn of(asset: &Asset, encoding: Option<Encoding>) -> Self {
        let bytes = encoding.and_then(|encoding| asset.encodings.get(&encoding)).copied();
        let etag = match encoding {
            None => format!("\"{}\"", asset.digest),
            Some(encoding) => format!("\"{}-{}\"", asset.digest, encoding_name(encoding)),
        };
        Self { encoding, delta: None, bytes: bytes.unwrap_or(asset.bytes), etag: ascii(etag) }
    }

    fn of_delta(delta: Delta) -> Self {
        let etag = ascii(format!("\"{}-{DELTA}-{}\"", delta.file, delta.dictionary));
        Self { encoding: None, delta: Some(delta), bytes: delta.bytes, etag }
    }

    /// Its name in `content-encoding`.
    pub(crate) const fn coding(&self) -> Option<&'static str> {
        match (&self.delta, self.encoding) {
            (Some(_), _) => Some(DELTA),
            (None, Some(encoding)) => Some(encoding_name(encoding)),
            (None, None) => None,
        }
    }
}

fn ascii(etag: String) -> HeaderValue {
    HeaderValue::try_from(etag).expect("a digest's text is ASCII")
}

/// Decides how a file is sent. `deltas` are those of its release.
#[must_use]
pub(crate) fn plan(asset: &Asset, method: &Method, headers: &HeaderMap, deltas: Option<&Deltas>) -> Plan {
    // Only a GET has parts (RFC 9110, 14.2).
    let range = headers.get(RANGE).filter(|_| method == Method::GET);
    // Parts are of the plain bytes: a client that resumes does not depend on which coding it had before.
    let encoding = if range.is_some() { None } else { negotiate(asset, headers) };
    let delta = deltas.filter(|_| range.is_none()).and_then(|deltas| {
        let dictionary = dictionary(headers, encoding)?;
        deltas.get(asset.digest, dictionary)
    });
    let variant = delta.map_or_else(|| Variant::of(asset, encoding), Variant::of_delta);
    // In this order (RFC 9110, 13.2.2). A file has no date that `If-Unmodified-Since` or `If-Modified-Since` could be held against.
    if headers.contains_key(IF_MATCH) && !tags(headers, &IF_MATCH).any(|tag| is_one(tag, &variant)) {
        return Plan::Failed(variant);
    }
    if tags(headers, &IF_NONE_MATCH).any(|tag| is_one(tag.strip_prefix(b"W/").unwrap_or(tag), &variant)) {
        return Plan::NotModified(variant);
    }
    let resumes = headers.get(IF_RANGE).is_none_or(|known| known == variant.etag);
    match range.filter(|_| resumes).map(|range| part_of(range, asset.bytes)) {
        None | Some(Asked::Whole) => Plan::Whole(variant),
        Some(Asked::Part(part)) => Plan::Part(variant, part),
        Some(Asked::Nothing) => Plan::Unsatisfiable(variant),
    }
}

/// What a `range` header asks for.
pub(crate) enum Asked {
    /// All of it.
    Whole,
    /// A part.
    Part(RangeInclusive<u64>),
    /// A part that is not there.
    Nothing,
}

/// One part is served as such; several, or a unit that is not known, are answered with the whole.
pub(crate) fn part_of(range: &HeaderValue, bytes: u64) -> Asked {
    let parsed = range.to_str().ok().and_then(|text| http_range_header::parse_range_header(text).ok());
    let Some(parsed) = parsed.filter(|parsed| parsed.ranges.len() == 1) else { return Asked::Whole };
    let range = &parsed.ranges[0];
    match (range.start, range.end) {
        // Nothing of it can be left out.
        _ if bytes == 0 => return Asked::Whole,
        // The last million bytes of a small file are all of it.
        (StartPosition::FromLast(last), _) => {
            return Asked::Part(bytes.saturating_sub(last)..=bytes - 1);
        }
        // No range (RFC 9110, 14.1.1).
        (StartPosition::Index(first), EndPosition::Index(last)) if last < first => return Asked::Whole,
        _ => {}
    }
    match parsed.validate(bytes) {
        Ok(mut parts) => parts.pop().map_or(Asked::Whole, Asked::Part),
        Err(_) => Asked::Nothing,
    }
}

fn is_one(tag: &[u8], variant: &Variant) -> bool {
    tag == b"*" || tag == variant.etag.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{app, asset, table, target};
    use super::super::select::select;
    use super::*;
    use vitrine_proxy::route::split::VisitorId;

    fn found(wanted: Option<&str>, method: Method, path: &str) -> String {
        let mut back =
            target("shop", "v1", &[("/assets/old-12345678.js", "old", true), ("/a.txt", "1", false)]);
        back.rolled_back = true;
        let live = target(
            "shop",
            "v2",
            &[
                ("/assets/new-1a2b3c4d.js", "new", true),
                ("/index.html", "shell", false),
                ("/a.txt", "2", false),
                ("/größe 1.txt", "x", false),
            ],
        );
        let loose = target(
            "shop",
            "v0",
            &[("/assets/plain.js", "x", false), ("/listed.js", "x", true), ("/far/a-1a2b3c4d.js", "x", true)],
        );
        let stranger = |version: &str| {
            let path = format!("/assets/{version}-1a2b3c4d.js");
            target(
                "shop",
                version,
                &[(&path, "x", true), ("/sw.js", "x", true), ("/assets/new-1a2b3c4d.js", "y", true)],
            )
        };
        let (mut never, mut bad) = (stranger("never"), stranger("bad"));
        never.was_live = false;
        bad.bad = true;
        let table = table(&[app("shop", "v2", vec![never, bad, live, back, loose])]);
        let selection = select(&table, "shop.localhost", wanted, VisitorId(7)).unwrap();
        match find(&selection, &method, path) {
            Found::File { target, path } => format!("{} {path}", target.release.version),
            Found::Missing => "missing".into(),
            Found::NotAFile => "app".into(),
        }
    }

    #[test]
    fn files_are_found_by_their_exact_path_and_only_for_reading() {
        for (path, expected) in [
            ("/", "app"),
            ("/index.html", "v2 /index.html"),
            ("/a.txt", "v2 /a.txt"),
            ("/gr%C3%B6%C3%9Fe%201.txt", "v2 /größe 1.txt"),
            ("/assets/new-1a2b3c4d.js", "v2 /assets/new-1a2b3c4d.js"),
            ("/course/1", "app"),
            ("/a.txt/", "app"),
            ("/x/../a.txt", "app"),
            ("/assets%2Fnew-1a2b3c4d.js", "app"),
            ("/%2e%2e/%2e%2e/etc/passwd", "app"),
            ("/%ff", "app"),
            ("/a%2Etxt", "v2 /a.txt"),
            ("/a%252Etxt", "app"),
        ] {
            assert_eq!(found(None, Method::GET, path), expected, "{path}");
            assert_eq!(found(None, Method::HEAD, path), expected, "{path}");
            assert_eq!(found(None, Method::POST, path), "app", "{path}");
        }
    }

    #[test]
    fn hashed_files_of_other_retained_releases_stay_served_and_plain_ones_do_not() {
        assert_eq!(found(None, Method::GET, "/assets/old-12345678.js"), "v1 /assets/old-12345678.js");
        assert_eq!(found(None, Method::GET, "/assets/plain.js"), "missing");
        assert_eq!(found(None, Method::GET, "/assets/gone-00000000.js"), "missing");
        assert_eq!(found(None, Method::GET, "/_app/immutable/x.js"), "missing");
        assert_eq!(found(Some("v1"), Method::GET, "/a.txt"), "v1 /a.txt");
        // What they list as immutable is theirs alone.
        for (path, pinned) in
            [("/listed.js", "v0 /listed.js"), ("/far/a-1a2b3c4d.js", "v0 /far/a-1a2b3c4d.js")]
        {
            assert_eq!(found(None, Method::GET, path), "app", "{path}");
            assert_eq!(found(Some("v0"), Method::GET, path), pinned);
        }
    }

    #[test]
    fn files_of_what_nobody_promoted_or_what_is_bad_are_none_of_the_apps() {
        for version in ["never", "bad"] {
            for pin in [None, Some(version)] {
                let hashed = format!("/assets/{version}-1a2b3c4d.js");
                assert_eq!(found(pin, Method::GET, &hashed), "missing");
                assert_eq!(found(pin, Method::GET, "/sw.js"), "app");
            }
        }
    }

    fn planned(headers: &[(http::HeaderName, &str)]) -> Plan {
        planned_for(&Method::GET, headers)
    }

    fn planned_for(method: &Method, headers: &[(http::HeaderName, &str)]) -> Plan {
        let mut asset = asset("0123456789", true);
        asset.encodings.insert(Encoding::Br, 4);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        plan(&asset, method, &map, None)
    }

    fn variant(encoding: Option<Encoding>) -> Variant {
        let mut asset = asset("0123456789", true);
        asset.encodings.insert(Encoding::Br, 4);
        Variant::of(&asset, encoding)
    }

    #[test]
    fn each_coding_has_its_own_validator() {
        let (plain, br) = (variant(None), variant(Some(Encoding::Br)));
        assert_eq!((plain.bytes, br.bytes), (10, 4));
        assert_ne!(plain.etag, br.etag);
        let plain_tag = plain.etag.to_str().unwrap().to_owned();
        let accept = http::header::ACCEPT_ENCODING;
        assert_eq!(planned(&[(accept.clone(), "br")]), Plan::Whole(br.clone()));
        assert_eq!(planned(&[(accept.clone(), "br"), (IF_NONE_MATCH, &plain_tag)]), Plan::Whole(br));
        assert_eq!(planned(&[(IF_NONE_MATCH, &plain_tag)]), Plan::NotModified(plain.clone()));
        let list = format!("\"x\", W/{plain_tag}");
        assert_eq!(planned(&[(IF_NONE_MATCH, &list)]), Plan::NotModified(plain.clone()));
        assert_eq!(planned(&[(IF_NONE_MATCH, "*")]), Plan::NotModified(plain));
    }

    #[test]
    fn a_file_that_is_another_one_than_the_client_wants_is_not_sent() {
        let plain = variant(None);
        let tag = plain.etag.to_str().unwrap().to_owned();
        for good in [&tag, "*", &format!("\"x\", {tag}")] {
            assert_eq!(planned(&[(IF_MATCH, good)]), Plan::Whole(plain.clone()), "{good}");
        }
        // A weak validator says nothing of every byte.
        for other in ["\"x\"", "", &format!("W/{tag}")] {
            assert_eq!(planned(&[(IF_MATCH, other)]), Plan::Failed(plain.clone()), "{other}");
            let all = [(IF_MATCH, other), (IF_NONE_MATCH, "*"), (RANGE, "bytes=0-1")];
            assert_eq!(planned(&all), Plan::Failed(plain.clone()), "{other}");
        }
    }

    #[test]
    fn parts_are_of_the_plain_bytes() {
        let plain = || variant(None);
        let accept = (http::header::ACCEPT_ENCODING, "br");
        assert_eq!(planned(&[accept, (RANGE, "bytes=2-4")]), Plan::Part(plain(), 2..=4));
        assert_eq!(planned(&[(RANGE, "bytes=-3")]), Plan::Part(plain(), 7..=9));
        assert_eq!(planned(&[(RANGE, "bytes=-99")]), Plan::Part(plain(), 0..=9));
        assert_eq!(planned(&[(RANGE, "bytes=8-")]), Plan::Part(plain(), 8..=9));
        assert_eq!(planned(&[(RANGE, "bytes=8-99")]), Plan::Part(plain(), 8..=9));
        assert_eq!(planned(&[(RANGE, "bytes=10-")]), Plan::Unsatisfiable(plain()));
        for whole in ["bytes=0-1,3-4", "lines=1-2", "nonsense", "bytes=5-2"] {
            assert_eq!(planned(&[(RANGE, whole)]), Plan::Whole(plain()), "{whole}");
        }
        let tag = plain().etag.to_str().unwrap().to_owned();
        assert_eq!(planned(&[(RANGE, "bytes=0-0"), (IF_RANGE, &tag)]), Plan::Part(plain(), 0..=0));
        assert_eq!(planned(&[(RANGE, "bytes=0-0"), (IF_RANGE, "\"other\"")]), Plan::Whole(plain()));
        for range in ["bytes=2-4", "bytes=10-"] {
            assert_eq!(planned_for(&Method::HEAD, &[(RANGE, range)]), Plan::Whole(plain()), "{range}");
        }
    }
}
