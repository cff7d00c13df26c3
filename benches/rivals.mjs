// Who takes part.
import { BOARDS } from "./pages.mjs";
import { installBun } from "./runners/bun.mjs";
import { installDeno } from "./runners/deno.mjs";
import { installNode } from "./runners/node.mjs";
import { installNext } from "./runners/next.mjs";
import { installRari } from "./runners/rari.mjs";
import { installVitrine } from "./runners/vitrine.mjs";
import { installWorkerd } from "./runners/workerd.mjs";

/**
 * @typedef {object} Setup What all rivals are given.
 * @property {number} workers
 * @property {string} upstream Origin that page E asks.
 * @property {(name: string) => string} script The built file of a rival.
 * @property {string} bundle Folder of our bundle.
 * @property {string} binDir Where our binaries are.
 * @property {Record<string, string>} env
 * @property {AbortSignal} signal
 */

/**
 * @typedef {object} Started
 * @property {import("./program.mjs").Program[]} programs
 * @property {string[]} origins Where it listens; load is spread over them evenly.
 * @property {() => Promise<number[]> | number[]} [workers] Processes that render, when others do the rest.
 * @property {string} [sockets] Folder with a folder of sockets for each worker.
 */

/**
 * @typedef {object} Installed
 * @property {() => Promise<Started>} start
 * @property {() => Promise<void>} [dispose] Removes what the installation left.
 */

/** @typedef {(setup: Setup) => Promise<Installed>} Install What has to be done once; throws `NotHere` where it can't run. */

/**
 * @typedef {object} Rival
 * @property {string} name
 * @property {string} runtime Rivals with the same one share the pages of its program in memory.
 * @property {Record<string, string[]>} pages What it renders on each board that it is on.
 * @property {Install} install
 */

/** The one that others are compared with. */
export const BASE = "Node http";
/** Not a rival by itself: it says how much of our lead comes from react-dom's other build and its transform. */
export const TRANSFORMED = "Node http, our react-dom";
/** Those that are ours. */
export const CONTAINER = "Vitrine, container";
export const PROCESS = "Vitrine, process";

const { framework: FRAMEWORK, ...PLAIN } = BOARDS;

/** Workers as processes. @type {Rival} */
export const AS_PROCESS = { name: PROCESS, runtime: "vitrine", pages: { stream: ["a", "d"] }, install: installVitrine("process") };

/** @type {Rival[]} */
export const RIVALS = [
  { name: BASE, runtime: "node", pages: PLAIN, install: installNode("node") },
  { name: TRANSFORMED, runtime: "node", pages: { stream: BOARDS.stream }, install: installNode("node-direct") },
  { name: "Fastify", runtime: "node", pages: PLAIN, install: installNode("fastify") },
  { name: "Bun", runtime: "bun", pages: PLAIN, install: installBun },
  { name: "Deno", runtime: "deno", pages: PLAIN, install: installDeno },
  { name: "workerd", runtime: "workerd", pages: PLAIN, install: installWorkerd },
  { name: CONTAINER, runtime: "vitrine", pages: PLAIN, install: installVitrine("container") },
  // Enough to see what the container costs.
  AS_PROCESS,
  { name: "Next standalone", runtime: "node", pages: { framework: FRAMEWORK }, install: installNext },
  { name: "rari", runtime: "rari", pages: { framework: FRAMEWORK }, install: installRari },
];
