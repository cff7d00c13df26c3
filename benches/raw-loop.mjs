// The ceiling: renders in bare isolates, without HTTP, sockets or a second process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { usageOf } from "./processes.mjs";
import { median } from "./table.mjs";

/** Renders at once, for each isolate. */
const IN_FLIGHT = 4;

/**
 * @typedef {object} Loop
 * @property {number} isolates That render at once, each on a thread of its own.
 * @property {number} pagesPerS
 * @property {number} renderCpuMs CPU time a page of the threads that render.
 * @property {number} processCpuMs And of the whole process, V8's helper threads included.
 */

/** @param {string} line @returns {{ pagesPerS: number, cpuMs: number } | undefined} One round, if the line tells of one. */
export function parseRound(line) {
  const found = /^round \d+: ([\d.]+) pages\/s, ([\d.]+) ms CPU a page/.exec(line);
  return found === null ? undefined : { pagesPerS: Number(found[1]), cpuMs: Number(found[2]) };
}

/**
 * @param {{ binary: string, bundle: string, path: string, isolates: number, seconds: number, signal: AbortSignal }} options
 * @returns {Promise<Loop>} Medians of its rounds after the first, in which the compiler is still at work.
 */
export async function runLoop({ binary, bundle, path, isolates, seconds, signal }) {
  const child = spawn(binary, [bundle, path, seconds, isolates, isolates * IN_FLIGHT].map(String), { stdio: ["ignore", "pipe", "pipe"], signal });
  const ended = once(child, "close");
  // It is waited for below, but it may fail before.
  ended.catch(() => {});
  let log = "";
  child.stderr.on("data", (data) => (log += data));
  const rounds = [];
  let before;
  for await (const line of createInterface({ input: child.stdout })) {
    const round = parseRound(line);
    if (round !== undefined) {
      const { cpuMs, processes } = usageOf(child.pid === undefined ? [] : [child.pid]);
      const now = { cpuMs, atMs: performance.now() };
      // After its last round it may have ended already.
      if (before !== undefined && processes > 0) {
        const pages = (round.pagesPerS * (now.atMs - before.atMs)) / 1000;
        rounds.push({ ...round, processCpuMs: (now.cpuMs - before.cpuMs) / pages });
      }
      before = now;
    }
  }
  const [code] = await ended;
  if (code !== 0 || rounds.length === 0) {
    throw new Error(`${binary} ended with ${code}: ${log.slice(-1000)}`);
  }
  return {
    isolates,
    pagesPerS: median(rounds.map(({ pagesPerS }) => pagesPerS)),
    renderCpuMs: median(rounds.map(({ cpuMs }) => cpuMs)),
    processCpuMs: median(rounds.map(({ processCpuMs }) => processCpuMs)),
  };
}
