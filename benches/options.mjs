// What the command line asks for.
import { parseArgs } from "node:util";

import { BOARDS, PAGES } from "./pages.mjs";
import { RIVALS } from "./rivals.mjs";

/** What is measured besides the boards of pages. */
export const EXTRAS = ["life", "equal-load", "raw-loop", "isolate-boot", "hop", "edge-compression", "cached", "recovery", "growth"];

export const USAGE = `node bench.mjs [--board NAME,…] [--page a,b,…] [--rival TEXT,…] [--write]
               [--workers 2] [--rounds 3] [--seconds 2] [--connections 32]
               [--live 1,10,50,200] [--known 1000] [--bin-dir ../target/release]
  --board  ${[...Object.keys(BOARDS), ...EXTRAS].join(", ")}; all by default
  --page   ${Object.keys(PAGES).join(", ")}: pages of the boards of pages; all by default
  --rival  those whose name has one of the texts in it; all by default (${RIVALS.map(({ name }) => name).join("; ")})
  --live   numbers of live apps on the board "growth" (1,10,50,200 by default), and --known of releases in all, which is looked at last (1000)
  --write  puts the results into README.md beside this file`;

/** A command line that asks for what there is not. */
export class UsageError extends Error {}

/** @param {string} flag @param {string | undefined} text @param {string[]} known */
function chosen(flag, text, known) {
  const names = text?.split(",") ?? known;
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`--${flag} can be ${known.join(", ")}, not ${unknown}`);
  }
  return names;
}

/** @param {string} flag @param {string} text */
function wholeNumber(flag, text) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new UsageError(`--${flag} must be a whole number, 1 or more, not ${text}`);
  }
  return value;
}

/** @param {string} flag @param {string} text */
function growing(flag, text) {
  const values = text.split(",").map((one) => wholeNumber(flag, one));
  if (values.some((value, at) => at > 0 && value <= values[at - 1])) {
    throw new UsageError(`--${flag} must be numbers that grow, not ${text}`);
  }
  return values;
}

function chosenRivals(text) {
  const wanted = text?.toLowerCase().split(",") ?? [""];
  const rivals = RIVALS.filter(({ name }) => wanted.some((part) => name.toLowerCase().includes(part)));
  if (rivals.length === 0) {
    throw new UsageError(`--rival ${text} fits none of ${RIVALS.map(({ name }) => name).join(", ")}`);
  }
  return rivals;
}

/**
 * @typedef {object} Options
 * @property {string[]} boards Boards of pages.
 * @property {Set<string>} extras Some of `EXTRAS`.
 * @property {string[]} pages
 * @property {import("./rivals.mjs").Rival[]} rivals
 * @property {number} workers
 * @property {number} rounds
 * @property {number} seconds Of one round on one page.
 * @property {number} connections
 * @property {number[]} live Numbers of live apps, growing.
 * @property {number} known Releases in all.
 * @property {string} [binDir]
 * @property {boolean} write
 * @property {boolean} help
 */

/** @param {string[]} args @returns {Options} Throws `UsageError`. */
export function readOptions(args) {
  const text = /** @type {const} */ ({ type: "string" });
  const option = (value) => ({ ...text, default: value });
  const flag = /** @type {const} */ ({ type: "boolean", default: false });
  const names = { board: text, page: text, rival: text, "bin-dir": text };
  const numbers = { workers: option("2"), rounds: option("3"), seconds: option("2"), connections: option("32"), known: option("1000") };
  const lists = { live: option("1,10,50,200") };
  let values;
  try {
    ({ values } = parseArgs({ args, options: { ...names, ...numbers, ...lists, write: flag, help: flag } }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  const measured = chosen("board", values.board, [...Object.keys(BOARDS), ...EXTRAS]);
  const counts = Object.keys(numbers).map((name) => [name, wholeNumber(name, values[name])]);
  return {
    ...Object.fromEntries(counts),
    live: growing("live", values.live),
    boards: measured.filter((name) => name in BOARDS),
    extras: new Set(measured.filter((name) => EXTRAS.includes(name))),
    pages: chosen("page", values.page, Object.keys(PAGES)),
    rivals: chosenRivals(values.rival),
    binDir: values["bin-dir"],
    write: values.write,
    help: values.help,
  };
}
