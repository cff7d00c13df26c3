// Driving load: wrk where Debian has it, else autocannon. Both give the same figures here.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import autocannon from "autocannon";

const run = promisify(execFile);

/** How much longer than its own time a load run may take before it counts as hung, in milliseconds. */
const GRACE_MS = 30_000;

/**
 * @typedef {object} Measured
 * @property {number} pages How many were fetched.
 * @property {number} pagesPerS
 * @property {number} p50Ms
 * @property {number} p99Ms
 * @property {number} failures Answers other than 2xx, and connections that broke.
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
  return {
    pages: number(/(\d+) requests in/),
    pagesPerS: number(/Requests\/sec:\s+([\d.]+)/),
    p50Ms: wrkLatency(output, "50"),
    p99Ms: wrkLatency(output, "99"),
    failures: number(/Non-2xx or 3xx responses: (\d+)/) + socketErrors,
  };
}

async function runWrk({ url, host, connections, seconds }) {
  const args = [
    "--latency",
    "--threads",
    "1",
    "--connections",
    String(connections),
    "--duration",
    `${seconds}s`,
    "--header",
    `Host: ${host}`,
    url.href,
  ];
  const { stdout } = await run("wrk", args, { timeout: seconds * 1000 + GRACE_MS });
  return parseWrk(stdout);
}

async function runAutocannon({ url, host, connections, seconds }) {
  const result = await autocannon({ url: url.href, headers: { host }, connections, duration: seconds });
  return {
    pages: result.requests.total,
    pagesPerS: result.requests.total / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failures: result.non2xx + result.errors,
  };
}

/** @returns {Promise<{ tool: string, run: (target: object) => Promise<Measured> }>} */
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
