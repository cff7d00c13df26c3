// Memory and CPU time of processes, from /proc.
import { readdirSync, readFileSync } from "node:fs";

/** Ticks a second of the times in /proc/PID/stat: Linux shows 100 on every architecture. */
const TICKS_PER_S = 100;

/** @param {number} pid @returns {{ parent: number, cpuTicks: number } | undefined} Nothing for a process that has ended. */
function stat(pid) {
  try {
    // The name stands in parentheses and may hold spaces, so fields count from the last parenthesis.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return { parent: Number(fields[1]), cpuTicks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return undefined;
  }
}

/** @param {number} pid Memory in KiB, with pages that several processes share divided among them. */
function pssKb(pid) {
  try {
    return Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/**
 * What these processes and all their descendants use now.
 *
 * @param {number[]} roots
 * @returns {{ pssMb: number, cpuMs: number, processes: number }} `cpuMs` since they started.
 */
export function snapshot(roots) {
  const all = new Map(
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), stat(Number(name))])
      .filter(([, found]) => found !== undefined),
  );
  const belongs = (pid) => roots.includes(pid) || (all.has(pid) && belongs(all.get(pid).parent));
  const members = [...all.keys()].filter(belongs);
  return {
    pssMb: members.reduce((sum, pid) => sum + pssKb(pid), 0) / 1024,
    cpuMs: (members.reduce((sum, pid) => sum + all.get(pid).cpuTicks, 0) * 1000) / TICKS_PER_S,
    processes: members.length,
  };
}
