// Memory and CPU time of processes, from /proc.
import { readdirSync, readFileSync } from "node:fs";

/** Ticks a second of the times in /proc/PID/stat: Linux shows 100 on every architecture. */
const TICKS_PER_S = 100;

/**
 * @typedef {object} Usage
 * @property {number} cpuMs CPU time since they started.
 * @property {number} pssMb Memory, with pages that several processes share divided among them; NaN when it may not be read.
 * @property {number} processes
 */

/** @param {number} pid Nothing for a process that has ended. */
function stat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name stands in parentheses and may hold spaces, so fields count from the last parenthesis.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const name = text.slice(text.indexOf("(") + 1, text.lastIndexOf(")"));
    return { name, parent: Number(fields[1]), cpuTicks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function pssKb(pid) {
  try {
    return Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]);
  } catch (error) {
    // One that has ended has none; one of another user does not show it.
    return error.code === "ENOENT" || error.code === "ESRCH" ? 0 : Number.NaN;
  }
}

function everyProcess() {
  const all = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number)) {
    const found = stat(pid);
    if (found !== undefined) {
      all.set(pid, found);
    }
  }
  return all;
}

/** These processes and all their descendants, without `except` and theirs. */
function family(all, roots, except) {
  const belongs = (pid) =>
    !except.includes(pid) && (roots.includes(pid) || (all.has(pid) && belongs(all.get(pid).parent)));
  return [...all.keys()].filter(belongs);
}

/**
 * What these processes and all their descendants use now.
 *
 * @param {number[]} roots
 * @param {number[]} [except] Not these, nor their descendants.
 * @returns {Usage}
 */
export function usageOf(roots, except = []) {
  const all = everyProcess();
  const members = family(all, roots, except);
  const sum = (figure) => members.reduce((total, pid) => total + figure(pid), 0);
  return {
    cpuMs: (sum((pid) => all.get(pid).cpuTicks) * 1000) / TICKS_PER_S,
    pssMb: sum(pssKb) / 1024,
    processes: members.length,
  };
}

/** Context switches of each thread of these processes and all their descendants, since it began. @param {number[]} roots @returns {Map<string, number>} */
export function switchesOf(roots) {
  const threads = family(everyProcess(), roots, []).flatMap((pid) => threadsOf(pid).map((thread) => `/proc/${pid}/task/${thread}/status`));
  return new Map(threads.map((file) => [file, switchesIn(file)]));
}

/** Context switches from one look to the next; those of a thread that ended meanwhile are lost. @param {Map<string, number>} before @param {Map<string, number>} after */
export function switchesBetween(before, after) {
  return [...after].reduce((sum, [thread, count]) => sum + count - (before.get(thread) ?? 0), 0);
}

function threadsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    // It has ended.
    return [];
  }
}

function switchesIn(file) {
  try {
    const found = readFileSync(file, "utf8").matchAll(/^(?:non)?voluntary_ctxt_switches:\s+(\d+)$/gm);
    return [...found].reduce((sum, [, count]) => sum + Number(count), 0);
  } catch {
    return 0;
  }
}

/** The topmost descendants of a process that have this name (its first 15 characters). @param {number} root @param {string} name */
export function descendantsNamed(root, name) {
  const all = everyProcess();
  const named = (pid) => all.get(pid)?.name === name.slice(0, 15);
  return family(all, [root], []).filter((pid) => named(pid) && !named(all.get(pid).parent));
}
