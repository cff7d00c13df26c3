//! The example app: React's direct stream, a Suspense boundary that awaits an upstream, hydration data.

use crate::egress::broker;
use crate::streaming::piece;
use crate::support::{Ask, Setup, run};
use std::path::{Path, PathBuf};
use vitrine_wire::{Frame, Outcome};

/// The example's build, which other tests make; without it there is nothing to run.
fn catalog() -> Option<PathBuf> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/catalog/dist/v1");
    if !built.join("server/index.js").exists() {
        println!("SKIPPED: {} is not built", built.display());
        return None;
    }
    Some(built)
}

#[test]
fn the_shell_is_sent_before_the_suspended_part_arrives() {
    let Some(built) = catalog() else { return };
    run(async move {
        let read = |name: &str| std::fs::read(built.join("server").join(name)).expect("a built file");
        let mut setup = Setup::fetch("")
            .file("server/index.js", read("index.js"))
            .env("REVIEWS_URL", "http://reviews.test");
        setup =
            setup.file("server/index.js.map", read("index.js.map")).limits(|limits| limits.cpu_ms = 5_000);
        setup.start.settings.warm = vec!["/".to_owned()];
        let worker = setup.boot().await;
        let mut broker = broker(&worker);

        let page = worker.get("/").await;
        assert_eq!(page.status(), 200);
        let page = page.text();
        assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"), "{}", &page[..200]);

        let mut answer = worker.start(Ask::get("/courses/typography-on-screen")).await;
        let (stream, head) = broker.call().await;
        assert!(head.url.starts_with("http://reviews.test/"), "{head:?}");
        let shell = piece(&mut answer).await;
        assert!(shell.contains("<h1") && !shell.contains("A late review"), "{shell}");
        let reviews = r#"{"slug":"typography-on-screen","reviews":[{"author":"Amira","stars":5,"text":"A late review"}]}"#;
        broker.answer(stream, 200, &[("content-type", "application/json")], &[reviews.as_bytes()]).await;
        let mut late = String::new();
        loop {
            match answer.next().await {
                Some(Frame::Body(_, data)) => late.push_str(&String::from_utf8_lossy(&data)),
                Some(Frame::Done(_, done)) => break assert_eq!(done.outcome, Outcome::Ok, "{done:?}"),
                other => panic!("{other:?}"),
            }
        }
        assert!(late.contains("A late review"), "{late}");
    });
}
