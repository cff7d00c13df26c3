// What a run measured, and the figures that are asked of it.
import { median } from "./table.mjs";

/**
 * @typedef {object} Results
 * @property {Record<string, Record<string, import("./board.mjs").Row[]>>} boards By board and page.
 * @property {Record<string, Record<string, { least: number, most: number }>>} bytes Size of a page, by board and page, of all rivals.
 * @property {import("./life.mjs").Life[]} lives
 * @property {import("./equal-load.mjs").EqualLoad[]} loads
 * @property {import("./raw-loop.mjs").Loop[]} loops One isolate alone, and as many at once as a worker has.
 * @property {import("./isolate-boot.mjs").IsolateBoot[]} isolateBoots
 * @property {({ name: string } & import("./hop.mjs").Hop)[]} hops
 * @property {import("./compression.mjs").Compression[]} compressions
 * @property {import("./cached.mjs").Cached} [cached]
 * @property {import("./recovery.mjs").Recovery} [recovery]
 * @property {import("./growth.mjs").Step[]} growth
 * @property {{ name: string, why: string }[]} absent
 */

/** @returns {Results} */
export function noResults() {
  return { boards: {}, bytes: {}, lives: [], loads: [], loops: [], isolateBoots: [], hops: [], compressions: [], cached: undefined, recovery: undefined, growth: [], absent: [] };
}

/**
 * The median of a figure over the rounds.
 *
 * @param {import("./board.mjs").Row} row
 * @param {keyof import("./board.mjs").Round} field
 * @returns {number | undefined} Nothing when no round has it.
 */
export function middle(row, field) {
  const values = row.rounds.map((round) => round[field]).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : median(values);
}

/**
 * @param {Results} results
 * @param {string} board @param {string} page @param {string} name
 * @param {keyof import("./board.mjs").Round} [field]
 * @returns {number | undefined} Nothing when it was not measured.
 */
export function measured(results, board, page, name, field = "pagesPerS") {
  const row = results.boards[board]?.[page]?.find((one) => one.name === name);
  return row === undefined ? undefined : middle(row, field);
}
