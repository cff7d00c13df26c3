// A closed loop: as many requests as the server answers. By wrk where Debian has it, else by autocannon. Both give the same figures here.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import autocannon from "autocannon";

const run = promisify(execFile);

/** How much longer than its own time a load run may take before it counts as hung, in milliseconds. */
const GRACE_MS = 30_000;

/** Gives each of wrk's threads an address of its own. */
const ADDRESSES = fileURLToPath(new URL("wrk-addresses.lua", import.meta.url));

/**
 * @typedef {object} Measured
 * @property {number} pages How many were fetched.
 * @property {number} pagesPerS
 * @property {number} p50Ms
 * @property {number} p99Ms
 * @property {number} failures Answers other than 2xx, and connections that broke.
 */

/**
 * @typedef {object} Target
 * @property {URL[]} urls The same page at each address of the server; connections are spread over them evenly.
 * @property {Record<string, string>} headers
 * @property {number} connections
 * @property {number} seconds
 * @property {AbortSignal} signal
 */

const UNIT_MS = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

/** @param {string} output @param {string} percent */
function wrkLatency(output, percent) {
  const match = new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s|m)\\s*$`, "m").exec(output);
  if (match === null) {
    throw new Error(`wrk printed no ${percent}% line:\n${output}`);
  }
  return Number(match[1]) * UNIT_MS[match[2]];
}

/** @param {string} output What `wrk --latency` prints. @returns {Measured} */
export function parseWrk(output) {
  const number = (pattern) => Number(pattern.exec(output)?.[1] ?? 0);
  const socketErrors = [.../(?:connect|read|write|timeout) (\d+)/g[Symbol.matchAll](output)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
  const pages = number(/(\d+) requests in/);
  // Without a page it prints 0, which would read as the fastest of all.
  const latency = (percent) => (pages === 0 ? Number.NaN : wrkLatency(output, percent));
  return {
    pages,
    pagesPerS: number(/Requests\/sec:\s+([\d.]+)/),
    p50Ms: latency("50"),
    p99Ms: latency("99"),
    failures: number(/Non-2xx or 3xx responses: (\d+)/) + socketErrors,
  };
}

/** @param {Target} target */
async function runWrk({ urls, headers, connections, seconds, signal }) {
  const flags = ["--latency", "--threads", urls.length, "--connections", connections, "--duration", `${seconds}s`].map(String);
  const env = { ...process.env, ADDRESSES: urls.map(({ host }) => host).join(" ") };
  for (const [name, value] of Object.entries(headers)) {
    flags.push("--header", `${name}: ${value}`);
  }
  const { stdout } = await run("wrk", [...flags, "--script", ADDRESSES, urls[0].href], {
    env,
    timeout: seconds * 1000 + GRACE_MS,
    signal,
  });
  return parseWrk(stdout);
}

/** @param {Target} target */
async function runAutocannon({ urls, headers, connections, seconds, signal }) {
  const running = autocannon({ url: urls.map(({ href }) => href), headers, connections, duration: seconds });
  const stop = () => running.stop();
  signal.addEventListener("abort", stop);
  const result = await running;
  signal.removeEventListener("abort", stop);
  signal.throwIfAborted();
  return {
    pages: result.requests.total,
    pagesPerS: result.requests.total / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failures: result.non2xx + result.errors,
  };
}

/** @typedef {{ tool: string, run: (target: Target) => Promise<Measured> }} Load What drives the rivals. */

/** @returns {Promise<Load>} */
export async function chooseLoad() {
  try {
    // Its usage goes to standard output together with its version, and it ends with 1.
    await run("wrk", ["--version"]).catch((error) => {
      if (error.code === "ENOENT") {
        throw error;
      }
    });
    return { tool: "wrk", run: runWrk };
  } catch {
    return { tool: "autocannon", run: runAutocannon };
  }
}
