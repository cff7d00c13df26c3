// What HTTP caches should do, by the suite of cache-tests.fyi: its server is the origin, a bundle that passes its answers on is the app.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { ROOT, startHost, stop } from "../../browser/host.js";

const REPOSITORY = "https://github.com/http-tests/cache-tests.git";
/** Of 2026-07-20. A newer one changes the expectations. */
const COMMIT = "b55b8bda3dbb8c927c04e85bd8d496a8caa3e4ba";
/** What its client calls with. */
const CLIENT = "undici@7";
/** A run takes one minute: tests wait three seconds for what is stale then. */
const RUN_MS = 300_000;
const HERE = fileURLToPath(new URL(".", import.meta.url));
const EXPECTATIONS = path.join(HERE, "../expectations/cache.txt");

/** The suite's folder: one that `CACHE_TESTS_DIR` names, or one that is made below target/. */
function folder() {
  if (process.env.CACHE_TESTS_DIR !== undefined) {
    return process.env.CACHE_TESTS_DIR;
  }
  const made = path.join(ROOT, "target/conformance/cache-tests");
  if (!existsSync(path.join(made, "node_modules/undici"))) {
    rmSync(made, { recursive: true, force: true });
    mkdirSync(made, { recursive: true });
    const at = { cwd: made, stdio: ["ignore", "ignore", "inherit"] };
    try {
      execFileSync("git", ["init", "--quiet"], at);
      execFileSync("git", ["fetch", "--quiet", "--depth=1", REPOSITORY, COMMIT], at);
      execFileSync("git", ["checkout", "--quiet", "FETCH_HEAD"], at);
      rmSync(path.join(made, "package.json"));
      execFileSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--silent", CLIENT], at);
    } catch {
      throw new Error(`the cache tests can't be fetched; name a checkout of them: CACHE_TESTS_DIR=FOLDER (commit ${COMMIT}, with ${CLIENT})`);
    }
  }
  return made;
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** @param {string} program @param {Record<string, string>} env The suite reads its settings as npm would give them. */
function node(suite, program, env) {
  const settings = Object.fromEntries(Object.entries(env).map(([name, value]) => [`npm_config_${name}`, value]));
  const child = spawn(process.execPath, ["--no-warnings", program], {
    cwd: suite,
    env: { ...process.env, ...settings, npm_package_config_id: "" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let output = "";
  child.stdout.on("data", (data) => (output += data));
  return { child, output: () => output };
}

/** Results of the suite, as its own client writes them. @param {string} suite @param {string} only */
async function results(suite, only) {
  const [port, scratch] = [await freePort(), await mkdtemp(path.join(tmpdir(), "vitrine-cache-tests-"))];
  const origin = node(suite, "test-engine/server/server.mjs", { port, protocol: "http", pidfile: path.join(scratch, "pid") });
  const config = "[edge]\nskew_protection = false\nrequests_per_client = 2000\n";
  const host = await startHost({ allowPrivate: [`127.0.0.1:${port}`], config, extraFlags: ["--isolation", "process"] });
  try {
    const bundle = path.join(scratch, "bundle");
    await cp(path.join(HERE, "app"), bundle, { recursive: true });
    const server = path.join(bundle, "server/index.js");
    await writeFile(server, (await readFile(server, "utf8")).replace('"ORIGIN"', JSON.stringify(`http://127.0.0.1:${port}`)));
    const manifest = { egress: [`http://127.0.0.1:${port}`], warm: [], compression: false, cache: { mode: "declared" } };
    await writeFile(path.join(bundle, "vitrine.json"), JSON.stringify(manifest));
    await host.vitrine("deploy", "cached", bundle, "--version", "v1");
    const client = node(suite, "test-engine/cli.mjs", { base: `http://127.0.0.1:${host.edge.port}`, id: only });
    const timer = setTimeout(() => client.child.kill("SIGKILL"), RUN_MS);
    await new Promise((resolve) => client.child.once("close", resolve));
    clearTimeout(timer);
    return client.output();
  } finally {
    await Promise.all([stop(origin.child), host.stop()]);
    await rm(scratch, { recursive: true, force: true });
  }
}

/** @param {string} only One test, whose exchange is shown; all, if it is empty. */
export async function cacheSuite(only) {
  const suite = folder();
  const output = await results(suite, only);
  if (only !== "") {
    return { table: output, problems: [] };
  }
  const load = (file) => import(pathToFileURL(path.join(suite, file)).href);
  const { default: tests } = await load("tests/index.mjs");
  const { determineTestResult, resultTypes } = await load("test-engine/lib/results.mjs");
  const found = JSON.parse(output);
  const counts = {};
  const failed = [];
  for (const test of tests.flatMap((group) => group.tests).filter((test) => test.browser_only !== true)) {
    const kind = test.kind ?? "required";
    const passed = determineTestResult(tests, test.id, found, false) === resultTypes.pass;
    const count = (counts[kind] ??= { passed: 0, of: 0 });
    count.of += 1;
    count.passed += passed ? 1 : 0;
    if (!passed && kind !== "check") {
      failed.push(test.id);
    }
  }
  const expected = readFileSync(EXPECTATIONS, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const problems = [
    ...failed.filter((id) => !expected.includes(id)).map((id) => `${id}: ${JSON.stringify(found[id])}`),
    ...expected.filter((id) => !failed.includes(id)).map((id) => `expected to fail, and does not: ${id}`),
  ];
  const rows = ["required", "optimal"].map((kind) => `| ${kind} | ${counts[kind].passed} of ${counts[kind].of} |`);
  return { table: ["| tests | passed |", "| --- | ---: |", ...rows].join("\n"), problems };
}
