// One page, whole, on a connection of its own.
import { once } from "node:events";
import { get } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

/** How often a server that does not listen yet is asked again, in milliseconds: far below what any takes to start. */
const ASK_AGAIN_MS = 3;
/** A server that has not sent its first page by then does not start: the first start of a host may assemble an image. */
const START_TIMEOUT_MS = 120_000;

/** A server that takes longer for one page hangs. */
const ANSWER_TIMEOUT_MS = 30_000;

/** @param {URL} url @param {AbortSignal} signal @returns {Promise<string>} Rejects when it is not answered with 200. */
export async function fetchPage(url, signal) {
  const giveUp = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
  const [response] = await once(get(url, { agent: false, signal: giveUp }), "response");
  const text = Buffer.concat(await response.toArray()).toString();
  if (response.statusCode !== 200) {
    throw new Error(`${url} is answered with ${response.statusCode}: ${text.slice(0, 300)}`);
  }
  return text;
}

/**
 * Waits until a server sends a page.
 *
 * @param {URL} url
 * @param {import("./program.mjs").Program[]} programs What must run for it.
 * @param {AbortSignal} signal
 */
export async function awaitPage(url, programs, signal) {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await fetchPage(url, signal);
      return;
    } catch (error) {
      signal.throwIfAborted();
      const ended = programs.find(({ ending }) => ending !== undefined);
      if (ended !== undefined || performance.now() > deadline) {
        throw new Error(`no page at ${url}: ${ended?.ending ?? error.message}`);
      }
    }
    await pause(ASK_AGAIN_MS);
  }
}
