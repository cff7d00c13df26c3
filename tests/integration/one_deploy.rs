//! A deploy as one call: progress and result, senders that leave, hosts that are killed, several at once.

use crate::deployments::{PROCESS, live};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use vitrine_test_support::archive::{Archive, bundle_dir, hello};
use vitrine_test_support::host::Host;
use vitrine_test_support::http::{Answer, Request};
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);
const THROWS: &str = "console.log('reading the price list');\nconst prices = undefined;\n\
                      export default { fetch: () => new Response('') };\nprices.load();\n";
/// Never ready.
const HANGS: &str = "console.log('connecting');\nawait new Promise(() => {});\n\
                     export default { fetch: () => new Response('never') };\n";

fn archive(server: &str) -> Vec<u8> {
    Archive::empty().file("server/index.js", server.as_bytes()).gz()
}

fn post(host: &Host, query: &str, server: &str) -> Request {
    host.call("POST", &format!("/v1/apps/shop/deployments?{query}")).body(archive(server))
}

/// The lines of an answer.
fn lines(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    assert!(answer.complete, "{answer:?}");
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn phases(lines: &[Value]) -> Vec<&str> {
    let mut phases: Vec<&str> = lines.iter().filter_map(|line| line["phase"].as_str()).collect();
    phases.dedup();
    phases
}

fn deployments(host: &Host) -> Vec<Value> {
    let answer = host.call("GET", "/v1/apps/shop/deployments").send();
    if answer.status == 404 {
        return Vec::new();
    }
    answer.json().as_array().unwrap().clone()
}

fn versions(host: &Host) -> Vec<String> {
    let answer = host.call("GET", "/v1/apps/shop/releases").send();
    let all = answer.json();
    let names = all.as_array().into_iter().flatten().map(|one| one["version"].as_str().unwrap().to_owned());
    names.collect()
}

/// The deployment of a version, once it is in one of these phases.
fn until_phase(host: &Host, version: &str, phase: &str) -> Value {
    wait_until(&format!("{version} is {phase}"), PATIENCE, || {
        deployments(host).into_iter().find(|one| one["version"] == version && one["phase"] == phase)
    })
}

/// A host with a hook before traffic that waits, for the version v2 alone, until the file `go` is there. It says in `asked` that it
/// was called.
fn host_with_a_gate() -> (Host, PathBuf) {
    let script =
        r#"[ "$VITRINE_VERSION" = v2 ] || exit 0; touch asked; while [ ! -e go ]; do sleep 0.05; done"#;
    let toml = format!(
        "[[hook]]\nstage = \"before_traffic\"\ncommand = [\"/bin/sh\", \"-c\", {script:?}]\ntimeout_ms = 120000\n"
    );
    let folder = Host::configured(&toml);
    let path = folder.path().to_owned();
    let host = Host::start_in(folder, &PROCESS);
    host.deploy("shop", "one", &["--version", "v1"]);
    (host, path)
}

fn until_asked(path: &Path) {
    wait_until("the hook is asked", PATIENCE, || path.join("asked").exists().then_some(()));
}

#[test]
fn a_deploy_says_where_it_is_and_how_it_ended() {
    let host = Host::start();
    let server = format!("console.log('counting shelves');\n{}", hello("one"));
    let answer = post(&host, "version=v1", &server).send();
    let told = lines(&answer);
    assert_eq!(phases(&told), ["accepted", "storing", "booting", "hooks", "switching"]);
    assert!(told.iter().any(|line| line["log"] == "counting shelves"), "{told:?}");
    let end = told.last().unwrap();
    assert_eq!((&end["result"], &end["release"]), (&"live".into(), &"shop@v1".into()), "{end}");
    assert_eq!(end["error"], Value::Null);
    assert!(end["url"].as_str().unwrap().starts_with("http://shop-v1."), "{end}");
    assert!(end["switched"]["url"].as_str().unwrap().starts_with("http://shop.localhost"), "{end}");
    assert_eq!(host.get("shop", "/").send().text(), "one");
    let one = host.call("GET", answer.header("location").unwrap()).send().json();
    assert_eq!((&one["id"], &one["result"], &one["who"]), (&end["id"], &"live".into(), &"root".into()));
    assert_eq!((&one["phase"], one["log"][0].as_str()), (&"done".into(), Some("counting shelves")));
    // What is not to be live ends as ready.
    for (query, version) in [("version=v2&promote=false", "v2"), ("version=p1&preview=pr-1&ttl=1h", "p1")] {
        let told = lines(&post(&host, query, &hello(version)).send());
        assert_eq!(phases(&told), ["accepted", "storing", "booting"]);
        assert_eq!(told.last().unwrap()["result"], "ready");
    }
    assert_eq!((live(&host), host.get("shop-pr-1", "/").send().text()), ("v1".into(), "p1"));
    // The same again is fine, and live again.
    let again = lines(&post(&host, "version=v1", &server).send());
    let end = again.last().unwrap();
    assert_eq!((&end["result"], &end["uploaded"]["created"]), (&"live".into(), &false.into()));
    // What is wrong with the request is said as everywhere.
    for (query, status) in [("", 400), ("version=v3&colour=red", 400), ("version=v3&ttl=1h", 400)] {
        assert_eq!(post(&host, query, &hello("x")).send().status, status, "{query}");
    }
    let broken = host.call("POST", "/v1/apps/shop/deployments?version=v3").body("no archive").send();
    assert_eq!(broken.status, 422, "{broken:?}");
    assert_eq!(host.call("GET", "/v1/apps/shop/deployments/12").send().status, 404);
    assert_eq!(deployments(&host).len(), 4);
    let table = host.cli(&["deployments", "shop"]).ok().stdout;
    assert!(table.contains("ID") && table.contains("live") && table.contains("ready"), "{table}");
    let shown = host.cli(&["deployments", "shop", one["id"].as_str().unwrap()]).ok().stdout;
    assert!(shown.contains("counting shelves"), "{shown}");
    host.cli(&["deployments", "shop", "12"]).fails(4, &["no deployment `12`"]);
    host.cli(&["deployments", "shpo"]).fails(4, &["did you mean `shop`"]);
}

#[test]
fn a_deploy_that_fails_is_undone_by_the_host() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    let epoch = host.get("shop", "/").send().header("x-vitrine-epoch").unwrap().to_owned();
    let told = lines(&post(&host, "version=v2", THROWS).send());
    let end = told.last().unwrap();
    assert_eq!((&end["result"], &end["url"]), (&"failed".into(), &Value::Null), "{end}");
    assert_eq!(end["error"]["type"], "urn:vitrine:problem:unservable");
    let log = end["error"]["log"].to_string();
    assert!(log.contains("reading the price list") && log.contains("index.js:4"), "{log}");
    assert_eq!((live(&host), versions(&host)), ("v1".into(), vec!["v1".to_owned()]));
    assert_eq!(host.get("shop", "/").send().header("x-vitrine-epoch"), Some(epoch.as_str()));
    let one = deployments(&host).remove(0);
    assert_eq!((&one["result"], &one["error"]["status"]), (&"failed".into(), &422.into()));
    // What the app wrote is not for those who may only look.
    let reader = host.cli(&["token", "create", "reader", "--app", "shop", "--verb", "read"]).ok().stdout;
    let seen = host.cli(&["deployments", "shop", "--json"]).env("VITRINE_TOKEN", reader.trim()).ok().json();
    assert!(one["error"]["detail"].as_str().unwrap().contains("undefined"), "{one}");
    assert_eq!(seen[0]["error"]["detail"], seen[0]["error"]["title"], "{seen}");
    // The name is free, for other content.
    let end = lines(&post(&host, "version=v2", &hello("two")).send()).pop().unwrap();
    assert_eq!(end["result"], "live", "{end}");
}

#[test]
fn a_sender_that_leaves_changes_nothing_once_its_archive_is_whole() {
    let host = Host::start();
    let slow = format!("await new Promise((done) => setTimeout(done, 1500));\n{}", hello("one"));
    let whole = archive(&slow);
    let request = host.call("POST", "/v1/apps/shop/deployments?version=v1").body(whole.clone());
    request.abandon(whole.len() / 2, Duration::from_millis(300));
    let staging = host.data().join("staging");
    wait_until("nothing of half an archive is left", PATIENCE, || {
        (std::fs::read_dir(&staging).unwrap().count() == 0).then_some(())
    });
    assert_eq!((deployments(&host).len(), versions(&host).len()), (0, 0));
    // Gone at once, and while it boots.
    request.abandon(whole.len(), Duration::ZERO);
    until_phase(&host, "v1", "done");
    assert_eq!(host.get("shop", "/").send().text(), "one");
    let request = host.call("POST", "/v1/apps/shop/deployments?version=v2").body(whole.clone());
    request.abandon(whole.len(), Duration::from_millis(700));
    assert_eq!(until_phase(&host, "v2", "done")["result"], "live");
    assert_eq!(live(&host), "v2");
}

/// A way to a host on which only so many bytes get there.
struct NarrowWay {
    address: SocketAddr,
    passed: Arc<AtomicUsize>,
    /// Whether its clients are gone: its connections end then.
    over: Arc<AtomicBool>,
}

fn narrow_way(to: SocketAddr, bytes_max: usize) -> NarrowWay {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, passed, over) = (listener.local_addr().unwrap(), Arc::default(), Arc::default());
    let way = NarrowWay { address, passed: Arc::clone(&passed), over: Arc::clone(&over) };
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let (passed, over) = (Arc::clone(&passed), Arc::clone(&over));
            std::thread::spawn(move || hand_on(client, to, bytes_max, &passed, &over));
        }
    });
    way
}

fn hand_on(mut client: TcpStream, to: SocketAddr, bytes_max: usize, passed: &AtomicUsize, over: &AtomicBool) {
    let mut host = TcpStream::connect(to).unwrap();
    let (mut back, mut from) = (client.try_clone().unwrap(), host.try_clone().unwrap());
    std::thread::spawn(move || std::io::copy(&mut from, &mut back));
    let mut piece = [0; 4096];
    while let Ok(bytes @ 1..) = client.read(&mut piece) {
        if passed.fetch_add(bytes, Ordering::SeqCst) >= bytes_max {
            wait_until("the client leaves", PATIENCE, || over.load(Ordering::SeqCst).then_some(()));
            break;
        }
        host.write_all(&piece[..bytes]).unwrap();
    }
    let _ = host.shutdown(Shutdown::Both);
}

/// No compressor makes it smaller.
fn noise(bytes: usize) -> Vec<u8> {
    let next = |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    std::iter::successors(Some(1_u64), next).take(bytes / 8).flat_map(u64::to_be_bytes).collect()
}

#[test]
fn an_interrupt_before_the_upload_is_whole_leaves_nothing() {
    let host = Host::start();
    let dir = bundle_dir(&[("server/index.js", &hello("one"))]);
    std::fs::create_dir(dir.path().join("client")).unwrap();
    std::fs::write(dir.path().join("client/film.bin"), noise(32 << 20)).unwrap();
    let way = narrow_way(host.admin, 1 << 20);
    let deploy = ["deploy", "shop", dir.path().to_str().unwrap(), "--version", "v1"];
    let call = host
        .cli(&deploy)
        .env("VITRINE_ADMIN", &format!("http://{}", way.address))
        .env("VITRINE_TOKEN", &host.token());
    let ran = call.interrupted_when(|| {
        wait_until("half an upload", PATIENCE, || {
            (way.passed.load(Ordering::SeqCst) > 1 << 20).then_some(())
        });
    });
    way.over.store(true, Ordering::SeqCst);
    assert_eq!(ran.code, 130, "{ran:?}");
    assert!(
        ran.stderr.contains("shop@v1 is not deployed") && ran.stderr.contains("nothing is stored"),
        "{ran:?}"
    );
    wait_until("nothing of it is left", PATIENCE, || {
        (std::fs::read_dir(host.data().join("staging")).unwrap().count() == 0).then_some(())
    });
    assert_eq!((deployments(&host).len(), versions(&host).len()), (0, 0));
    host.deploy("shop", "other", &["--version", "v1"]);
}

#[test]
fn an_interrupt_after_the_upload_ends_the_command_alone() {
    let (host, path) = host_with_a_gate();
    let two = bundle_dir(&[("server/index.js", &hello("two"))]);
    let deploy = ["deploy", "shop", two.path().to_str().unwrap(), "--version", "v2"];
    let ran = host.cli(&deploy).interrupted_when(|| until_asked(&path));
    assert_eq!((ran.code, ran.stdout.as_str()), (130, ""), "{ran:?}");
    let id = until_phase(&host, "v2", "hooks")["id"].as_str().unwrap().to_owned();
    for words in ["goes on with the deployment of shop@v2", &format!("`vitrine deployments shop {id}`")] {
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
    }
    // Nobody relies on a release that may still be undone.
    let again = lines(&post(&host, "version=v2&promote=false", &hello("two")).send()).pop().unwrap();
    assert!(again["error"]["detail"].as_str().unwrap().contains("is being deployed right now"), "{again}");
    std::fs::write(path.join("go"), "").unwrap();
    wait_until("v2 is live", PATIENCE, || (live(&host) == "v2").then_some(()));
    assert_eq!(host.get("shop", "/").send().text(), "two");
}

#[test]
fn of_two_deploys_at_once_the_earlier_one_is_superseded_and_undone() {
    let (host, path) = host_with_a_gate();
    let earlier = std::thread::scope(|scope| {
        let earlier = scope.spawn(|| lines(&post(&host, "version=v2", &hello("two")).send()));
        until_asked(&path);
        let later = lines(&post(&host, "version=v3", &hello("three")).send());
        assert_eq!(later.last().unwrap()["result"], "live");
        std::fs::write(path.join("go"), "").unwrap();
        earlier.join().unwrap()
    });
    let end = earlier.last().unwrap();
    assert_eq!(end["result"], "superseded", "{end}");
    let detail = end["error"]["detail"].as_str().unwrap();
    assert!(
        detail.contains("that of `v3`") && detail.ends_with("; deploy it again to make it live all the same"),
        "{detail}"
    );
    assert!(end["error"]["detail"].as_str().unwrap().contains("`v3`"), "{end}");
    assert!(phases(&earlier).contains(&"undoing"), "{earlier:?}");
    assert_eq!((live(&host), versions(&host)), ("v3".into(), vec!["v3".to_owned(), "v1".to_owned()]));
}

#[test]
fn a_host_that_is_killed_in_the_middle_undoes_the_deploy_at_its_next_start() {
    // While it boots.
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    let whole = archive(HANGS);
    let request = host.call("POST", "/v1/apps/shop/deployments?version=v2").body(whole.clone());
    request.abandon(whole.len(), Duration::ZERO);
    until_phase(&host, "v2", "booting");
    let host = Host::start_in(host.kill(), &PROCESS);
    assert_eq!((live(&host), versions(&host)), ("v1".into(), vec!["v1".to_owned()]));
    // What is live is known as the result of its deployment.
    let known = deployments(&host);
    assert_eq!((known.len(), &known[0]["version"], &known[0]["result"]), (1, &"v1".into(), &"live".into()));
    host.deploy("shop", "two", &["--version", "v2"]);
    drop(host);
    // Once it is ready, and not live.
    let (host, path) = host_with_a_gate();
    let whole = archive(&hello("two"));
    let request = host.call("POST", "/v1/apps/shop/deployments?version=v2").body(whole.clone());
    request.abandon(whole.len(), Duration::ZERO);
    until_asked(&path);
    let host = Host::start_in(host.kill(), &PROCESS);
    assert_eq!((live(&host), versions(&host)), ("v1".into(), vec!["v1".to_owned()]));
    std::fs::write(path.join("go"), "").unwrap();
    host.deploy("shop", "other", &["--version", "v2"]);
    assert_eq!(host.get("shop", "/").send().text(), "other");
}

#[test]
fn a_key_belongs_to_one_deployment() {
    let (host, path) = host_with_a_gate();
    let call =
        |query: &str, server: &str| post(&host, query, server).header("idempotency-key", "job-7").send();
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| call("version=v2", &hello("two")));
        until_asked(&path);
        // It has all lines so far, at once.
        let second = scope.spawn(|| call("version=v2", &hello("two")));
        wait_until("the second request is there", PATIENCE, || {
            // That of v1, and both of these.
            let log = host.log();
            let answered = log.lines().filter(|line| line.contains("admin request"));
            (answered.filter(|line| line.contains("/v1/apps/shop/deployments")).count() > 2).then_some(())
        });
        std::fs::write(path.join("go"), "").unwrap();
        (first.join().unwrap(), second.join().unwrap())
    });
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(lines(&first), lines(&second));
    assert_eq!(lines(&first).last().unwrap()["result"], "live");
    let other = call("version=v3", &hello("two"));
    assert_eq!((other.status, &other.json()["type"]), (422, &"urn:vitrine:problem:key_reused".into()));
    // A failure is an outcome, too, and the answer outlives the host.
    let fails = |host: &Host| post(host, "version=v4", THROWS).header("idempotency-key", "job-8").send();
    let failed = lines(&fails(&host)).pop().unwrap();
    assert_eq!(failed["result"], "failed");
    assert_eq!(lines(&fails(&host)).pop().unwrap(), failed);
    assert_eq!(deployments(&host).iter().filter(|one| one["version"] == "v4").count(), 1);
    let (folder, _) = host.stop();
    let host = Host::start_in(folder, &PROCESS);
    assert_eq!(lines(&fails(&host)).pop().unwrap(), failed);
    let begun = |line: &&str| line.contains("a deployment begins") && line.contains("shop@v4");
    assert_eq!(host.log().lines().filter(begun).count(), 1);
}

#[test]
fn a_token_does_in_one_call_what_it_could_in_two() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    let token = |name: &str, app: &str, verbs: &str| {
        host.cli(&["token", "create", name, "--app", app, "--verb", verbs]).ok().stdout.trim().to_owned()
    };
    let call = |token: &str, method: &str, path: &str| {
        Request::new(host.admin, method, &format!("/v1/apps/shop/deployments{path}"))
            .header("host", "x")
            .header("authorization", &format!("Bearer {token}"))
    };
    let send = |token: &str, query: &str| {
        let answer = call(token, "POST", &format!("?{query}")).body(archive(&hello("two"))).send();
        (answer.status, answer)
    };
    let deployer = token("deployer", "shop", "deploy");
    let (status, answer) = send(&deployer, "version=v2");
    assert_eq!((status, &answer.json()["type"]), (403, &"urn:vitrine:problem:forbidden".into()));
    assert!(answer.json()["detail"].as_str().unwrap().contains("`promote`"), "{answer:?}");
    for wrong in [token("promoter", "shop", "promote"), token("blog", "blog", "deploy,promote")] {
        assert_eq!(send(&wrong, "version=v2").0, 403);
        assert_eq!(send(&wrong, "version=v2&promote=false").0, 403);
    }
    assert_eq!(versions(&host), ["v1"]);
    let (_, ready) = send(&deployer, "version=v2&promote=false");
    assert_eq!(lines(&ready).last().unwrap()["result"], "ready");
    assert_eq!(host.release("shop", "v2")["env_scope"], "preview", "it does not see production's values");
    let (_, live) = send(&token("both", "shop", "deploy,promote"), "version=v3");
    assert_eq!(lines(&live).last().unwrap()["result"], "live");
    assert_eq!(host.release("shop", "v3")["env_scope"], "production");
    // What an app wrote is for its own token and for those that read logs.
    let reader = token("reader", "shop", "read");
    let failed = post(&host, "version=v4", THROWS).send();
    let location = failed.header("location").unwrap().rsplit('/').next().unwrap().to_owned();
    let seen = |token: &str| call(token, "GET", &format!("/{location}")).send().json();
    let of_reader = seen(&reader);
    assert_eq!(of_reader["result"], "failed");
    assert!(!of_reader.to_string().contains("price list"), "{of_reader}");
    assert!(seen(&token("logs", "shop", "logs")).to_string().contains("price list"));
    assert_eq!(call(&token("other", "blog", "read"), "GET", "").send().status, 403);
}

#[test]
fn a_token_that_is_revoked_during_the_boot_makes_nothing_live() {
    let host = Host::start();
    host.deploy("shop", "one", &["--version", "v1"]);
    let args = ["token", "create", "ci", "--app", "shop", "--verb", "deploy,promote"];
    let token = host.cli(&args).ok().stdout.trim().to_owned();
    let slow = format!("await new Promise((done) => setTimeout(done, 3000));\n{}", hello("two"));
    let answer = std::thread::scope(|scope| {
        let request = Request::new(host.admin, "POST", "/v1/apps/shop/deployments?version=v2")
            .header("host", "x")
            .header("authorization", &format!("Bearer {token}"))
            .body(archive(&slow));
        let sent = scope.spawn(move || request.send());
        until_phase(&host, "v2", "booting");
        host.cli(&["token", "revoke", "ci"]).ok();
        sent.join().unwrap()
    });
    let end = lines(&answer).pop().unwrap();
    assert_eq!((&end["result"], &end["error"]["status"]), (&"failed".into(), &401.into()), "{end}");
    assert_eq!((live(&host), versions(&host)), ("v1".into(), vec!["v1".to_owned()]));
}
