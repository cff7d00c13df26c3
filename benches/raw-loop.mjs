// The ceiling: renders in one bare isolate, without HTTP, sockets or a second process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { usageOf } from "./processes.mjs";
import { median } from "./table.mjs";

/** Isolates, and renders at once. */
const ISOLATES = 1;
const IN_FLIGHT = 4;

/**
 * @typedef {object} Loop
 * @property {number} pagesPerS
 * @property {number} renderCpuMs CPU time a page of the thread that renders.
 * @property {number} processCpuMs And of the whole process, V8's helper threads included.
 */

/** @param {string} line @returns {{ pagesPerS: number, cpuMs: number } | undefined} One round, if the line tells of one. */
export function parseRound(line) {
  const found = /^round \d+: ([\d.]+) pages\/s, ([\d.]+) ms CPU a page/.exec(line);
  return found === null ? undefined : { pagesPerS: Number(found[1]), cpuMs: Number(found[2]) };
}

/**
 * @param {{ binary: string, bundle: string, path: string, seconds: number, signal: AbortSignal }} options
 * @returns {Promise<Loop>} Medians of its rounds after the first, in which the compiler is still at work.
 */
export async function runLoop({ binary, bundle, path, seconds, signal }) {
  const child = spawn(binary, [bundle, path, seconds, ISOLATES, IN_FLIGHT].map(String), { stdio: ["ignore", "pipe", "pipe"], signal });
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
      const { cpuMs, processes } = usageOf([child.pid]);
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
    pagesPerS: median(rounds.map(({ pagesPerS }) => pagesPerS)),
    renderCpuMs: median(rounds.map(({ cpuMs }) => cpuMs)),
    processCpuMs: median(rounds.map(({ processCpuMs }) => processCpuMs)),
  };
}
