import assert from "node:assert/strict";
import { test } from "node:test";

import { bundleManifest } from "../src/bundle-manifest.js";

test("writes every field that was given, and the two that the plugin owns", () => {
  const limits = { cpu_ms: 500, wall_ms: 5000, heap_mb: 128, concurrency: 32, queue: 256, queue_ms: 1000, request_mb: 10 };
  const more = {
    response_mb: 50,
    client_stall_ms: 30000,
    stream_idle_ms: 60000,
    subrequests: 50,
    log_lines_per_s: 100,
    isolates: 0,
    isolate_per_request: false,
  };
  const options = {
    contract: "render",
    snapshot: { harmless: ["clock"] },
    warm: ["/"],
    health: { path: "/health" },
    scale: { min: 2, max: 4 },
    limits: { ...limits, ...more },
    egress: ["https://api.example.com"],
    env: ["API_URL"],
  };
  assert.deepEqual(JSON.parse(bundleManifest(options, { hasClient: true })), {
    entry: "server/index.js",
    assets: "client",
    ...options,
  });
});

test("names the shell that was built", () => {
  const manifest = JSON.parse(bundleManifest({}, { hasClient: true, shell: "index.html" }));
  assert.deepEqual(manifest, { entry: "server/index.js", assets: "client", shell: "index.html" });
});

test("leaves out what was not given", () => {
  assert.deepEqual(JSON.parse(bundleManifest({ warm: undefined }, { hasClient: false })), { entry: "server/index.js" });
});

for (const [options, complaint] of [
  [{ memory: "1GB" }, /unknown option `memory`/],
  [{ limits: { gpu_ms: 1 } }, /unknown option `limits\.gpu_ms`/],
  [{ toString: 1 }, /unknown option `toString`/],
  [{ scale: { min: 0 } }, /`scale\.min` must be a whole number, 1 or more/],
  [{ limits: 5 }, /`limits` must be an object/],
  [{ limits: { cpu_ms: "500" } }, /`limits\.cpu_ms` must be a whole number.*"500"/],
  [{ contract: "handler" }, /`contract` must be "fetch" or "render"/],
  [{ snapshot: "no" }, /`snapshot` must be true, false or/],
  [{ snapshot: { harmless: ["time"] } }, /`snapshot` must be true, false or/],
  [{ warm: ["courses"] }, /`warm` must be a list of paths/],
  [{ health: { path: 1 } }, /`health\.path` must be a path/],
  [{ egress: ["https://api.example.com/v1"] }, /`egress` must be a list of origins/],
  [{ env: ["API URL"] }, /`env` must be a list of environment names/],
]) {
  test(`refuses ${JSON.stringify(options)}`, () => {
    assert.throws(() => bundleManifest(options, { hasClient: true }), { name: "TypeError", message: complaint });
  });
}
