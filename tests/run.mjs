// Runs the test suites one after the other, all of them even if one fails, and sums up what they said.
//   node tests/run.mjs [--long] [SUITE…]
// Each suite's whole output is kept in target/test-logs/SUITE.log.
import { spawn, spawnSync } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { countCargo, countNode, countPython, judged } from "./suites/counts.mjs";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const LOGS = path.join(ROOT, "target/test-logs");

/** A suite that takes longer hangs: the first one compiles everything on two cores. */
const SUITE_TIMEOUT_MS = 25 * 60_000;
/** The long suite has the tests that take minutes each: one of an hour, two of forty minutes, and some of ten. */
const LONG_SUITE_TIMEOUT_MS = 230 * 60_000;
/** What a long run tells the suites: cases of each property, 256 by default, and that tests which take minutes are wanted. */
const LONG = { PROPTEST_CASES: "4096", VITRINE_LONG: "1" };
/** How long a suite's output may stay open after its end; a process that it left behind holds it. */
const LEFT_BEHIND_MS = 10_000;
/** How long Docker may take to say that it is there. */
const DOCKER_ANSWER_MS = 10_000;

const { values, positionals } = parseArgs({ options: { long: { type: "boolean", default: false } }, allowPositionals: true });

const node = (cwd) => ({ command: ["npm", "test", "--silent"], cwd, count: countNode });
const files = (...names) => ({ command: [process.execPath, "--test", ...names], cwd: ".", count: countNode });
const harness = ["--show-output", ...(values.long ? ["--include-ignored"] : [])];
const SUITES = {
  rust: { command: ["cargo", "test", "--workspace", "--locked", "--features", "failpoints", "--no-fail-fast", "--", ...harness], cwd: ".", count: countCargo },
  v8: { command: ["python3", "-B", "js-runtime/v8/test_v8.py", "-v"], cwd: ".", count: countPython },
  suites: files("tests/suites/counts.test.js"),
  plugin: node("packages/vite-plugin-vitrine"),
  example: node("examples/catalog"),
  bench: node("benches"),
  browser: node("tests/browser"),
  frameworks: node("tests/frameworks"),
  packages: node("tests/packages"),
  conformance: files("tests/conformance/score.test.js", "tests/conformance/http/http.test.js", "tests/conformance/cache/cache.test.js"),
  data: files("tests/data_cache/story.test.js"),
  demo: files("tests/demo/demo.test.js"),
};

const unknown = positionals.filter((name) => !(name in SUITES));
if (unknown.length > 0) {
  console.error(`run: no suite ${unknown.join(", ")}; there are ${Object.keys(SUITES).join(", ")}`);
  process.exit(2);
}

/** The group of the suite that runs, so that a signal ends all of it. */
let group;
for (const [signal, code] of /** @type {const} */ ([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
])) {
  process.on(signal, () => {
    endGroup("SIGTERM");
    process.exit(code);
  });
}

function endGroup(signal) {
  try {
    process.kill(-group, signal);
  } catch {
    // It has ended by itself.
  }
}

/** The harness repeats the output of passed tests at the end of each binary: that is for the log and the counts only. */
function showing() {
  let repeating = false;
  return (line) => {
    if (line === "successes:") {
      repeating = true;
    } else if (/^(failures:|test result: )/.test(line)) {
      repeating = false;
    }
    return !repeating;
  };
}

async function runSuite(name) {
  const { command, cwd, count } = SUITES[name];
  console.log(`\n=== ${name}: ${command.join(" ")}`);
  const log = createWriteStream(path.join(LOGS, `${name}.log`));
  // Node's other format, which it chooses without a terminal, is for machines.
  const env = { ...process.env, NODE_OPTIONS: "--test-reporter=spec", ...(values.long ? LONG : {}) };
  const [file, ...args] = command;
  const child = spawn(file, args, { cwd: path.join(ROOT, cwd), env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  group = child.pid;
  let output = "";
  const shown = showing();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      output += `${line}\n`;
      log.write(`${line}\n`);
      if (shown(line)) {
        console.log(line);
      }
    });
  }
  const limitMs = values.long ? LONG_SUITE_TIMEOUT_MS : SUITE_TIMEOUT_MS;
  const started = performance.now();
  const ending = await new Promise((resolve) => {
    const timer = setTimeout(() => {
      endGroup("SIGKILL");
      resolve(`it took longer than ${limitMs / 60_000} minutes`);
    }, limitMs);
    const settle = (why) => {
      clearTimeout(timer);
      resolve(why);
    };
    child.once("error", (error) => settle(error.message));
    child.once("exit", () => {
      const left = () => settle("it left a process behind");
      setTimeout(left, LEFT_BEHIND_MS).unref();
    });
    child.once("close", (code, signal) => settle(code === 0 ? undefined : `it ended with ${code ?? signal}`));
  });
  // Whatever is left of the group.
  endGroup("SIGKILL");
  log.end();
  return { name, ending, seconds: (performance.now() - started) / 1000, ...judged(count(output), ending) };
}

/** Says once whether containers are part of this run. */
function announceDocker() {
  const { stdout, status } = spawnSync("docker", ["version", "--format", "{{.Server.Version}}"], {
    encoding: "utf8",
    timeout: DOCKER_ANSWER_MS,
  });
  const answers = status === 0 && stdout.trim() !== "";
  console.log(
    answers
      ? `docker: version ${stdout.trim()} answers; workers run in containers`
      : "docker: no daemon answers; workers run as locked-down processes, and the container tests are SKIPPED",
  );
}

mkdirSync(LOGS, { recursive: true });
announceDocker();
const results = [];
for (const name of positionals.length > 0 ? positionals : Object.keys(SUITES)) {
  results.push(await runSuite(name));
}

console.log("\n=== summary");
for (const { name, passed, failed, skipped, seconds, ending } of results) {
  const end = ending === undefined ? "" : `  (${ending}; target/test-logs/${name}.log)`;
  console.log(`${name.padEnd(10)} ${passed} passed, ${failed} failed, ${skipped.length} skipped  ${seconds.toFixed(0)} s${end}`);
}
for (const { name, skipped } of results) {
  skipped.forEach((line) => console.log(`SKIPPED ${name}: ${line}`));
}
const total = (pick) => results.reduce((sum, result) => sum + pick(result), 0);
const failed = total((result) => result.failed);
console.log(`${total((result) => result.passed)} passed, ${failed} failed, ${total((result) => result.skipped.length)} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
