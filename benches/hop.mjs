// What the edge adds: the same page, one request after the other, through the edge and straight from the worker's socket.
import { percentile } from "./equal-load.mjs";
import { HttpConnection } from "./http-connection.mjs";
import { WireClient } from "./wire-client.mjs";

/** Requests of each kind before the figures count, and how many count. */
const WARM_UP = 500;
const REQUESTS = 3_000;
/** The two take turns after so many. */
const BLOCK = 250;

/**
 * @typedef {object} Hop Medians, in microseconds.
 * @property {number} edgeUs Through the edge.
 * @property {number} directUs From the worker's socket.
 * @property {number} renderUs The worker's own time for it: in its queue and rendering.
 */

/**
 * @param {import("./running.mjs").Running} rival
 * @param {{ board: string, page: string, signal: AbortSignal }} options
 * @returns {Promise<Hop>}
 */
export async function measureHop(rival, { board, page, signal }) {
  const [url] = rival.urls(board, page);
  const worker = await WireClient.open(rival.requestsSocket());
  const edge = new HttpConnection(url);
  /** @type {number[][]} */
  const [edgeUs, directUs, renderUs] = [[], [], []];
  const timed = async (into, get) => {
    const began = performance.now();
    const done = await get();
    into.push((performance.now() - began) * 1000);
    return done;
  };
  try {
    for (let asked = 0; asked < WARM_UP + REQUESTS; asked += BLOCK) {
      signal.throwIfAborted();
      if (asked === WARM_UP) {
        [edgeUs, directUs, renderUs].forEach((values) => values.splice(0));
      }
      for (let index = 0; index < BLOCK; index += 1) {
        await timed(edgeUs, () => edge.get());
      }
      for (let index = 0; index < BLOCK; index += 1) {
        const done = await timed(directUs, () => worker.get(url.href));
        if (done.outcome !== 0) {
          throw new Error(`the worker answers with outcome ${done.outcome} of js-runtime/wire/src/outcome.rs`);
        }
        renderUs.push(done.queueUs + done.renderUs);
      }
    }
  } finally {
    edge.close();
    worker.close();
  }
  const middle = (values) => percentile(values, 0.5);
  return { edgeUs: middle(edgeUs), directUs: middle(directUs), renderUs: middle(renderUs) };
}
