// From rounds to one Markdown table.

/** @param {number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const COLUMNS = ["", "pages/s", "of Node stream", "p50 ms", "p99 ms", "CPU ms a page", "memory MB (PSS)", "failed"];

/**
 * @param {import("./rivals.mjs").Rival[]} rivals The first one is what the others are compared with.
 * @param {{ name: string, why: string }[]} absent
 * @param {{ bytes: number, workers: number, connections: number, rounds: number, seconds: number, tool: string }} setup
 * @returns {string}
 */
export function markdown(rivals, absent, { bytes, workers, connections, rounds, seconds, tool }) {
  const middle = (rival, field) => median(rival.rounds.map((round) => round[field]));
  const base = middle(rivals[0], "pagesPerS");
  const rows = rivals.map((rival) => [
    rival.name,
    middle(rival, "pagesPerS").toFixed(0),
    `${(middle(rival, "pagesPerS") / base).toFixed(2)}×`,
    middle(rival, "p50Ms").toFixed(1),
    middle(rival, "p99Ms").toFixed(1),
    rival.pids.length > 0 ? middle(rival, "cpuMsAPage").toFixed(2) : "not counted",
    rival.pids.length > 0 ? middle(rival, "pssMb").toFixed(0) : "not counted",
    String(rival.rounds.reduce((sum, round) => sum + round.failures, 0)),
  ]);
  const missing = absent.map(({ name, why }) => [name, `not measured: ${why}`, ...COLUMNS.slice(2).map(() => "")]);
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [
    `${bytes} bytes of HTML a page, the same from all; ${workers} workers, ${connections} connections, median of ${rounds} rounds of ${seconds} s, ${tool}.`,
    "",
    line(COLUMNS),
    line(COLUMNS.map((_, index) => (index === 0 ? "---" : "---:"))),
    ...rows.map(line),
    ...missing.map(line),
  ].join("\n");
}
