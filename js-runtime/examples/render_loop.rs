//! Pages a second of a bundle on a bare pool, without sockets: `render_loop DIR [PATH] [SECONDS] [ISOLATES] [IN_FLIGHT]`.
//! `V8_FLAGS` in the environment are flags of V8 to try, such as `--trace-gc`.

#[path = "load/app.rs"]
mod load;

use load::app;
use std::path::Path;
use std::time::{Duration, Instant};
use vitrine_wire::{Outcome, RequestHead, Start};
use vitrine_worker::bundle::Bundle;
use vitrine_worker::pool::Pool;
use vitrine_worker::request::{HostClient, Request};

/// Times that the figures are taken: the first round still has the compiler at work.
const ROUNDS: u32 = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let flags = std::env::var("V8_FLAGS").unwrap_or_default();
    // The first entry is the place of a program's name.
    let flags = std::iter::once("render_loop").chain(flags.split_whitespace()).map(str::to_owned).collect();
    let unknown = deno_core::v8_set_flags(flags);
    assert!(unknown.len() <= 1, "flags that V8 does not know: {unknown:?}");
    let argument =
        |index: usize, otherwise: &str| arguments.get(index).map_or(otherwise, String::as_str).to_owned();
    let number = |index: usize, otherwise: &str| argument(index, otherwise).parse::<u32>().expect("a number");
    let path = argument(1, "/");
    let (start, bundle) = app(Path::new(&argument(0, ".")), &path, number(3, "1"));
    let time = Duration::from_secs(u64::from(number(2, "6")));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(run(start, bundle, path, time, number(4, "4")));
}

async fn run(start: Start, bundle: Bundle, path: String, time: Duration, in_flight: u32) {
    let (link, mut logs) = HostClient::new(tokio::runtime::Handle::current());
    tokio::spawn(async move {
        while let Some(lines) = logs.batch().await {
            lines.iter().for_each(|line| eprintln!("{:?} {}", line.level, line.message));
        }
    });
    let begun = Instant::now();
    let pool = match Pool::boot(start, bundle, None, link).await {
        Ok(pool) => pool,
        Err(failure) => {
            eprintln!("{failure:#?}");
            std::process::exit(1);
        }
    };
    println!("boot and warm: {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    for round in 1..=ROUNDS {
        let begun = Instant::now();
        let until = begun + time / ROUNDS;
        let clients = (0..in_flight).map(|_| client(pool.clone(), path.clone(), until));
        let counts = futures_util::future::join_all(clients).await;
        let pages: u64 = counts.iter().map(|count| count.pages).sum();
        let cpu_us: u64 = counts.iter().map(|count| count.cpu_us).sum();
        let pages_per_s = pages as f64 / begun.elapsed().as_secs_f64();
        let cpu_ms = cpu_us as f64 / pages.max(1) as f64 / 1e3;
        println!(
            "round {round}: {pages_per_s:.0} pages/s, {cpu_ms:.3} ms CPU a page, {} bytes",
            counts[0].bytes
        );
    }
}

#[derive(Default)]
struct Count {
    pages: u64,
    cpu_us: u64,
    bytes: usize,
}

async fn client(pool: Pool, path: String, until: Instant) -> Count {
    let mut count = Count::default();
    while Instant::now() < until {
        let head = RequestHead {
            method: "GET".to_owned(),
            url: format!("http://bench.localhost{path}"),
            headers: vec![("host".to_owned(), "bench.localhost".into())],
            has_body: false,
            upgrade: false,
            request_id: "bench".to_owned(),
            ledger: false,
        };
        let (request, answer) = Request::local(head, None).await;
        pool.submit(request);
        let (_, body, done) = answer.collect().await;
        assert_eq!(done.outcome, Outcome::Ok, "{done:#?}");
        count.pages += 1;
        count.cpu_us += done.cpu_us;
        count.bytes = body.len();
    }
    count
}
