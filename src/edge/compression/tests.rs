//! Codings, weights, and what stays as it is.

use super::*;
use std::io::Read as _;
use vitrine_proxy::app_places::AppPlaces;

fn decoded(encoding: Encoding, data: &[u8]) -> String {
    let mut text = String::new();
    match encoding {
        Encoding::Br => brotli::Decompressor::new(data, 4096).read_to_string(&mut text),
        Encoding::Zstd => zstd::stream::read::Decoder::new(data).unwrap().read_to_string(&mut text),
        Encoding::Gzip => flate2::read::GzDecoder::new(data).read_to_string(&mut text),
    }
    .unwrap();
    text
}

/// What a client can read of an answer that is not whole yet.
fn readable(encoding: Encoding, data: &[u8]) -> String {
    let mut text = vec![0; 1 << 16];
    let mut read = 0;
    let mut reader: Box<dyn io::Read> = match encoding {
        Encoding::Br => Box::new(brotli::Decompressor::new(data, 4096)),
        Encoding::Zstd => Box::new(zstd::stream::read::Decoder::new(data).unwrap()),
        Encoding::Gzip => Box::new(flate2::read::GzDecoder::new(data)),
    };
    while let Ok(bytes @ 1..) = reader.read(&mut text[read..]) {
        read += bytes;
    }
    String::from_utf8(text[..read].to_vec()).unwrap()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
    pairs.iter().map(pair).collect()
}

#[test]
fn each_coding_gives_the_text_back_whole_and_in_pieces() {
    let page = "<li>one of many lines of a page</li>\n".repeat(2_000);
    for encoding in CODINGS {
        let sent = whole(encoding, page.as_bytes()).unwrap();
        assert!(sent.len() < page.len() / 10, "{encoding:?}: {}", sent.len());
        assert_eq!(decoded(encoding, &sent), page, "{encoding:?}");
        let mut encoder =
            StreamEncoder::begin(encoding, AppPlaces::new(1, 1).take(&"shop".parse().unwrap()).unwrap())
                .unwrap();
        let mut sent = Vec::new();
        let mut plain = String::new();
        for piece in ["<html>", "<p>shell</p>", "<template>late</template>"] {
            plain.push_str(piece);
            sent.extend_from_slice(&encoder.piece(piece.as_bytes()).unwrap());
            assert_eq!(readable(encoding, &sent), plain, "{encoding:?}: what is flushed can be read");
        }
        sent.extend_from_slice(&encoder.finish(b"").unwrap());
        assert_eq!(decoded(encoding, &sent), plain, "{encoding:?}");
    }
}

#[test]
fn the_clients_weights_decide_and_then_the_cost() {
    let chosen = |accept: &str| preferred(&headers(&[("accept-encoding", accept)])).map(encoding_name);
    for (accept, expected) in [
        ("gzip, deflate, br, zstd", Some("zstd")),
        ("gzip, deflate, br", Some("br")),
        ("gzip;q=1.0, br;q=0.5", Some("gzip")),
        ("gzip;q=0.5, identity", None),
        ("*", Some("zstd")),
        ("*;q=0.1, zstd;q=0", Some("br")),
        ("identity", None),
        ("", None),
        ("br;q=0, gzip;q=0", None),
        ("deflate", None),
    ] {
        assert_eq!(chosen(accept), expected, "{accept}");
    }
    assert_eq!(preferred(&HeaderMap::new()), None);
}

#[test]
fn what_must_stay_as_it_is_does() {
    let asked = headers(&[("accept-encoding", "gzip")]);
    let html = ("content-type", "text/html; charset=utf-8");
    let kept = |status: u16, pairs: &[(&'static str, &str)], bytes: Option<u64>| {
        let mut given = headers(pairs);
        let before = given.clone();
        let status = StatusCode::from_u16(status).unwrap();
        negotiate(&asked, status, &mut given, bytes).is_none() && given == before
    };
    assert!(kept(200, &[("content-type", "image/png")], None));
    assert!(kept(200, &[], None));
    assert!(kept(200, &[("content-type", "text/event-stream")], None));
    assert!(kept(200, &[html, ("content-encoding", "br")], None));
    assert!(kept(206, &[html], None) && kept(304, &[html], None) && kept(204, &[html], None));
    assert!(kept(200, &[html, ("content-range", "bytes 0-1/2")], None));
    assert!(kept(200, &[html, ("cache-control", "public, No-Transform")], None));
    assert!(!kept(200, &[html, ("cache-control", "public, not-no-transform")], None));
    for digest in ["content-digest", "repr-digest", "digest", "content-md5"] {
        assert!(kept(200, &[html, (digest, "sha-256=:AAAA:")], None), "{digest}");
    }
    assert!(kept(200, &[html], Some(COMPRESSED_BYTES_MIN - 1)));
    assert!(!kept(200, &[html], Some(COMPRESSED_BYTES_MIN)));
    assert!(!kept(404, &[("content-type", "application/problem+json")], None));
}

#[test]
fn headers_say_what_is_sent() {
    let given = [
        ("content-type", "text/html"),
        ("content-length", "5000"),
        ("etag", "\"abc\""),
        ("accept-ranges", "bytes"),
        ("vary", "cookie"),
    ];
    let mut compressed = headers(&given);
    let coding =
        negotiate(&headers(&[("accept-encoding", "br")]), StatusCode::OK, &mut compressed, Some(5000));
    assert_eq!(coding, Some(Encoding::Br));
    declare(Encoding::Br, &mut compressed);
    let said =
        |headers: &HeaderMap, name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(said(&compressed, "content-encoding").unwrap(), "br");
    assert_eq!(said(&compressed, "etag").unwrap(), "W/\"abc\"");
    assert_eq!((said(&compressed, "content-length"), said(&compressed, "accept-ranges")), (None, None));
    let varies: Vec<_> = compressed.get_all(VARY).iter().collect();
    assert_eq!(varies, ["cookie", "accept-encoding"]);
    // A cache must not give it to those who can't read it, whoever asked first.
    let mut plain = headers(&given);
    assert_eq!(negotiate(&headers(&[]), StatusCode::OK, &mut plain, Some(5000)), None);
    assert_eq!(plain.get_all(VARY).iter().count(), 2);
    assert_eq!(
        (said(&plain, "etag").unwrap(), said(&plain, "content-length").unwrap()),
        ("\"abc\"".into(), "5000".into())
    );
}
