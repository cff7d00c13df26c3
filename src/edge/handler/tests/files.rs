//! The client's files, as the line serves them.

use super::*;

#[tokio::test]
async fn client_files_are_served_whole_in_part_encoded_and_not_at_all() {
    let site = site().await;
    let script = site.get(SCRIPT).send().await.unwrap();
    assert_eq!(header(&script, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!((header(&script, "content-length"), header(&script, "vary")), ("9", "accept-encoding"));
    let etag = header(&script, "etag").to_owned();
    assert_eq!(script.text().await.unwrap(), "let a = 1");
    let known = site.get(SCRIPT).header("if-none-match", &etag).send().await.unwrap();
    assert_eq!((known.status().as_u16(), header(&known, "etag")), (304, etag.as_str()));
    let encoded = site.get(SCRIPT).header("accept-encoding", "gzip, br").send().await.unwrap();
    assert_eq!((header(&encoded, "content-encoding"), header(&encoded, "content-length")), ("br", "6"));
    assert_eq!(encoded.text().await.unwrap(), "brotli");

    let part = site.get(LARGE).header("range", "bytes=17-20").send().await.unwrap();
    assert_eq!((part.status().as_u16(), header(&part, "content-range")), (206, "bytes 17-20/524288"));
    assert_eq!(part.text().await.unwrap(), "1234");
    let large = site.get(LARGE).send().await.unwrap();
    assert_eq!(header(&large, "cache-control"), "public, max-age=0, must-revalidate");
    assert_eq!(large.bytes().await.unwrap().len(), 512 << 10);
    let head = site.ask(http::Method::HEAD, LARGE).send().await.unwrap();
    assert_eq!(header(&head, "content-length"), "524288");
    let beyond = site.get(LARGE).header("range", "bytes=524288-").send().await.unwrap();
    assert_eq!((beyond.status().as_u16(), header(&beyond, "content-range")), (416, "bytes */524288"));

    let missing = site.get("/assets/gone-00000000.js").send().await.unwrap();
    assert_eq!(missing.status(), 404);
    assert!(site.seen.lock().unwrap().iter().all(|frame| !matches!(frame, Frame::Request(..))));
    assert_eq!(site.get("/index.html").send().await.unwrap().text().await.unwrap(), "<p>shell");
}

#[tokio::test]
async fn a_file_that_is_gone_is_not_there_and_one_that_the_disk_does_not_give_is_the_hosts_fault() {
    let site = site().await;
    let place = |path: &str| site.dir.path().join("files/client").join(&path[1..]);
    std::fs::remove_file(place(SCRIPT)).unwrap();
    let gone = site.get(SCRIPT).send().await.unwrap();
    assert_eq!((gone.status().as_u16(), header(&gone, "x-vitrine-outcome")), (404, "no_release"));
    // A folder can be opened and not be read.
    std::fs::create_dir(place(SCRIPT)).unwrap();
    let unread = site.get(SCRIPT).send().await.unwrap();
    assert_eq!((unread.status().as_u16(), header(&unread, "x-vitrine-outcome")), (503, "overloaded"));
    assert_eq!(header(&unread, "retry-after"), "1");

    std::fs::File::options().write(true).open(place(LARGE)).unwrap().set_len(256 << 10).unwrap();
    let short = site.get(LARGE).send().await.unwrap();
    assert_eq!(short.status(), 200);
    assert!(short.bytes().await.is_err());
    let line = site.line(LARGE).await;
    assert_eq!((&line["outcome"], &line["status"]), (&"overloaded".into(), &200.into()));
}
