// What this host is to reach, held against what a run measured.
import { NGINX, STATIC, VARNISH } from "./cached.mjs";
import { PLAIN } from "./compression.mjs";
import { REST_MS, RENDERS } from "./life.mjs";
import { measured, middle } from "./results.mjs";
import { BASE, CONTAINER, PROCESS, TRANSFORMED } from "./rivals.mjs";
import { figure, table } from "./table.mjs";

/**
 * @typedef {object} Goal
 * @property {string} text
 * @property {number} target
 * @property {number | undefined} value What was measured; nothing when this run did not.
 * @property {"×" | " µs" | " ms" | " %" | ""} unit
 * @property {boolean} atLeast Whether more is better.
 * @property {string} [note] What belongs beside the figure.
 */

/** @returns {Goal} */
const atLeast = (text, target, value, note) => ({ text, target, value, unit: "×", atLeast: true, note });
/** @returns {Goal} */
const atMost = (text, target, value, note) => ({ text, target, value, unit: "×", atLeast: false, note });

/** @param {number | undefined} value @param {number | undefined} other */
function ratio(value, other) {
  return value === undefined || other === undefined ? undefined : value / other;
}

/** The rows that are somebody else's. @template {{ name: string }} T @param {T[]} rows @returns {T[]} */
function theirs(rows) {
  return rows.filter(({ name }) => ![CONTAINER, PROCESS, TRANSFORMED].includes(name));
}

/** The best of the others. @template {{ name: string }} T @param {T[]} rows @param {(row: T) => number} worth More is better. */
export function best(rows, worth) {
  return theirs(rows).reduce((found, row) => (found === undefined || worth(row) > worth(found) ? row : found), /** @type {T | undefined} */ (undefined));
}

/** @param {import("./results.mjs").Results} results @param {string} ours @returns {Goal[]} */
function throughput(results, ours) {
  const rate = (page, name, board = "stream") => measured(results, board, page, name);
  const against = (page, name, board) => ratio(rate(page, ours), rate(page, name, board));
  const rows = results.boards.stream?.e ?? [];
  const fastest = best(rows, ({ name }) => rate("e", name) ?? 0);
  return [
    ...[[BASE, 3], ["Bun", 2], ["workerd", 6], ["Deno", 3]].map(([name, target]) =>
      atLeast(`A, stream, pages/s against ${name}`, target, against("a", name)),
    ),
    atLeast(`A, stream, pages/s against ${BASE} with renderToString`, 1.5, against("a", BASE, "string")),
    atLeast("D, stream, pages/s against Node http", 2, against("d", BASE)),
    atLeast("E, stream, pages/s against the best rival", 1, fastest && against("e", fastest.name), fastest?.name),
  ];
}

/** @param {import("./results.mjs").Results} results @param {string} ours @returns {Goal[]} */
function workerCpu(results, ours) {
  const [all, worker] = /** @type {const} */ (["cpuMs", "workerCpuMs"]).map((field) => measured(results, "stream", "a", ours, field));
  const note = all === undefined || worker === undefined ? undefined : `worker ${figure(worker, 2)} ms, host ${figure(all - worker, 2)} ms`;
  const against = (isWanted) => ratio(worker, results.loops.find(isWanted)?.processCpuMs);
  return [
    atMost("A, CPU of the worker a page against the raw loop's", 1.15, against(({ isolates }) => isolates === 1), note),
    atMost("the same against as many isolates at once, which share caches as those of a worker do", 1.15, against(({ isolates }) => isolates > 1)),
  ];
}

/** @param {import("./results.mjs").Results} results @param {string} ours @returns {Goal[]} */
function latency(results, ours) {
  return results.loads.map(({ ratePerS, rows }) => {
    const rival = best(rows, ({ p99Ms }) => -p99Ms);
    const own = rows.find(({ name }) => name === ours);
    const note = rival && `${rival.name}, ${rival.p99Ms.toFixed(1)} ms`;
    return atMost(`A, p99 at ${ratePerS.toFixed(0)} requests/s against the best rival`, 0.5, ratio(own?.p99Ms, rival?.p99Ms), note);
  });
}

/** @param {import("./results.mjs").Results} results @param {string} ours @returns {Goal[]} */
function memory(results, ours) {
  const after = (name, when) => results.lives.find((life) => life.name === name)?.[when].pssMb;
  const moments = { worked: `after ${RENDERS} pages`, rested: `after ${REST_MS / 1000} s of rest` };
  return [[BASE, 1 / 4], ["Bun", 1 / 2]].flatMap(([name, target]) =>
    Object.entries(moments).map(([when, words]) =>
      atMost(`memory ${words} against ${name}`, target, ratio(after(ours, when), after(name, when))),
    ),
  );
}

/** @param {import("./results.mjs").Results} results @param {string} ours @returns {Goal} */
function hop(results, ours) {
  const found = results.hops.find(({ name }) => name === ours);
  const value = found === undefined ? undefined : found.edgeUs - found.directUs;
  return { text: "D, the edge, added to p50 of a hit on the worker's socket", target: 80, value, unit: " µs", atLeast: false };
}

/** @param {import("./results.mjs").Results} results @param {string} ours @returns {Goal} */
function compression(results, ours) {
  const rows = results.compressions.find(({ name }) => name === ours)?.rows;
  const rate = (coding) => {
    const row = rows?.find(({ name }) => name === coding);
    return row && middle(row, "pagesPerS");
  };
  const others = rows && ["br", "gzip"].map((coding) => `${coding} ${figure(ratio(rate(coding), rate(PLAIN)), 2)}×`).join(", ");
  return atLeast(`A, pages/s with zstd against ${PLAIN}`, 0.8, ratio(rate("zstd"), rate(PLAIN)), others);
}

/** @param {import("./results.mjs").Results} results @returns {Goal[]} The host is one in process isolation: a hit asks no worker. */
function cached({ cached: found }) {
  const rate = (coding, name) => {
    const row = found?.rows[coding].find((one) => one.name === name);
    return row && middle(row, "pagesPerS");
  };
  const p99Ms = (name) => found?.load.rows.find((row) => row.name === name)?.p99Ms;
  const hits = ["uncompressed", "zstd"].flatMap((coding) =>
    [[NGINX, 1], [VARNISH, 1], [STATIC, 0.9]].map(([name, target]) =>
      atLeast(`A, hit, ${coding}, pages/s against ${name}`, target, ratio(rate(coding, PROCESS), rate(coding, name))),
    ),
  );
  return [...hits, atMost(`A, hit, p99 at equal load against ${NGINX}`, 1, ratio(p99Ms(PROCESS), p99Ms(NGINX)))];
}

/** @param {import("./results.mjs").Results} results @returns {Goal} */
function isolateBoot({ isolateBoots }) {
  const found = isolateBoots.find(({ from }) => from === "snapshot");
  const other = isolateBoots.find(({ from }) => from === "evaluation");
  const note = other && `by evaluation ${figure(other.boot_ms, 1)} ms`;
  return { text: "an isolate's boot from the app's snapshot", target: 2.5, value: found?.boot_ms, unit: " ms", atLeast: false, note };
}

/** @param {import("./results.mjs").Results} results @returns {Goal[]} */
function recovery({ recovery: found }) {
  return [
    { text: "a killed isolate's replacement serves again", target: 25, value: found?.servesAgainMs, unit: " ms", atLeast: false },
    atMost("A, render as a new isolate's first page against the steady one", 2, ratio(found?.firstPageMs, found?.steadyMs)),
  ];
}

/** @param {import("./results.mjs").Results} results @returns {Goal[]} By the last look, which has the most apps. */
function growth({ growth: steps }) {
  const most = steps.at(-1);
  const apps = most === undefined ? "live apps" : `${most.live} live apps`;
  /** @returns {Goal} */
  const limit = (text, target, unit, value, note) => ({ text: `${apps}, ${text}`, target, value, unit, atLeast: false, note });
  const served = most && `each app had answered after ${figure(most.restart.lastMs)} ms, ${most.restart.failed} failed`;
  const woken = most && `of ${most.wake.count}, the last after ${figure(most.wake.lastMs)} ms`;
  return [
    limit("at rest, of a core", 2, " %", most?.cpuPercent),
    limit("from the start of the host to ready", 2_000, " ms", most?.restart.readyMs, served),
    limit("asked while their host starts, failed", 0, "", most?.restart.failed),
    limit("as many sleeping ones asked at once, failed", 0, "", most?.wake.failed, woken),
  ];
}

/**
 * @param {import("./results.mjs").Results} results
 * @returns {Goal[]} Ours is the one in a container, if there is one.
 */
export function goals(results) {
  const names = [...(results.boards.stream?.a ?? []), ...results.lives, ...results.hops, ...results.compressions].map(({ name }) => name);
  const ours = names.includes(CONTAINER) || !names.includes(PROCESS) ? CONTAINER : PROCESS;
  return [
    ...throughput(results, ours),
    ...workerCpu(results, ours),
    ...latency(results, ours),
    ...memory(results, ours),
    hop(results, ours),
    compression(results, ours),
    ...cached(results),
    isolateBoot(results),
    ...recovery(results),
    ...growth(results),
  ];
}

/** @param {Goal} goal @returns {string} Whether it is met, and by how much. */
export function verdict({ target, value, atLeast: more }) {
  if (value === undefined || !Number.isFinite(value)) {
    return "not measured in this run";
  }
  if (target === 0) {
    return value === 0 ? "met" : "**missed**";
  }
  const share = `${Math.abs((value / target - 1) * 100).toFixed(0)} %`;
  const met = more ? value >= target : value <= target;
  return met ? `met, ${share} to spare` : `**missed by ${share}**`;
}

/** @param {Goal[]} all @returns {string} */
export function goalsTable(all) {
  const rows = all.map((goal) => {
    const digits = { "×": 2, " ms": 1, " µs": 0, " %": 1, "": 0 }[goal.unit];
    const value = goal.value === undefined ? "–" : `${figure(goal.value, digits)}${goal.unit}`;
    const note = goal.note === undefined ? "" : ` (${goal.note})`;
    return [`${goal.text}${note}`, `${goal.atLeast ? "≥" : "≤"} ${figure(goal.target, digits)}${goal.unit}`, value, verdict(goal)];
  });
  return table(["goal", "target", "measured", ""], rows);
}
