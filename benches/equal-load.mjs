// The same number of requests a second for each rival, sent whether or not earlier ones are answered: what visitors do. A server that is
// late can't slow them down, so every wait is seen.
import { setTimeout as pause } from "node:timers/promises";

import { HttpConnection } from "./http-connection.mjs";
import { median } from "./table.mjs";

/** Which share of the slower rival's throughput is asked for. */
export const SHARE = 0.7;
/** How late a timer of Node may be by itself, in milliseconds; a request that is sent later than that has waited already. */
const TIMER_MS = 1;
/** A rival that needs more at once is seconds behind the rate; what comes on top counts as failed. */
const CONNECTIONS_MAX = 1_000;
/** Before the first round of a rate, in seconds. */
const WARM_UP_S = 1;

/** As many connections as it takes so that no request waits for an earlier one. */
class Connections {
  #idle;
  #all = [];

  /** @param {URL[]} urls Taken in turn. */
  constructor(urls) {
    this.#idle = urls.map((url) => ({ url, connections: [] }));
  }

  /** @param {number} number Of the request. @returns {Promise<void>} */
  async get(number) {
    const { url, connections } = this.#idle[number % this.#idle.length];
    const connection = connections.pop() ?? this.#open(url);
    await connection.get();
    connections.push(connection);
  }

  close() {
    this.#all.forEach((connection) => connection.close());
  }

  #open(url) {
    if (this.#all.length === CONNECTIONS_MAX) {
      throw new Error(`${CONNECTIONS_MAX} connections are taken`);
    }
    const connection = new HttpConnection(url);
    this.#all.push(connection);
    return connection;
  }
}

/** @param {number[]} values @param {number} share Such as 0.99. */
export function percentile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
}

/**
 * Sends requests at a constant rate.
 *
 * @param {URL[]} urls
 * @param {{ ratePerS: number, seconds: number, signal: AbortSignal }} options
 * @returns {Promise<{ p50Ms: number, p99Ms: number, failures: number }>} Times count from when a request was due.
 */
export async function atRate(urls, { ratePerS, seconds, signal }) {
  const connections = new Connections(urls);
  const tookMs = [];
  const answers = [];
  let failures = 0;
  const began = performance.now();
  const total = Math.round(ratePerS * seconds);
  const send = (dueMs) => {
    const fromMs = Math.min(performance.now(), dueMs + TIMER_MS);
    const answer = connections.get(answers.length).then(
      () => tookMs.push(performance.now() - fromMs),
      () => (failures += 1),
    );
    answers.push(answer);
  };
  try {
    while (answers.length < total) {
      signal.throwIfAborted();
      const dueMs = began + (answers.length * 1000) / ratePerS;
      if (dueMs <= performance.now()) {
        send(dueMs);
      } else {
        await pause(dueMs - performance.now());
      }
    }
    await Promise.all(answers);
  } finally {
    connections.close();
  }
  return { p50Ms: percentile(tookMs, 0.5), p99Ms: percentile(tookMs, 0.99), failures };
}

/**
 * @typedef {object} EqualLoad
 * @property {number} ratePerS
 * @property {{ name: string, p50Ms: number, p99Ms: number, failures: number }[]} rows Medians of the rounds.
 */

/**
 * Drives rivals in turn at one rate, each round beginning with another one.
 *
 * @param {import("./running.mjs").Running[]} rivals
 * @param {{ ratePerS: number, rounds: number, seconds: number, board: string, page: string, signal: AbortSignal }} options
 * @returns {Promise<EqualLoad>}
 */
export async function measureAtRate(rivals, { ratePerS, rounds, seconds, board, page, signal }) {
  /** @type {{ p50Ms: number, p99Ms: number, failures: number }[][]} */
  const results = rivals.map(() => []);
  for (const rival of rivals) {
    await atRate(rival.urls(board, page), { ratePerS, seconds: WARM_UP_S, signal });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < rivals.length; turn += 1) {
      const index = (round + turn) % rivals.length;
      results[index].push(await atRate(rivals[index].urls(board, page), { ratePerS, seconds, signal }));
    }
  }
  const rows = rivals.map(({ name }, index) => ({
    name,
    p50Ms: median(results[index].map(({ p50Ms }) => p50Ms)),
    p99Ms: median(results[index].map(({ p99Ms }) => p99Ms)),
    failures: results[index].reduce((sum, { failures }) => sum + failures, 0),
  }));
  return { ratePerS, rows };
}
