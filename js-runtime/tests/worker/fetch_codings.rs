//! Content codings of answers to `fetch`, undone by the isolate.

use crate::egress::broker;
use crate::support::{Ask, Setup, Worker, run};
use bytes::Bytes;
use vitrine_wire::Outcome;

/// Packs what `?packed=` names with `node:zlib`, and reads what the broker answers in the way that the path names.
const APP: &str = "
import zlib from 'node:zlib';
const text = 'pack me '.repeat(50_000);
const packed = {
  gzip: () => zlib.gzipSync(text),
  members: () => Buffer.concat([zlib.gzipSync('one,'), zlib.gzipSync('two'), Buffer.alloc(3)]),
  deflate: () => zlib.deflateSync(text),
  raw: () => zlib.deflateRawSync(text),
  br: () => zlib.brotliCompressSync(text),
  twice: () => zlib.brotliCompressSync(zlib.gzipSync(text)),
  cut: () => zlib.gzipSync(text).subarray(0, -20),
  'cut-br': () => zlib.brotliCompressSync(text).subarray(0, -3),
  bomb: () => Buffer.concat(Array(32).fill(zlib.gzipSync(Buffer.alloc(1 << 20)))),
};
const ways = {
  async text(answer) {
    const got = await answer.text();
    return [got === text ? 'all' : got, answer.headers.get('content-encoding'), answer.headers.get('content-length')].join();
  },
  async byob(answer) {
    const reader = answer.body.getReader({ mode: 'byob' });
    const { value } = await reader.read(new Uint8Array(7));
    await reader.cancel();
    return Buffer.from(value).toString();
  },
  async pieces(answer) {
    let [count, most] = [0, 0];
    for await (const piece of answer.body) { count += 1; most = Math.max(most, piece.byteLength); }
    return [count > 500 && count < 600, most].join();
  },
  async clone(answer) {
    const [one, two] = [answer.clone(), answer];
    return [await one.text() === text, await two.text() === text].join();
  },
  async loop(answer) {
    let bytes = 0;
    for await (const piece of answer.body) bytes += piece.byteLength;
    return bytes;
  },
};
export default async (request) => {
  const { pathname, searchParams } = new URL(request.url);
  if (searchParams.has('packed')) return new Response(packed[searchParams.get('packed')]());
  const answer = await fetch('https://a.example/');
  return new Response(await ways[pathname.slice(1)](answer).catch((error) => `${error.name}: ${error.message}`));
};";

async fn read(worker: &Worker, packed: Bytes, coding: &str, way: &str) -> String {
    let mut broker = broker(worker);
    let (answer, ()) = tokio::join!(worker.ask(Ask::get(way)), async {
        let (stream, _) = broker.call().await;
        let length = packed.len().to_string();
        let headers = [("content-encoding", coding), ("content-length", length.as_str())];
        broker.answer_slowly(stream, 200, &headers, packed).await;
    });
    answer.text()
}

async fn packed(worker: &Worker, how: &str) -> Bytes {
    worker.get(&format!("/?packed={how}")).await.body
}

#[test]
fn answers_are_decoded_in_the_order_of_their_codings() {
    run(async {
        let worker = Setup::fetch(APP).limits(|limits| limits.cpu_ms = 5_000).boot().await;
        for (how, coding, got) in [
            ("gzip", "gzip", "all,,"),
            ("gzip", "X-GZIP", "all,,"),
            ("members", "gzip", "one,two,,"),
            ("deflate", "deflate", "all,,"),
            ("raw", "deflate", "all,,"),
            ("br", "br", "all,,"),
            ("twice", "gzip, br", "all,,"),
            ("twice", "identity, gzip,br", "all,,"),
        ] {
            let packed = packed(&worker, how).await;
            assert_eq!(read(&worker, packed, coding, "/text").await, got, "{how} {coding}");
        }
        for coding in ["gzip", "br", "deflate"] {
            assert_eq!(read(&worker, Bytes::new(), coding, "/text").await, ",,", "{coding}");
        }
        let two = packed(&worker, "gzip").await;
        assert_eq!(read(&worker, two.clone(), "gzip", "/byob").await, "pack me");
        assert_eq!(read(&worker, two, "gzip", "/clone").await, "true,true");
    });
}

#[test]
fn what_is_not_coded_as_it_says_is_an_error() {
    run(async {
        let worker = Setup::fetch(APP).boot().await;
        let broken = "TypeError: The answer's body could not be read: its";
        for (how, coding, told) in [
            ("br", "gzip", "content is no gzip data"),
            ("gzip", "br", "content is no br data"),
            ("cut", "gzip", "gzip data breaks off"),
            ("cut-br", "br", "br data breaks off"),
        ] {
            let packed = packed(&worker, how).await;
            assert_eq!(read(&worker, packed, coding, "/text").await, format!("{broken} {told}"), "{how}");
        }
        let many = ["gzip"; 6].join(",");
        let as_it_came = packed(&worker, "members").await;
        let told = read(&worker, as_it_came, &many, "/text").await;
        assert!(told.contains(&format!(",{many},")), "{told:?}");
    });
}

#[test]
fn a_small_answer_that_becomes_large_comes_in_pieces_and_counts_for_its_request() {
    run(async {
        let setup = || Setup::fetch(APP).limits(|limits| limits.cpu_ms = 5_000);
        let worker = setup().boot().await;
        let bomb = packed(&worker, "bomb").await;
        assert!(bomb.len() < 100 << 10);
        assert_eq!(read(&worker, bomb.clone(), "gzip", "/pieces").await, "true,65536");

        // 32 MiB of zeros take longer than that to decode.
        let limited = Setup::fetch(APP).limits(|limits| limits.cpu_ms = 10).boot().await;
        let mut broker = broker(&limited);
        let (answer, ()) = tokio::join!(limited.ask(Ask::get("/loop")), async {
            let (stream, _) = broker.call().await;
            broker.answer_slowly(stream, 200, &[("content-encoding", "gzip")], bomb).await;
        });
        assert_eq!(answer.done.outcome, Outcome::CpuLimit, "{:?}", answer.done);
    });
}
