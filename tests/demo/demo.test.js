// The demo from its beginning to its end, and cut short: it says what it measured, and leaves nothing behind.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import path from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BIN_DIR = process.env.VITRINE_BIN ?? path.join(ROOT, "target/debug");

/** Two Vite builds and a host on a busy machine with binaries that are not optimized. */
const TIMEOUT_MS = 240_000;

/** A demo whose temporary files lie in a folder of its own. Short: a Unix socket's path has at most 107 bytes. */
async function startDemo(t, ...flags) {
  const folder = await mkdtemp("/tmp/vd-");
  const child = spawn(process.execPath, [path.join(ROOT, "examples/demo.mjs"), "--bin-dir", BIN_DIR, ...flags], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "pipe", "inherit"],
    // As a shell does it: Ctrl-C is for the whole group.
    detached: true,
  });
  t.after(async () => {
    child.kill("SIGTERM");
    await rm(folder, { recursive: true, force: true });
  });
  const lines = [];
  const waiting = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    waiting.filter(({ text }) => line.includes(text)).forEach(({ resolve }) => resolve(line));
  });
  const ended = once(child, "close").then(([code, signal]) => code ?? signal);
  return {
    folder,
    output: () => lines.join("\n"),
    ended,
    /** @param {string} text Waits for a line that has it. */
    said: (text) => {
      const line = new Promise((resolve) => waiting.push({ text, resolve }));
      const early = ended.then((code) => assert.fail(`it ended with ${code} before it said "${text}":\n${lines.join("\n")}`));
      return Promise.race([line, early]);
    },
    interrupt: () => process.kill(-child.pid, "SIGINT"),
  };
}

/** What is left of a demo: files, processes and containers that know its folder. */
function leftOf(folder) {
  const left = readdirSync(folder).map((name) => `file ${name}`);
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    try {
      const known = ["cmdline", "environ"].map((file) => readFileSync(`/proc/${pid}/${file}`, "utf8")).join();
      if (known.includes(folder)) {
        left.push(`process ${pid}: ${known.slice(0, 200).replaceAll("\0", " ")}`);
      }
    } catch {
      // It ended meanwhile, or is somebody else's.
    }
  }
  const { stdout } = spawnSync("docker", ["ps", "--all", "--no-trunc", "--format", "{{.Names}} {{.Mounts}}"], {
    encoding: "utf8",
    timeout: 10_000,
  });
  const containers = (stdout ?? "").split("\n").filter((line) => line.includes(folder));
  return [...left, ...containers.map((line) => `container ${line}`)];
}

test("goes its whole way once, and leaves nothing behind", { timeout: TIMEOUT_MS }, async (t) => {
  const demo = await startDemo(t, "--once");
  const code = await demo.ended;
  assert.equal(code, 0, demo.output());
  for (const said of [/deploy: .* s$/m, /flip .* (ms|s)$/m, /rollback .* (ms|s)$/m, /none wrong$/m, /\d+ pages fetched, every one of them right/]) {
    assert.match(demo.output(), said);
  }
  assert.deepEqual(leftOf(demo.folder), []);
});

test("stays until Ctrl-C, and takes everything along", { timeout: TIMEOUT_MS }, async (t) => {
  const demo = await startDemo(t);
  const line = await demo.said("The catalogue  http://");
  const { host, port } = new URL(/http:\/\/\S+/.exec(line)[0]);
  const [response] = await once(request({ host: "127.0.0.1", port, headers: { host } }).end(), "response");
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers["x-vitrine-release"], "catalog@v1");
  response.resume();
  demo.interrupt();
  assert.equal(await demo.ended, 0, demo.output());
  assert.deepEqual(leftOf(demo.folder), []);
});

test("can be cut short while it deploys", { timeout: TIMEOUT_MS }, async (t) => {
  const demo = await startDemo(t, "--once");
  await demo.said("starting a host");
  demo.interrupt();
  assert.equal(await demo.ended, 130, demo.output());
  assert.deepEqual(leftOf(demo.folder), []);
});
