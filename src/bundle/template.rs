//! Templates that a build leaves among the client's files: pages with a hole where the server's rendering goes. They are for
//! the server's build, not for visitors.

use super::tree::Tree;
use super::unpack::io_error;
use super::{BundleDir, BundleError, Manifest};
use std::collections::BTreeMap;
use std::fs;
use vitrine_core::limits::TEMPLATE_BYTES_MAX;

/// What comments hold where a template has its hole, in the guides and starters of Vite, Vue, Preact, Solid and Svelte.
const PLACEHOLDERS: [&str; 8] =
    ["app-html", "app-head", "app-body", "ssr-outlet", "ssr-html", "ssr-head", "ssr-body", "vue-ssr-outlet"];

/// The placeholder that makes HTML a template, if it has one.
#[must_use]
pub fn placeholder(html: &[u8]) -> Option<&'static str> {
    let mut rest = html;
    while let Some(start) = find(rest, b"<!--") {
        rest = &rest[start + 4..];
        let comment = &rest[..find(rest, b"-->")?];
        let name = comment.trim_ascii();
        let known = PLACEHOLDERS.iter().find(|known| name.eq_ignore_ascii_case(known.as_bytes()));
        if known.is_some() {
            return known.copied();
        }
        rest = &rest[comment.len() + 3..];
    }
    None
}

/// Whether a file's name is that of a page.
#[must_use]
pub fn is_page(path: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, ending)| ["html", "htm"].iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// The client's files that are templates, each with its placeholder: paths in the bundle.
pub(super) fn templates(
    tree: &Tree,
    manifest: &Manifest,
    dir: &BundleDir,
) -> Result<BTreeMap<String, &'static str>, BundleError> {
    let mut found = BTreeMap::new();
    let below = format!("{}/", manifest.assets);
    for (path, facts) in tree.files() {
        if path.starts_with(&below) && is_page(path) && facts.bytes <= TEMPLATE_BYTES_MAX {
            let file = dir.files().join(path);
            let html = fs::read(&file).map_err(|source| io_error("read", &file, source))?;
            found.extend(placeholder(&html).map(|name| (path.clone(), name)));
        }
    }
    Ok(found)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_known_by_its_placeholder_and_a_rendered_page_has_none() {
        for (html, expected) in [
            ("<div id=app><!--app-html--></div>", Some("app-html")),
            ("<!-- a note --><head><!--app-head--></head>", Some("app-head")),
            ("<!-- SSR-outlet -->", Some("ssr-outlet")),
            ("<!--$--><p>rendered</p><!--/$--><!--[--><!--]-->", None),
            ("<pre>&lt;!--app-html--&gt;</pre>", None),
            ("<!-- put <b>app-html</b> here -->", None),
            ("<!--app-html", None),
            ("<!-- open <!--app-html-->", None),
            ("", None),
        ] {
            assert_eq!(placeholder(html.as_bytes()), expected, "{html}");
        }
        assert!(is_page("a/index.HTML") && is_page("a.htm") && !is_page("html") && !is_page("a.html.js"));
    }
}
