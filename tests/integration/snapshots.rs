//! Isolates start from a snapshot of their app, and nothing that differs from one isolate to the next is frozen in it.

use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use vitrine_test_support::archive::{Archive, bundle_dir};
use vitrine_test_support::host::Host;
use vitrine_test_support::wait::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);

/// Looks at everything when a request asks, and keeps at module scope what it may.
const HONEST: &str = r#"
class MyDate extends Date {}
const random = Math.random;
const now = Date.now;
const env = process.env;
const epoch = new Date(0);
let requests = 0;
export default {
  fetch(request, bound) {
    requests += 1;
    return Response.json({
      requests, random: random(), uuid: crypto.randomUUID(), now: now(), date: new MyDate().getTime(), isDate: epoch instanceof Date,
      origin: performance.timeOrigin, since: performance.now(), env: env.NAME ?? null, bound: bound.NAME ?? null,
      wasm: WebAssembly.validate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])), shared: new SharedArrayBuffer(8).byteLength,
      source: Date.toString() + Math.random.toString(),
    });
  },
};
"#;

fn snapshot(host: &Host, version: &str) -> Value {
    host.release("shop", version)["snapshot"].clone()
}

fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1e3
}

/// Files of snapshots in a host's data folder.
fn files(host: &Host) -> Vec<PathBuf> {
    let bundles = std::fs::read_dir(host.data().join("bundles")).unwrap().map(|entry| entry.unwrap().path());
    let folders = bundles.filter_map(|bundle| std::fs::read_dir(bundle.join("snapshots")).ok());
    folders.flatten().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn time_randomness_and_values_are_each_isolates_own() {
    let host = Host::start();
    let listing = r#"{"env":["NAME"],"limits":{"isolates":2}}"#;
    host.cli(&["env", "set", "shop", "NAME"]).stdin("a-value-Zq81-that-is-nowhere-else").ok();
    let begun = now_ms();
    host.deploy_files(
        "shop",
        &[("server/index.js", HONEST), ("vitrine.json", listing)],
        &["--version", "v1"],
    );
    let taken = snapshot(&host, "v1");
    assert_eq!(taken["state"], "taken", "{taken}");
    assert!(taken["bytes"].as_u64().unwrap() > 500_000, "{taken}");
    let answers: Vec<Value> = (0..8).map(|_| host.get("shop", "/").send().json()).collect();
    for (field, what) in [("random", "random numbers"), ("uuid", "UUIDs")] {
        let distinct: std::collections::HashSet<_> =
            answers.iter().map(|one| one[field].to_string()).collect();
        assert_eq!(distinct.len(), answers.len(), "{what}: {answers:?}");
    }
    for answer in &answers {
        let number = |name: &str| answer[name].as_f64().unwrap();
        assert!((begun - 1.0..=now_ms() + 1.0).contains(&number("now")), "{answer}");
        assert!((number("date") - number("now")).abs() < 1000.0, "{answer}");
        assert!((begun - 1.0..=now_ms() + 1.0).contains(&(number("origin") + number("since"))), "{answer}");
        assert_eq!(
            (&answer["env"], &answer["bound"]),
            (&answers[0]["bound"], &"a-value-Zq81-that-is-nowhere-else".into())
        );
        assert_eq!(
            (&answer["isDate"], &answer["wasm"], &answer["shared"]),
            (&true.into(), &true.into(), &8.into())
        );
        assert!(!answer["source"].as_str().unwrap().contains("notice"), "{answer}");
    }
    // Other values, same bundle: the same snapshot.
    let before = files(&host);
    assert_eq!(before.len(), 1);
    host.cli(&["env", "set", "shop", "NAME"]).stdin("another").ok();
    assert_eq!(host.get("shop", "/").send().json()["env"], "another");
    assert_eq!(files(&host), before);
    let bytes = std::fs::read(&before[0]).unwrap();
    assert!(!bytes.windows(4).any(|part| part == b"Zq81"), "a value is in the snapshot");
}

#[test]
fn what_a_snapshot_would_freeze_is_refused_with_its_place_and_the_app_runs_without() {
    let host = Host::start();
    for (version, line, reason) in [
        ("clock", "export const at = Date.now();", "server/index.js:2:24 reads the clock"),
        ("date", "export const at = String(new Date());", "server/index.js:2:26 reads the clock"),
        ("monotonic", "export const at = performance.now();", "reads the clock"),
        ("hrtime", "export const at = process.hrtime();", "reads the clock"),
        ("random", "export const at = Math.random();", "server/index.js:2:24 takes a random number"),
        ("uuid", "export const at = crypto.randomUUID();", "takes a random number"),
        ("fill", "export const at = crypto.getRandomValues(new Uint8Array(8));", "takes a random number"),
        (
            "key",
            "export const at = await crypto.subtle.generateKey({ name: 'Ed25519' }, false, ['sign']);",
            "takes a random number",
        ),
        ("format", "export const at = new Intl.DateTimeFormat('en').format();", "reads the clock"),
        ("parts", "export const at = new Intl.DateTimeFormat('en').formatToParts();", "reads the clock"),
        ("own", "export const at = Object.hasOwn(process.env, 'NAME');", "reads the environment"),
        ("env", "export const at = process.env.NAME ?? '';", "reads the environment"),
        ("spread", "export const at = JSON.stringify({ ...process.env });", "reads the environment"),
        (
            "network",
            "export const at = await fetch('http://127.0.0.1:9/').catch(() => 1);",
            "calls the network",
        ),
        ("timer", "export const at = setInterval(() => {}, 1e6);", "server/index.js:2:19 sets a timer"),
        ("channel", "export const at = new MessageChannel();", "asks for MessageChannel"),
        ("blob", "export const at = new Blob(['a']);", "asks for Blob"),
        ("file", "export const at = new (class extends File {})(['a'], 'n');", "asks for File"),
        ("native", "export const at = new CompressionStream('gzip');", "the process that made it ended"),
        ("wasm", "export const at = typeof WebAssembly;", "asks for WebAssembly"),
        ("feature", "export const at = Promise.try !== undefined;", "asks for try"),
    ] {
        let script =
            format!("// {version}\n{line}\nexport default () => new Response(`page ${{at === 0}}`);\n");
        let manifest = r#"{"env":["NAME"],"egress":["http://127.0.0.1:9"]}"#;
        host.deploy_files(
            "shop",
            &[("server/index.js", &script), ("vitrine.json", manifest)],
            &["--version", version],
        );
        let refused = snapshot(&host, version);
        assert_eq!(refused["state"], "refused", "{version}: {refused}");
        let told = refused["reason"].as_str().unwrap();
        assert!(told.contains(reason), "{version}: {told}");
        assert_eq!(host.get("shop", "/").send().text(), "page false", "{version}");
    }
    let shown = host.cli(&["releases", "shop"]).ok().stdout;
    assert!(shown.contains("\ntimer: no snapshot: server/index.js:2:19 sets a timer"), "{shown}");
    assert_eq!(files(&host), Vec::<PathBuf>::new());
}

#[test]
fn a_snapshot_that_v8_can_not_read_is_named_with_the_way_out() {
    let host = Host::start();
    let script = "const error = new Error('kept'); error.stack; globalThis.kept = error;\n\
                  export default () => new Response(kept.message);\n";
    let folder = bundle_dir(&[("server/index.js", script)]);
    let words = "`\"snapshot\": false` in vitrine.json";
    host.cli(&["deploy", "shop", folder.path().to_str().unwrap(), "--version", "v1"]).fails(1, &[words]);
    host.deploy_files("shop", &[("server/index.js", script), ("vitrine.json", r#"{"snapshot":false}"#)], &[]);
    assert_eq!(host.get("shop", "/").send().text(), "kept");
}

#[test]
fn a_worker_that_takes_a_snapshot_ends_with_the_boot_that_it_is_for() {
    // There is less time left then than a snapshot may take.
    let late = "boot.check_bundle=1*sleep(1500)->off";
    let host = Host::start_broken(Host::folder_anew(), &["--isolation", "process"], late);
    let hangs = Archive::empty().file("server/index.js", b"for (;;);\nexport default {};");
    let answer = host.call("PUT", "/v1/apps/shop/releases/v1?wait=2").body(hangs.gz()).send();
    assert_eq!(answer.status, 422, "{}", answer.text());
    // One that is left alone is seen to hang, and ends some ten seconds later.
    wait_until("its worker has ended", Duration::from_secs(5), || host.workers().is_empty().then_some(()));
}

#[test]
fn a_bundle_decides_for_itself() {
    let host = Host::start();
    let script = "const at = Date.now();\nexport default () => new Response(String(at));\n";
    for (version, manifest, state) in [
        ("declared", r#"{"snapshot":{"harmless":["clock"]}}"#, "taken"),
        ("other", r#"{"snapshot":{"harmless":["randomness"]}}"#, "refused"),
        ("without", r#"{"snapshot":false}"#, ""),
    ] {
        host.deploy_files(
            "shop",
            &[("server/index.js", script), ("vitrine.json", manifest)],
            &["--version", version],
        );
        let found = snapshot(&host, version);
        assert_eq!(found["state"].as_str().unwrap_or_default(), state, "{version}: {found}");
    }
    // A name that the bundle does not list has no value in any isolate, and NODE_ENV is the same in all.
    let script =
        "const mode = process.env.NODE_ENV + process.env.ELSE;\nexport default () => new Response(mode);\n";
    host.deploy_files("shop", &[("server/index.js", script)], &["--version", "unlisted"]);
    assert_eq!(snapshot(&host, "unlisted")["state"], "taken");
    assert_eq!(host.get("shop", "/").send().text(), "productionundefined");
}

#[test]
fn local_time_is_part_of_a_snapshot_only_where_the_zone_is_no_value() {
    let host = Host::start();
    host.cli(&["env", "set", "shop", "TZ"]).stdin("Europe/Berlin").ok();
    for (version, made, env, reason, told) in [
        (
            "date",
            "new Date(2026, 6, 1)",
            "TZ",
            "reads the environment",
            "2026-06-30T22:00:00.000Z Europe/Berlin",
        ),
        (
            "text",
            "new Date('2026-07-01T00:00')",
            "TZ",
            "reads the environment",
            "2026-06-30T22:00:00.000Z Europe/Berlin",
        ),
        (
            "format",
            "new Date((new Intl.DateTimeFormat('en'), 0))",
            "TZ",
            "reads the environment",
            "1970-01-01T00:00:00.000Z Europe/Berlin",
        ),
        ("none", "2026", "TZ", "", "2026 Europe/Berlin"),
        ("unlisted", "new Date(2026, 6, 1)", "ELSE", "", "2026-07-01T00:00:00.000Z UTC"),
    ] {
        let script = format!(
            "const made = {made};\nexport default () => new Response(`${{made.toISOString?.() ?? made}} ${{Intl.DateTimeFormat().resolvedOptions().timeZone}}`);\n"
        );
        let manifest = format!(r#"{{"env":["{env}"]}}"#);
        host.deploy_files(
            "shop",
            &[("server/index.js", &*script), ("vitrine.json", &*manifest)],
            &["--version", version],
        );
        let found = snapshot(&host, version);
        let state = if reason.is_empty() { "taken" } else { "refused" };
        assert_eq!(found["state"], state, "{version}: {found}");
        assert!(found["reason"].as_str().unwrap_or_default().contains(reason), "{version}: {found}");
        assert_eq!(host.get("shop", "/").send().text(), told, "{version}");
    }
}

#[test]
fn an_isolate_from_a_snapshot_has_every_global_that_its_app_saw() {
    let host = Host::start();
    let script = r#"
const seen = list(globalThis, "", 0, new Set());
function list(object, path, depth, known) {
  if (object === null || (typeof object !== "object" && typeof object !== "function") || known.has(object) || depth > 3) return [];
  known.add(object);
  return Reflect.ownKeys(object).flatMap((key) => {
    const name = `${path}.${String(key)}`;
    const { value } = Reflect.getOwnPropertyDescriptor(object, key);
    return [name, ...(["globalThis", "self", "global"].includes(key) ? [] : list(value, name, depth + 1, known))];
  });
}
export default () => {
  const now = list(globalThis, "", 0, new Set());
  // What is below a name that was only noticed could not be seen.
  const isNew = (name) => !seen.includes(name) && !seen.includes(name.slice(0, name.lastIndexOf(".")));
  const inner = now.filter(isNew);
  return Response.json(inner.filter((name) => !inner.includes(name.slice(0, name.lastIndexOf(".")))
    && !/^\.(AsyncDisposableStack|DisposableStack|Float16Array|SharedArrayBuffer|SuppressedError|WebAssembly)\./.test(name)));
};
"#;
    host.deploy_files("shop", &[("server/index.js", script)], &["--version", "v1"]);
    assert_eq!(snapshot(&host, "v1")["state"], "taken");
    let missing = host.get("shop", "/").send().json();
    assert_eq!(
        missing,
        serde_json::json!([]),
        "V8 has more to add to an isolate than js/runtime/snapshot_guard.js knows"
    );
}

#[test]
fn a_damaged_snapshot_is_not_used_and_made_again() {
    let host = Host::start();
    host.deploy_files("shop", &[("server/index.js", HONEST)], &["--version", "v1"]);
    let file = files(&host).remove(0);
    let (folder, _) = host.stop();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();

    let host = Host::start_in(folder, &["--isolation", "process"]);
    assert_eq!(host.get("shop", "/").send().json()["isDate"], true);
    let told = wait_until("the host forgets the snapshot", PATIENCE, || {
        Some(host.log()).filter(|log| log.contains("the worker can't use the snapshot"))
    });
    assert!(!told.contains("panicked"), "{told}");
    let (folder, _) = host.stop();
    let host = Host::start_in(folder, &["--isolation", "process"]);
    assert_eq!(host.get("shop", "/").send().json()["isDate"], true);
    assert_eq!(snapshot(&host, "v1")["state"], "taken");
    assert!(
        !host.log().rsplit_once("the worker can't use the snapshot").unwrap().1.contains("snapshot_unusable")
    );
}

#[test]
fn the_snapshot_of_a_release_that_sleeps_is_kept_compressed_and_comes_back_when_it_wakes() {
    let host = Host::start_in(
        Host::configured("[switching]\nidle_timeout_ms = 1000\n"),
        &["--isolation", "process"],
    );
    for version in ["v1", "v2", "v3"] {
        let script = format!("// {version}\n{HONEST}");
        host.deploy_files("shop", &[("server/index.js", &script)], &["--version", version]);
    }
    let digest = host.release("shop", "v1")["digest"].as_str().unwrap().to_owned();
    let folder = host.data().join("bundles").join(digest);
    let bytes = snapshot(&host, "v1")["bytes"].as_u64().unwrap();
    let own = || std::fs::read_dir(folder.join("snapshots")).map_or(0, Iterator::count);
    wait_until("the snapshot is packed", PATIENCE, || (own() == 0).then_some(()));
    assert_eq!(files(&host).len(), 2, "what is live and what is gone back to keep theirs");
    let packed = std::fs::metadata(folder.join("snapshot.zst")).unwrap().len();
    assert!(packed < bytes / 3, "{packed} bytes of {bytes}");
    assert_eq!(snapshot(&host, "v1")["state"], "taken");

    let awake = host.get("shop-v1", "/").send();
    assert_eq!(awake.json()["isDate"], true);
    assert_eq!(own(), 1, "its worker maps the file");
    assert!(!host.log().contains("the worker can't use the snapshot"), "{}", host.log());
    let release = host.release("shop", "v1");
    assert_eq!(release["snapshot"]["state"], "taken", "{release}");

    // After a restart, too, and when what is packed is damaged it is made again.
    wait_until("it sleeps again", PATIENCE, || (own() == 0).then_some(()));
    let (data, _) = host.stop();
    std::fs::write(folder.join("snapshot.zst"), "no snapshot").unwrap();
    let host = Host::start_in(data, &["--isolation", "process"]);
    assert_eq!(host.get("shop-v1", "/").send().json()["isDate"], true);
    assert_eq!((snapshot(&host, "v1")["state"].as_str(), own()), (Some("taken"), 1));
    assert!(std::fs::metadata(folder.join("snapshot.zst")).unwrap().len() > 1000);
}
