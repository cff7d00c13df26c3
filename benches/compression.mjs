// What compression costs: one page, asked for by clients that read no coding, and by those that read one.
import { once } from "node:events";
import { get } from "node:http";

import { measurePage } from "./board.mjs";

/** A client that reads no coding. */
export const PLAIN = "uncompressed";
/** What each client says that it reads, in the order of the table. @type {Record<string, Record<string, string>>} */
const CLIENTS = { [PLAIN]: {}, ...Object.fromEntries(["zstd", "br", "gzip"].map((coding) => [coding, { "accept-encoding": coding }])) };

/**
 * @typedef {object} Compression
 * @property {string} name Of the rival.
 * @property {import("./board.mjs").Row[]} rows By coding.
 * @property {Record<string, number>} bytes Of the page as it is sent, by coding.
 */

/**
 * @param {import("./running.mjs").Running} rival
 * @param {Parameters<typeof measurePage>[1]} run
 * @returns {Promise<Compression>} Codings take turns, as rivals do.
 */
export async function measureCompression(rival, run) {
  const [url] = rival.urls(run.board, run.page);
  const bytes = {};
  for (const [coding, headers] of Object.entries(CLIENTS)) {
    bytes[coding] = await sentBytes(url, headers, run.signal);
  }
  const clients = Object.entries(CLIENTS).map(([name, headers]) => ({ name, headers, urls: rival.urls.bind(rival), usage: rival.usage.bind(rival) }));
  return { name: rival.name, rows: await measurePage(clients, run), bytes };
}

/** Fetches a page as it is sent. @param {URL} url @param {Record<string, string>} headers @param {AbortSignal} signal */
async function sentBytes(url, headers, signal) {
  const [response] = await once(get(url, { agent: false, headers, signal }), "response");
  const coding = response.headers["content-encoding"];
  if (response.statusCode !== 200 || coding !== headers["accept-encoding"]) {
    throw new Error(`${url}: ${response.statusCode} in ${coding}, asked with ${JSON.stringify(headers)}`);
  }
  return Buffer.concat(await response.toArray()).length;
}
