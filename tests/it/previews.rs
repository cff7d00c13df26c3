//! Previews, and how they are named.

use crate::harness::archive::{bundle_dir, hello};
use crate::harness::host::Host;

fn text(host: &Host, label: &str) -> String {
    host.get(label, "/").send().text().to_owned()
}

#[test]
fn a_preview_is_named_by_its_name_and_two_may_have_one_content() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    let bundle = bundle_dir(&[("server/index.js", &hello("both"))]);
    let preview = |name: &str| {
        let ran = host.cli(&["deploy", "shop", bundle.path().to_str().unwrap(), "--preview", name]).ok();
        ran.stdout
    };
    let (seven, nine) = (preview("pr-7"), preview("pr-9"));
    assert_ne!(seven, nine);
    // Once more is the same one.
    assert_eq!(preview("pr-9"), nine);
    assert_eq!((text(&host, "shop-pr-7"), text(&host, "shop-pr-9")), ("both".into(), "both".into()));
    assert_eq!(host.releases("shop").len(), 3);
    host.cli(&["logs", "shop@pr-9"]).ok();
    host.cli(&["remove", "shop@pr-7"]).ok();
    assert_eq!((host.get("shop-pr-7", "/").send().status, text(&host, "shop-pr-9")), (404, "both".into()));
    let live = host.cli(&["promote", "shop", "pr-9"]).ok().stdout;
    assert!(live.starts_with("shop@") && !live.contains("shop@pr-9"), "{live}");
    assert_eq!(text(&host, "shop"), "both");
    host.cli(&["remove", "shop@pr-1"]).fails(4, &["shop@pr-1"]);
}
