// How long an isolate takes to boot, from a snapshot of its app and by evaluating it.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** How long it may take, in milliseconds: three processes, of which each makes fifteen isolates. */
const TIMEOUT_MS = 120_000;

/**
 * @typedef {object} IsolateBoot Medians.
 * @property {"snapshot" | "evaluation"} from
 * @property {number} boot_ms
 * @property {number} page_1_ms
 * @property {number} page_10_ms
 * @property {number} steady_page_ms
 */

/** @param {string} output Lines of JSON, of which some tell of boots. @returns {IsolateBoot[]} */
export function parseBoots(output) {
  const lines = output.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line)).filter(({ from }) => from !== undefined);
}

/**
 * @param {{ binary: string, bundle: string, path: string, signal: AbortSignal }} options
 * @returns {Promise<IsolateBoot[]>}
 */
export async function measureBoots({ binary, bundle, path, signal }) {
  const { stdout } = await promisify(execFile)(binary, [bundle, path], { signal, timeout: TIMEOUT_MS });
  return parseBoots(stdout);
}
