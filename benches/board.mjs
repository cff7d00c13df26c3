// One board: every rival on every page of it, in turns.
import { PAGES } from "./pages.mjs";

/** Load before the first round, so that every just-in-time compiler has seen the page, in seconds. */
const WARM_UP_S = 1;

/**
 * @typedef {import("./load.mjs").Measured & { cpuMs: number, workerCpuMs?: number }} Round `cpuMs` a page, of all its processes;
 *   `workerCpuMs` of those that render, where others do the rest.
 */

/**
 * @typedef {Pick<import("./running.mjs").Running, "name" | "urls" | "usage"> & { headers?: Record<string, string> }} Asked A rival, and what its
 *   clients send besides.
 *
 * @typedef {object} Row
 * @property {string} name
 * @property {Round[]} rounds
 */

/** @param {Asked} rival */
async function oneRound(rival, load, target) {
  const before = await rival.usage();
  const measured = await load(target);
  const after = await rival.usage();
  const spent = (part) => (after[part].cpuMs - before[part].cpuMs) / measured.pages;
  const workerCpuMs = after.worker === undefined ? undefined : spent("worker");
  return { ...measured, cpuMs: spent("host") + (workerCpuMs ?? 0), workerCpuMs };
}

/**
 * Measures one page. Each round begins with another rival, so that a busy moment of the machine hits all alike.
 *
 * @param {Asked[]} rivals
 * @param {{ board: string, page: string, load: import("./load.mjs").Load, options: import("./options.mjs").Options, signal: AbortSignal, say: (text: string) => void }} run
 * @returns {Promise<Row[]>}
 */
export async function measurePage(rivals, { board, page, load, options, signal, say }) {
  const target = (rival, seconds) => ({
    urls: rival.urls(board, page),
    headers: rival.headers ?? {},
    connections: PAGES[page].connections ?? options.connections,
    seconds,
    signal,
  });
  for (const rival of rivals) {
    await load.run(target(rival, WARM_UP_S));
  }
  /** @type {Row[]} */
  const rows = rivals.map(({ name }) => ({ name, rounds: [] }));
  for (let round = 0; round < options.rounds; round += 1) {
    for (let turn = 0; turn < rivals.length; turn += 1) {
      const index = (round + turn) % rivals.length;
      rows[index].rounds.push(await oneRound(rivals[index], load.run, target(rivals[index], options.seconds)));
    }
    const rates = rows.map(({ name, rounds }) => `${name} ${rounds[round].pagesPerS.toFixed(0)}`);
    say(`${board} ${page}, round ${round + 1} of ${options.rounds}, pages/s: ${rates.join("; ")}`);
  }
  return rows;
}
