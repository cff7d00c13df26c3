//! What one visitor, or one app, finds of another, and what an app finds of its worker.

use vitrine_test_support::host::Host;

/// Leaves its visitor's name wherever it can, and tells what it found there.
const CANARY: &str = "
    let canary = 'none';
    const places = [globalThis, Array.prototype, Response, process.env, console];
    export default { async fetch(request) {
      const name = new URL(request.url).pathname;
      // The host's own check is no visitor.
      if (name === '/') return new Response('well');
      const found = [canary, ...places.map((place) => place.canary ?? 'none')];
      canary = name;
      for (const place of places) place.canary = name;
      await new Promise((done) => setTimeout(done, 1));
      return new Response(found.join(' '));
    } };
";
const NOTHING: &str = "none none none none none none";

/// Tries everything that would lead out of the isolate, and tells what worked.
const OUTWARD: &str = "
    const tries = {
      Deno: () => Deno.core,
      bootstrap: () => __bootstrap.core,
      infra: () => __infra,
      worker: () => new Worker('data:text/javascript,0'),
      ops: () => import('ext:core/ops'),
      scripts: () => import('ext:vitrine/runtime/boot.js'),
      file: () => import('file:///etc/passwd'),
      above: () => import('../../../etc/passwd'),
      data: () => import('data:text/javascript,export default 1'),
      web: () => import('https://example.com/x.js'),
      processes: async () => (await import('node:child_process')).execSync('id'),
      threads: async () => new (await import('node:worker_threads')).Worker('./x.js'),
      sockets: async () => (await import('node:net')).connect(80, '127.0.0.1'),
      require: () => require('child_process'),
      binding: () => process.binding('fs'),
      kill: () => process.kill(process.pid, 9),
      collect: () => gc(),
      shell: () => new Function('return this')().Deno.run,
    };
    export default { async fetch() {
      const worked = [];
      for (const [name, attempt] of Object.entries(tries)) {
        try { if ((await attempt()) !== undefined) worked.push(name); } catch {}
      }
      const environment = Object.keys(process.env).filter((name) => name !== 'NODE_ENV');
      return Response.json({ worked, environment, stack: new Error('here').stack });
    } };
";

fn with_canary(limits: &str) -> Host {
    let host = Host::start();
    host.deploy_files("shop", &[("server/index.js", CANARY), ("vitrine.json", limits)], &[]);
    host
}

#[test]
fn with_an_isolate_for_each_request_nobody_finds_anything_of_another() {
    let host =
        with_canary(r#"{"limits":{"isolate_per_request":true,"isolates":2,"queue_ms":30000},"warm":[]}"#);
    let limits = host.cli(&["status", "shop", "--json"]).ok().json()["releases"][0]["limits"].clone();
    assert_eq!((&limits["isolate_per_request"], &limits["isolates"]), (&true.into(), &2.into()));
    std::thread::scope(|scope| {
        for visitor in 0..4 {
            let host = &host;
            scope.spawn(move || {
                for page in 0..25 {
                    let answer = host.get("shop", &format!("/{visitor}/{page}")).send();
                    assert_eq!((answer.status, answer.text()), (200, NOTHING));
                }
            });
        }
    });
}

#[test]
fn by_default_visitors_share_module_scope_and_apps_share_nothing() {
    let host = with_canary(r#"{"limits":{"isolates":1},"warm":[]}"#);
    host.deploy_files("blog", &[("server/index.js", CANARY), ("vitrine.json", r#"{"warm":[]}"#)], &[]);
    assert_eq!(host.get("shop", "/first").send().text(), NOTHING);
    assert_eq!(host.get("shop", "/second").send().text(), ["/first"; 6].join(" "));
    assert_eq!(host.get("blog", "/third").send().text(), NOTHING);
}

#[test]
fn an_app_reaches_nothing_of_its_worker() {
    let host = Host::start();
    host.deploy_files("shop", &[("server/index.js", OUTWARD)], &[]);
    let told = host.get("shop", "/").send().json();
    assert_eq!(told["worked"], serde_json::json!([]), "{told}");
    assert_eq!(told["environment"], serde_json::json!([]), "{told}");
    let stack = told["stack"].as_str().unwrap();
    assert!(!stack.contains("/tmp") && !stack.contains("/src/"), "{stack}");
}
