// What a rival takes to start, and the memory that it holds after work and after rest.
import { setTimeout as pause } from "node:timers/promises";

import { HttpConnection } from "./http-connection.mjs";
import { median } from "./table.mjs";

/** Starts of each rival; the time to the first page is their median. */
const STARTS = 3;
/** Pages after which memory is looked at. */
export const RENDERS = 1_000;
/** How many of them are asked for at once. */
const AT_ONCE = 8;
/** How long a rival rests before memory is looked at again. */
export const REST_MS = 30_000;

/**
 * Puts rivals into as few groups as it takes that no group has two with the same program: processes of one program share its pages, and
 * each would seem to need less than it does alone.
 *
 * @template {{ rival: { runtime: string } }} T
 * @param {T[]} contenders
 * @returns {T[][]}
 */
export function waves(contenders) {
  const result = [];
  for (const contender of contenders) {
    const wave = result.find((members) => members.every(({ rival }) => rival.runtime !== contender.rival.runtime));
    if (wave === undefined) {
      result.push([contender]);
    } else {
      wave.push(contender);
    }
  }
  return result;
}

/** Asks for so many pages, a few at once. @param {URL[]} urls @param {number} count @param {AbortSignal} signal */
async function render(urls, count, signal) {
  let asked = 0;
  const client = async (_, index) => {
    const connection = new HttpConnection(urls[index % urls.length]);
    try {
      while (asked < count) {
        signal.throwIfAborted();
        asked += 1;
        await connection.get();
      }
    } finally {
      connection.close();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
}

/** @param {import("./running.mjs").Running} rival */
async function memory(rival) {
  const { host, worker } = await rival.usage();
  return { hostMb: host.pssMb, workerMb: worker?.pssMb, pssMb: host.pssMb + (worker?.pssMb ?? 0) };
}

/** Starts a rival a few times and leaves the last one running. @param {import("./contender.mjs").Contender} contender */
async function startSome(contender) {
  const times = [];
  for (;;) {
    const running = await contender.start();
    times.push(running.firstPageMs);
    if (times.length === STARTS) {
      return { running, firstPageMs: median(times) };
    }
    await running.stop();
  }
}

/**
 * @typedef {object} Life
 * @property {string} name
 * @property {number} firstPageMs From the start of its processes to the end of the first page.
 * @property {{ pssMb: number, hostMb: number, workerMb?: number }} worked Memory after `RENDERS` pages.
 * @property {{ pssMb: number, hostMb: number, workerMb?: number }} rested And after `REST_MS` without a request.
 */

/**
 * @param {import("./contender.mjs").Contender[]} contenders
 * @param {{ board: string, page: string, signal: AbortSignal, say: (text: string) => void }} options
 * @returns {Promise<Life[]>}
 */
export async function measureLives(contenders, { board, page, signal, say }) {
  const lives = [];
  for (const wave of waves(contenders)) {
    const resting = [];
    for (const contender of wave) {
      const { running, firstPageMs } = await startSome(contender);
      await render(running.urls(board, page), RENDERS, signal);
      const worked = await memory(running);
      say(`${running.name}: first page after ${firstPageMs.toFixed(0)} ms, ${worked.pssMb.toFixed(0)} MB after ${RENDERS} pages`);
      const rest = pause(REST_MS, undefined, { signal }).then(() => memory(running));
      resting.push(rest.then((rested) => ({ name: running.name, firstPageMs, worked, rested })));
    }
    lives.push(...(await Promise.all(resting)));
    await Promise.all(wave.map((contender) => contender.stop()));
  }
  return lives;
}
