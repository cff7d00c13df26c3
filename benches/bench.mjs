// The same pages from this host and from what else renders React, side by side.
//   node bench.mjs --help
// The results (Markdown) go to stdout, progress to stderr. Exit 1 if a rival fails or sends another page.
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg } from "node:os";
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
  for (const [name, code] of /** @type {const} */ ([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ])) {
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
  const busy = `load average ${loadavg()[0].toFixed(1)} before it began`;
  const machine = `Node ${process.version}, ${availableParallelism()} cores (${cpus()[0].model}), ${busy}`;
  const words = { workers, rounds, seconds, connections, tool: load.tool, machine };
  let run;
  try {
    const built = await buildRivals({ workers, upstream: upstream.origin });
    const env = { NODE_ENV: "production", WORKERS: String(workers) };
    const loopBinary = path.join(binDir, "examples/render_loop");
    const bootBinary = path.join(binDir, "examples/isolate_boot");
    const setup = { ...built, workers, upstream: upstream.origin, binDir, loopBinary, bootBinary, env, signal };
    run = new Run(options, setup, load, say);
    await run.measure();
  } catch (error) {
    // Minutes of measuring are worth a look, but no place in a file.
    if (run !== undefined && Object.keys(run.results.boards).length > 0) {
      say(`measured before it failed:\n\n${summary(run.results, words)}\n`);
    }
    throw error;
  } finally {
    upstream.stop();
    await run?.end();
  }
  const text = summary(run.results, words);
  console.log(text);
  if (options.write) {
    await writeFile(README, withResults(await readFile(README, "utf8"), text));
  }
}

/** @param {import("./results.mjs").Results} results @param {Parameters<typeof report>[1]} words */
function summary(results, words) {
  return [report(results, words), "### Goals", goalsTable(goals(results))].join("\n\n");
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
