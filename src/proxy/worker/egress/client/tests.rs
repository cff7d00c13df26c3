//! Names that resolve to something else each time they are asked for.

use super::super::resolve::NotPublic;
use super::*;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use vitrine_core::config::{EgressPolicy, PrivateRule};

const FIRST: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1));
const SECOND: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

fn rules(opened: &[String]) -> Arc<Rules> {
    let allow_private = opened.iter().map(|text| text.parse::<PrivateRule>().unwrap()).collect();
    Arc::new(Rules::new(&[], &EgressPolicy { allow_private, ..EgressPolicy::default() }))
}

fn client(opened: &[String], lookup: Lookup) -> EgressClient {
    EgressClient::new(rules(opened), &"shop".parse().unwrap(), Sockets::new(8), lookup)
}

/// A service that answers each connection once, and counts them.
async fn service(ip: IpAddr, port: u16) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((ip, port)).await.unwrap();
    let (port, asked) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 1024]).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _ = stream.write_all(answer).await;
        }
    });
    (port, asked)
}

/// The address that a call is refused for, if it is.
async fn call(client: &EgressClient, host: &str, port: u16) -> Result<(), SocketAddr> {
    let uri = format!("http://{host}:{port}/");
    let request = Request::builder().uri(uri).body(Either::Left(Empty::new())).unwrap();
    let Err(error) = client.call(request).await else { return Ok(()) };
    let mut last: &(dyn Error + 'static) = &error;
    loop {
        if let Some(NotPublic(address)) = last.downcast_ref() {
            return Err(*address);
        }
        if let Some(OwnAddress(address)) = last.downcast_ref() {
            return Err(*address);
        }
        last = last.source().expect("a call fails for what its name resolves to");
    }
}

#[tokio::test]
async fn what_is_checked_is_what_is_connected_though_the_name_changes_at_once() {
    static LOOKUPS: AtomicUsize = AtomicUsize::new(0);
    let rebinding: Lookup = |_, port| {
        let ip = if LOOKUPS.fetch_add(1, Ordering::SeqCst) == 0 { FIRST } else { SECOND };
        Box::pin(async move { Ok(vec![SocketAddr::new(ip, port)]) })
    };
    let (port, good) = service(FIRST, 0).await;
    let (_, bad) = service(SECOND, port).await;
    let client = client(&[format!("{FIRST}:{port}")], rebinding);
    call(&client, "db.internal", port).await.unwrap();
    assert_eq!(LOOKUPS.load(Ordering::SeqCst), 1, "one answer for the check and for the connection");
    assert_eq!(call(&client, "db.internal", port).await, Err(SocketAddr::new(SECOND, port)));
    assert_eq!((good.load(Ordering::SeqCst), bad.load(Ordering::SeqCst)), (1, 0));
}

#[tokio::test]
async fn a_name_that_is_opened_follows_its_record_and_opens_nothing_to_other_names() {
    static LOOKUPS: AtomicUsize = AtomicUsize::new(0);
    let moving: Lookup = |_, port| {
        let ip = if LOOKUPS.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) { FIRST } else { SECOND };
        Box::pin(async move { Ok(vec![SocketAddr::new(ip, port)]) })
    };
    let (port, before) = service(FIRST, 0).await;
    let (_, after) = service(SECOND, port).await;
    let client = client(&[format!("db.internal:{port}")], moving);
    for _ in 0..2 {
        call(&client, "db.internal", port).await.unwrap();
    }
    assert_eq!(call(&client, "evil.internal", port).await, Err(SocketAddr::new(FIRST, port)));
    assert_eq!((before.load(Ordering::SeqCst), after.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn of_a_name_that_resolves_to_public_and_private_addresses_only_those_are_left_that_may_be_called() {
    let mixed: Lookup = |_, port| {
        let all = ["1.1.1.1", "10.0.0.5", "169.254.169.254", "::ffff:10.0.0.5", "::1", "fd00:ec2::254"];
        Box::pin(async move { Ok(all.map(|ip| SocketAddr::new(ip.parse().unwrap(), port)).to_vec()) })
    };
    let left = async |opened: &[&str]| {
        let opened: Vec<String> = opened.iter().map(ToString::to_string).collect();
        let mut resolver = CheckedResolver::new(rules(&opened), Arc::new(Semaphore::new(1)), mixed, 80);
        let found = resolver.call("db.internal".parse().unwrap()).await.unwrap();
        found.map(|address| address.ip().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(left(&[]).await, ["1.1.1.1"]);
    assert_eq!(left(&["other.internal:80", "db.internal:81"]).await, ["1.1.1.1"]);
    assert_eq!(left(&["10.0.0.0/8"]).await, ["1.1.1.1", "10.0.0.5"]);
    assert_eq!(left(&["db.internal:80"]).await, ["1.1.1.1", "10.0.0.5", "::1"]);
    assert_eq!(left(&["169.254.169.254:80"]).await, ["1.1.1.1", "169.254.169.254"]);
}

/// Runs this test once more in a network of its own, whose machine has a public address; false where none can be made.
fn runs_with_public_address(test: &str) -> bool {
    if std::env::var_os("WITH_PUBLIC_ADDRESS").is_some() {
        return true;
    }
    let network = "ip link set lo up && ip addr add 11.22.33.44/32 dev lo && echo made && exec \"$0\" \"$@\"";
    let own = std::env::current_exe().unwrap();
    let mut command = std::process::Command::new("unshare");
    command.args(["--map-root-user", "--net", "sh", "-c", network]).arg(own).args(["--exact", test]);
    let Ok(ran) = command.env("WITH_PUBLIC_ADDRESS", "1").output() else { return false };
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success() || !told.contains("made"), "{told}");
    false
}

#[tokio::test]
async fn a_public_address_of_this_machine_is_called_only_if_it_is_opened() {
    let test = "a_public_address_of_this_machine_is_called_only_if_it_is_opened";
    if !runs_with_public_address(&format!("worker::egress::client::tests::{test}")) {
        return;
    }
    let own: IpAddr = "11.22.33.44".parse().unwrap();
    let lookup: Lookup =
        |_, port| Box::pin(async move { Ok(vec![SocketAddr::new("11.22.33.44".parse().unwrap(), port)]) });
    let (port, asked) = service(own, 0).await;
    let at = SocketAddr::new(own, port);
    for host in ["own.example", "11.22.33.44"] {
        assert_eq!(call(&client(&[], lookup), host, port).await, Err(at), "{host}");
    }
    for (opened, host) in [(format!("own.example:{port}"), "own.example"), (at.to_string(), "11.22.33.44")] {
        call(&client(&[opened], lookup), host, port).await.unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 4, "two were connected and told nothing");
}
