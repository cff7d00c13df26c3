// A run's results as Markdown: the boards, one table each, then what else was measured.
import { STATIC } from "./cached.mjs";
import { PLAIN } from "./compression.mjs";
import { REST_MS, RENDERS } from "./life.mjs";
import { PAGES } from "./pages.mjs";
import { middle } from "./results.mjs";
import { BASE } from "./rivals.mjs";
import { figure, table } from "./table.mjs";

/** What the boards are, in words. */
const BOARD_TITLES = {
  stream: "Uncached stream",
  string: "Uncached string (`renderToString`)",
  framework: "Frameworks: their own page around the same content, with their scripts and a second copy of the data",
};

const BOARD_COLUMNS = ["", "pages/s", `of ${BASE}`, "p50 ms", "p99 ms", "CPU ms a page", "of it host", "of it worker", "failed"];

/** @param {import("./board.mjs").Row[]} rows */
function boardTable(rows) {
  const base = rows.find(({ name }) => name === BASE);
  const baseRate = base === undefined ? undefined : middle(base, "pagesPerS");
  return table(
    BOARD_COLUMNS,
    rows.map((row) => {
      const [rate = Number.NaN, cpuMs = Number.NaN, workerCpuMs] = /** @type {const} */ (["pagesPerS", "cpuMs", "workerCpuMs"]).map((field) => middle(row, field));
      return [
        row.name,
        figure(rate),
        baseRate === undefined ? "–" : `${figure(rate / baseRate, 2)}×`,
        figure(middle(row, "p50Ms"), 2),
        figure(middle(row, "p99Ms"), 1),
        figure(cpuMs, 2),
        figure(workerCpuMs === undefined ? undefined : cpuMs - workerCpuMs, 2),
        figure(workerCpuMs, 2),
        String(row.rounds.reduce((sum, { failures }) => sum + failures, 0)),
      ];
    }),
  );
}

/** @param {import("./results.mjs").Results} results @param {{ connections: number }} setup */
function boards(results, setup) {
  return Object.entries(results.boards).flatMap(([board, pages]) => [
    `### ${BOARD_TITLES[board]}`,
    ...Object.entries(pages).flatMap(([page, rows]) => {
      const { title, connections = setup.connections } = PAGES[page];
      const { least, most } = results.bytes[board][page];
      const size = least === most ? String(least) : `${least} to ${most}`;
      return [`**${title}**, ${size} bytes, ${connections} connections`, boardTable(rows)];
    }),
  ]);
}

/** @param {import("./life.mjs").Life[]} lives */
function livesTable(lives) {
  const memory = ({ pssMb, hostMb, workerMb }) =>
    workerMb === undefined ? figure(pssMb) : `${figure(pssMb)} (${figure(hostMb)} + ${figure(workerMb)})`;
  const columns = ["", "first page after ms", `MB after ${RENDERS} pages`, `MB after ${REST_MS / 1000} s of rest`];
  const row = ({ name, firstPageMs, worked, rested }) => [name, figure(firstPageMs), memory(worked), memory(rested)];
  return table(columns, lives.map(row));
}

/** @param {import("./equal-load.mjs").EqualLoad} load */
function loadTable({ ratePerS, rows }) {
  const row = ({ name, p50Ms, p99Ms, failures }) => [name, figure(p50Ms, 2), figure(p99Ms, 1), String(failures)];
  return table([`${figure(ratePerS)} requests/s`, "p50 ms", "p99 ms", "failed"], rows.map(row));
}

/** @param {import("./compression.mjs").Compression} compression */
function compressionTable({ name, rows, bytes }) {
  const rate = (row) => middle(row, "pagesPerS") ?? Number.NaN;
  const plain = rows.find((row) => row.name === PLAIN);
  const columns = [name, "pages/s", `of ${PLAIN}`, "p50 ms", "p99 ms", "CPU ms a page", "bytes", "failed"];
  const line = (row) => [
    row.name,
    figure(rate(row)),
    `${figure(plain && rate(row) / rate(plain), 2)}×`,
    figure(middle(row, "p50Ms"), 2),
    figure(middle(row, "p99Ms"), 1),
    figure(middle(row, "cpuMs"), 2),
    figure(bytes[row.name]),
    String(row.rounds.reduce((sum, { failures }) => sum + failures, 0)),
  ];
  return table(columns, rows.map(line));
}

/** @param {import("./cached.mjs").Cached} cached */
function cachedTables({ rows, bytes, load }) {
  const tables = Object.entries(rows).map(([coding, all]) => {
    const rate = (row) => middle(row, "pagesPerS") ?? Number.NaN;
    const still = all.find(({ name }) => name === STATIC);
    const columns = [`${coding}, ${bytes[coding]} bytes`, "pages/s", `of ${STATIC}`, "p50 ms", "p99 ms", "CPU µs a page", "failed"];
    const line = (row) => [
      row.name,
      figure(rate(row)),
      `${figure(still && rate(row) / rate(still), 2)}×`,
      figure(middle(row, "p50Ms"), 2),
      figure(middle(row, "p99Ms"), 1),
      figure((middle(row, "cpuMs") ?? Number.NaN) * 1000),
      String(row.rounds.reduce((sum, { failures }) => sum + failures, 0)),
    ];
    return table(columns, all.map(line));
  });
  return [...tables, loadTable(load)];
}

/** @param {import("./growth.mjs").Step[]} steps */
function growthTable(steps) {
  const columns = ["live apps (known releases)", "MB, host + workers", "at rest, % of a core", "switches/s", "flip p50/p99 ms", "/metrics kB"];
  const more = ["asked at once while asleep: last page ms", "failed", "start of the host: ready ms", "last page ms", "failed"];
  const row = ({ live, known, hostMb, workerMb, cpuPercent, switchesPerS, flipMs, flipP99Ms, metricsKb, wake, restart }) => [
    `${live} (${known})`,
    `${figure(hostMb)} + ${figure(workerMb)}`,
    figure(cpuPercent, 1),
    figure(switchesPerS),
    `${figure(flipMs, 1)}/${figure(flipP99Ms, 1)}`,
    figure(metricsKb),
    figure(wake.lastMs),
    String(wake.failed),
    figure(restart.readyMs),
    figure(restart.lastMs),
    String(restart.failed),
  ];
  return table([...columns, ...more], steps.map(row));
}

/** @param {import("./results.mjs").Results} results */
function extras({ lives, loads, loops, isolateBoots, hops, compressions, cached, recovery, growth, absent }) {
  const parts = [];
  const add = (title, ...texts) => parts.push(`### ${title}`, ...texts);
  if (loads.length > 0) {
    add("Equal load, page A", ...loads.map(loadTable));
  }
  if (lives.length > 0) {
    add("Start and memory (PSS; of ours host + worker), page A", livesTable(lives));
  }
  if (loops.length > 0) {
    const columns = ["no HTTP, page A", "pages/s", "CPU ms a page, the threads that render", "and the whole process"];
    const row = ({ isolates, pagesPerS, renderCpuMs, processCpuMs }) =>
      [isolates === 1 ? "one isolate alone" : `${isolates} isolates at once`, figure(pagesPerS), figure(renderCpuMs, 2), figure(processCpuMs, 2)];
    add("The raw loop", table(columns, loops.map(row)));
  }
  if (isolateBoots.length > 0) {
    const columns = ["isolates of a warm process, page A, ms", "boot", "first page", "tenth page", "one of many"];
    const row = ({ from, boot_ms, page_1_ms, page_10_ms, steady_page_ms }) =>
      [`from ${from}`, ...[boot_ms, page_1_ms, page_10_ms, steady_page_ms].map((ms) => figure(ms, 2))];
    add("Boot of isolates", table(columns, isolateBoots.map(row)));
  }
  if (hops.length > 0) {
    const columns = ["page D, one connection, p50 in µs", "through the edge", "from the worker's socket", "its queue and render"];
    const row = ({ name, edgeUs, directUs, renderUs }) => [name, figure(edgeUs), figure(directUs), figure(renderUs)];
    add("The hop", table(columns, hops.map(row)));
  }
  if (compressions.length > 0) {
    add("Compression at the edge, page A", ...compressions.map(compressionTable));
  }
  if (cached !== undefined) {
    add("Cached, page A: each hit of a page that is kept", ...cachedTables(cached));
  }
  if (recovery !== undefined) {
    const columns = ["a killed isolate's replacement, ms", "serves again after", "page A as its first", "page A as one of many"];
    const { servesAgainMs, firstPageMs, steadyMs } = recovery;
    add("Recovery", table(columns, [["", figure(servesAgainMs, 1), figure(firstPageMs, 2), figure(steadyMs, 2)]]));
  }
  if (growth.length > 0) {
    add("Growth (process isolation, tiny pages)", growthTable(growth));
  }
  if (absent.length > 0) {
    add("Not measured", absent.map(({ name, why }) => `* ${name}: ${why}`).join("\n"));
  }
  return parts;
}

/**
 * @param {import("./results.mjs").Results} results
 * @param {{ workers: number, rounds: number, seconds: number, connections: number, tool: string, machine: string }} setup
 * @returns {string}
 */
export function report(results, setup) {
  const { workers, rounds, seconds, tool, machine } = setup;
  return [
    `${workers} workers each, medians of ${rounds} rounds of ${seconds} s, ${tool}; ${machine}.`,
    ...boards(results, setup),
    ...extras(results),
  ].join("\n\n");
}
