// How soon a killed isolate's replacement serves, and whether its first page takes longer than those that follow.
import { pathOf } from "./pages.mjs";
import { median } from "./table.mjs";
import { WireClient } from "./wire-client.mjs";

/** What the worker says of a page, and of a render that used up its CPU time; see js-runtime/wire/src/outcome.rs. */
const OK = 0;
const CPU_LIMIT = 3;

/** Kills, half of them followed by each page. */
const KILLS = 20;
/** Pages whose median is the steady one. */
const STEADY = 100;

/**
 * @typedef {object} Recovery Medians.
 * @property {number} servesAgainMs From the answer to the killed render to the whole of a tiny page from the replacement.
 * @property {number} firstPageMs Render of page A as the replacement's first.
 * @property {number} steadyMs And as one of many.
 */

/**
 * @param {import("./running.mjs").Running} rival One whose bundle asks for one isolate and has `/spin`.
 * @param {{ signal: AbortSignal }} options
 * @returns {Promise<Recovery>}
 */
export async function measureRecovery(rival, { signal }) {
  const worker = await WireClient.open(rival.requestsSocket());
  const ask = async (pathname, expected) => {
    signal.throwIfAborted();
    const began = performance.now();
    const done = await worker.get(`http://bench.localhost${pathname}`);
    if (done.outcome !== expected) {
      throw new Error(`the worker answers ${pathname} with outcome ${done.outcome}, not ${expected}`);
    }
    return { tookMs: performance.now() - began, renderMs: done.renderUs / 1000 };
  };
  const after = async (kills, pathname) => {
    const answers = [];
    while (answers.length < kills) {
      await ask("/spin", CPU_LIMIT);
      answers.push(await ask(pathname, OK));
    }
    return answers;
  };
  const [grid, tiny] = [pathOf("stream", "a"), pathOf("stream", "d")];
  try {
    const again = await after(KILLS / 2, tiny);
    const first = await after(KILLS / 2, grid);
    const steady = [];
    while (steady.length < STEADY) {
      steady.push(await ask(grid, OK));
    }
    return {
      servesAgainMs: median(again.map(({ tookMs }) => tookMs)),
      firstPageMs: median(first.map(({ renderMs }) => renderMs)),
      steadyMs: median(steady.map(({ renderMs }) => renderMs)),
    };
  } finally {
    worker.close();
  }
}
