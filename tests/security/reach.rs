//! Where a bundle's `fetch` must never come to, however it spells the address: the metadata service, this machine, the
//! admin side.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use vitrine_test_support::host::Host;
use vitrine_test_support::http::Request;
use vitrine_test_support::metadata::{Metadata, accepted};

/// Fetches the URLs that it is sent, one after the other, and tells which were answered.
const FETCHES: &str = "
    export default { async fetch(request) {
      if (request.method !== 'POST') return new Response('well');
      const answered = [], refused = [];
      for (const url of await request.json()) {
        try { const answer = await fetch(url); answered.push(`${url} ${answer.status}`); }
        catch (error) { refused.push(`${url}: ${error.message}`); }
      }
      return Response.json({ answered, refused });
    } };
";
/// Calls of one request.
const BATCH: usize = 50;

/// Every spelling of an IPv4 address that some parser takes for it.
fn spellings(ip: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = ip.octets();
    let whole = u32::from(ip);
    let (low, lower) = (whole & 0x00ff_ffff, whole & 0xffff);
    let (high, middle) = (whole >> 16, lower);
    let mut hosts = vec![
        format!("{a}.{b}.{c}.{d}"),
        format!("{a}.{b}.{c}.{d}."),
        format!("{whole}"),
        format!("{whole}."),
        format!("0x{whole:x}"),
        format!("0X{whole:X}"),
        format!("0x{whole:016x}"),
        format!("0{whole:o}"),
        format!("000{whole:o}"),
        format!("{a}.{low}"),
        format!("{a}.0x{low:x}"),
        format!("0x{a:x}.{low}"),
        format!("0{a:o}.0{low:o}"),
        format!("{a}.{b}.{lower}"),
        format!("{a}.{b}.0x{lower:x}"),
        format!("{a}.0x{b:x}.0{lower:o}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("0{a:o}.{b}.0x{c:x}.{d}"),
        format!("00{a:o}.000{b:o}.{c}.0x00{d:x}"),
        format!("[::ffff:{a}.{b}.{c}.{d}]"),
        format!("[::FFFF:{high:x}:{middle:x}]"),
        format!("[0:0:0:0:0:ffff:{high:x}:{middle:x}]"),
        format!("[0000:0000:0000:0000:0000:ffff:{high:04x}:{middle:04x}]"),
        format!("[::{a}.{b}.{c}.{d}]"),
        format!("[64:ff9b::{high:x}:{middle:x}]"),
        format!("[64:ff9b::{a}.{b}.{c}.{d}]"),
        format!("[2002:{high:x}:{middle:x}::]"),
        format!("[2002:{high:x}:{middle:x}::1]"),
        format!("%{:x}%{:x}%{:x}.{b}.{c}.{d}", b'0' + a / 100, b'0' + a / 10 % 10, b'0' + a % 10),
        format!("{a}%2e{b}%2e{c}%2e{d}"),
        format!("{a}\u{3002}{b}\u{3002}{c}\u{3002}{d}"),
        format!("{a}\u{ff0e}{b}\u{ff0e}{c}\u{ff0e}{d}"),
    ];
    // Full-width digits and digits in circles become plain ones in a URL's host.
    let wide = |text: &str, zero: u32| -> String {
        text.chars().map(|c| c.to_digit(10).and_then(|n| char::from_u32(zero + n)).unwrap_or(c)).collect()
    };
    hosts.push(wide(&ip.to_string(), 0xff10));
    hosts.push(wide(&whole.to_string(), 0xff10));
    hosts.push(format!("{a}.{b}.{c}.{d}\u{ad}"));
    hosts
}

/// URLs of one endpoint, in every spelling of its address and with everything that may stand around it.
fn urls(ip: Ipv4Addr, port: u16, path: &str) -> Vec<String> {
    let mut urls: Vec<String> =
        spellings(ip).into_iter().map(|host| format!("http://{host}:{port}/{path}")).collect();
    for around in [
        format!("http://public.example@{ip}:{port}/{path}"),
        format!("http://public.example:80@{ip}:{port}/{path}"),
        format!("http://{ip}:{port}#@public.example/{path}"),
        format!("http://{ip}:{port}?@public.example/{path}"),
        format!("http://{ip}:{port}\\@public.example/{path}"),
        format!("http:\\\\{ip}:{port}\\{path}"),
        format!("http:/{ip}:{port}/{path}"),
        format!("http:{ip}:{port}/{path}"),
        format!("http:////{ip}:{port}/{path}"),
        format!(" \thttp://{ip}:{port}/{path}\n"),
        format!("ht\ntp://{ip}:{port}/{path}"),
        format!("HTTP://{ip}:{port}/{path}"),
        format!("http://{ip}:0{port}/{path}"),
        format!("ws://{ip}:{port}/{path}"),
        format!("https://{ip}:{port}/{path}"),
        format!("ftp://{ip}:{port}/{path}"),
        format!("gopher://{ip}:{port}/{path}"),
        format!("//{ip}:{port}/{path}"),
    ] {
        urls.push(around);
    }
    urls
}

/// What a bundle can list of an endpoint, and so what only the policy for addresses refuses.
fn origins(ip: Ipv4Addr, port: u16) -> Vec<String> {
    let whole = u32::from(ip);
    let (high, low) = (whole >> 16, whole & 0xffff);
    let hosts = [
        ip.to_string(),
        format!("[::ffff:{high:x}:{low:x}]"),
        format!("[::{high:x}:{low:x}]"),
        format!("[64:ff9b::{high:x}:{low:x}]"),
        format!("[2002:{high:x}:{low:x}::]"),
        format!("[2002:{high:x}:{low:x}::1]"),
    ];
    hosts
        .into_iter()
        .flat_map(|host| ["http", "https"].map(|scheme| format!("{scheme}://{host}:{port}")))
        .collect()
}

/// A service that the operator opened, and that sends whoever asks for `/to/URL` there.
fn redirector() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Ends with the test's process; it holds nothing but its port.
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let (mut line, mut rest) = (String::new(), String::new());
            let _ = reader.read_line(&mut line);
            while rest != "\r\n" {
                rest.clear();
                if reader.read_line(&mut rest).unwrap_or(0) == 0 {
                    break;
                }
            }
            let to = line.split(' ').nth(1).and_then(|target| target.strip_prefix("/to/")).unwrap_or("/");
            let head = format!(
                "HTTP/1.1 307 Away\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            let _ = reader.get_mut().write_all(head.as_bytes());
        }
    });
    address
}

/// A host with the app, whose operator opens these besides the redirector.
fn host(redirector: SocketAddr, opened: &[SocketAddr], origins: &[String]) -> Host {
    let opened: Vec<String> =
        opened.iter().chain([&redirector]).map(|address| format!("{:?}", address.to_string())).collect();
    let toml = format!(
        "[limits]\nsubrequests = 200\n[egress]\nallow_private = [{}]\ntimeout_ms = 1000\n",
        opened.join(", ")
    );
    let host = Host::start_in(Host::configured(&toml), &["--isolation", "process"]);
    let limits = serde_json::json!({"subrequests": 200, "wall_ms": 60_000, "cpu_ms": 5_000});
    let listed = [origins, &[format!("http://{redirector}")]].concat();
    let manifest = serde_json::json!({"egress": listed, "limits": limits});
    host.deploy_files(
        "shop",
        &[("server/index.js", FETCHES), ("vitrine.json", &manifest.to_string())],
        &["--version", "v1"],
    );
    host
}

/// Lets the app fetch all of these; gives those that were answered.
fn answered(host: &Host, urls: &[String]) -> Vec<String> {
    let mut answered = Vec::new();
    let mut judged = 0;
    for batch in urls.chunks(BATCH) {
        let name = format!("shop.localhost:{}", host.edge.port());
        let request = Request::new(host.edge, "POST", "/").header("host", &name);
        let answer = request.body(serde_json::to_string(batch).unwrap()).send();
        assert_eq!(answer.status, 200, "{}", answer.text());
        let told = answer.json();
        answered
            .extend(told["answered"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()));
        judged += told["answered"].as_array().unwrap().len() + told["refused"].as_array().unwrap().len();
    }
    assert_eq!(judged, urls.len());
    answered
}

const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

#[test]
fn no_spelling_of_a_forbidden_address_is_connected() {
    let metadata = Metadata::open();
    let local = TcpListener::bind("127.0.0.1:0").unwrap();
    local.set_nonblocking(true).unwrap();
    let local_port = local.local_addr().unwrap().port();
    let redirector = redirector();
    // The admin side is known when the host runs: its port is taken before.
    let admin_port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let targets = [(METADATA, 80), (Ipv4Addr::LOCALHOST, local_port), (Ipv4Addr::LOCALHOST, admin_port)];
    let mut listed: Vec<String> = targets.iter().flat_map(|(ip, port)| origins(*ip, *port)).collect();
    listed.extend([local_port, admin_port].map(|port| format!("http://localhost:{port}")));
    let host = host(redirector, &[], &listed);
    let admin = host.admin.port();
    let mut all: Vec<String> =
        targets[..2].iter().flat_map(|(ip, port)| urls(*ip, *port, "reached")).collect();
    all.extend(urls(Ipv4Addr::LOCALHOST, admin, "reached"));
    for port in [local_port, admin] {
        for name in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "[::1]",
            "0.0.0.0",
            "0",
            "[::]",
            "127.1",
            "127.0.1",
        ] {
            all.push(format!("http://{name}:{port}/reached"));
        }
    }
    let through: Vec<String> =
        all.iter().map(|url| format!("http://{redirector}/to/{}", url.trim())).collect();
    let direct = all.len();
    all.extend(through);
    let answered = answered(&host, &all);
    assert_eq!(answered, Vec::<String>::new());
    let connections = (accepted(&local), metadata.as_ref().map_or(0, Metadata::connections));
    assert_eq!(connections, (0, 0));
    assert!(!host.log().contains("/reached\",\"status\""), "the admin side was reached");
    println!(
        "{direct} spellings, each also behind a redirect: 0 connections to the metadata service, this machine, the admin side"
    );
    assert!(direct >= 100);
}

/// The rig tells: where the operator opens the very same address, it is reached, and counted.
#[test]
fn an_address_that_is_opened_is_seen_to_be_reached() {
    let local = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = local.local_addr().unwrap();
    local.set_nonblocking(true).unwrap();
    let listed = origins(Ipv4Addr::LOCALHOST, address.port());
    let host = host(redirector(), &[address], &listed);
    // Nobody accepts, so nothing is answered: that it was connected is what is counted.
    answered(&host, &urls(Ipv4Addr::LOCALHOST, address.port(), "reached")[..4]);
    assert!(accepted(&local) >= 1);
}
