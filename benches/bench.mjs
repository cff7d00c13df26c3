// The same pages from this host and from what else renders React, side by side.
//   node bench.mjs --help
// The results (Markdown) go to stdout, progress to stderr. Exit 1 if a rival fails or sends another page.
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { buildRivals } from "./build.mjs";
import { goals, goalsTable } from "./goals.mjs";
import { chooseLoad } from "./load.mjs";
import { readOptions, USAGE, UsageError } from "./options.mjs";
import { withResults } from "./readme.mjs";
import { report } from "./report.mjs";
import { Run } from "./run.mjs";
import { startUpstream } from "./upstream.mjs";

const README = fileURLToPath(new URL("README.md", import.meta.url));
const RELEASE = fileURLToPath(new URL("../target/release", import.meta.url));

/** @param {string} text */
function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Aborts when this process is told to end. @returns {AbortSignal} */
function untilTold() {
  const stopping = new AbortController();
  for (const [name, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ]) {
    process.on(name, () => {
      process.exitCode = code;
      stopping.abort(new Error("stopped"));
    });
  }
  return stopping.signal;
}

/** @param {import("./options.mjs").Options} options */
async function bench(options) {
  const signal = untilTold();
  const { workers, rounds, seconds, connections } = options;
  const binDir = path.resolve(options.binDir ?? RELEASE);
  const load = await chooseLoad();
  const upstream = await startUpstream();
  let run;
  try {
    const built = await buildRivals({ workers, upstream: upstream.origin });
    const env = { NODE_ENV: "production", WORKERS: String(workers) };
    const loopBinary = path.join(binDir, "examples/render_loop");
    run = new Run(options, { ...built, workers, upstream: upstream.origin, binDir, loopBinary, env, signal }, load, say);
    await run.measure();
  } finally {
    upstream.stop();
    await run?.end();
  }
  const machine = `Node ${process.version}, ${availableParallelism()} cores (${cpus()[0].model})`;
  const text = [
    report(run.results, { workers, rounds, seconds, connections, tool: load.tool, machine }),
    "### Goals",
    goalsTable(goals(run.results)),
  ].join("\n\n");
  console.log(text);
  if (options.write) {
    await writeFile(README, withResults(await readFile(README, "utf8"), text));
  }
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
  } else {
    await bench(options);
  }
} catch (error) {
  if (error instanceof UsageError) {
    say(`bench: ${error.message}\n${USAGE}`);
    process.exitCode = 2;
  } else {
    // A signal has set the code already; whatever it interrupted says so in its own words.
    say(`bench: ${process.exitCode === undefined ? (error.stack ?? error) : "stopped"}`);
    process.exitCode ??= 1;
  }
}
