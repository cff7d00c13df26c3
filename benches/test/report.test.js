import assert from "node:assert/strict";
import { test } from "node:test";

import { NGINX, STATIC, VARNISH } from "../cached.mjs";
import { best, goals, goalsTable, verdict } from "../goals.mjs";
import { waves } from "../life.mjs";
import { parseBoots } from "../isolate-boot.mjs";
import { parseRound } from "../raw-loop.mjs";
import { BEGIN, END, withResults } from "../readme.mjs";
import { report } from "../report.mjs";
import { measured, noResults } from "../results.mjs";
import { BASE, CONTAINER, PROCESS } from "../rivals.mjs";
import { figure, median, table } from "../table.mjs";

const ROUND = { pages: 10, p50Ms: 1, p99Ms: 2, failures: 0, cpuMs: 3 };

/** A row with a round for each of these rates. */
function row(name, rates, more = {}) {
  return { name, rounds: rates.map((pagesPerS) => ({ ...ROUND, pagesPerS, ...more })) };
}

function someResults() {
  const results = noResults();
  const ours = row(CONTAINER, [250, 300, 350], { cpuMs: 3, workerCpuMs: 2, failures: 1 });
  results.boards.stream = { a: [row(BASE, [90, 100, 110]), row("Bun", [200]), ours] };
  results.boards.string = { a: [row(BASE, [150])] };
  results.bytes = { stream: { a: { least: 88817, most: 88817 } }, string: { a: { least: 88810, most: 88817 } } };
  const answered = (name, p99Ms) => ({ name, p50Ms: 1, p99Ms, failures: 0 });
  results.loads = [{ ratePerS: 70, rows: [answered(BASE, 20), answered("Bun", 8), answered(CONTAINER, 5)] }];
  const memory = (pssMb) => ({ pssMb, hostMb: pssMb });
  results.lives = [
    { name: BASE, firstPageMs: 100, worked: memory(400), rested: memory(400) },
    { name: CONTAINER, firstPageMs: 100, worked: { pssMb: 90, hostMb: 20, workerMb: 70 }, rested: memory(120) },
  ];
  results.loops = [
    { isolates: 1, pagesPerS: 500, renderCpuMs: 1.6, processCpuMs: 1.9 },
    { isolates: 2, pagesPerS: 800, renderCpuMs: 1.8, processCpuMs: 2.5 },
  ];
  results.hops = [{ name: CONTAINER, edgeUs: 300, directUs: 210, renderUs: 100 }];
  results.compressions = [{ name: CONTAINER, rows: [row("uncompressed", [200]), row("zstd", [170]), row("br", [100]), row("gzip", [120])], bytes: { uncompressed: 88817, zstd: 9400, br: 9300, gzip: 10900 } }];
  const hits = (pagesPerS) => [row(PROCESS, [pagesPerS]), row(NGINX, [100]), row(VARNISH, [80]), row(STATIC, [120])];
  const load = { ratePerS: 70, rows: [answered(PROCESS, 2), answered(NGINX, 4)] };
  results.cached = { rows: { uncompressed: hits(110), zstd: hits(90) }, bytes: { uncompressed: 88817, zstd: 9400 }, load };
  results.recovery = { servesAgainMs: 30, firstPageMs: 3, steadyMs: 2 };
  const step = { hostMb: 20, workerMb: 100, cpuPercent: 1.5, switchesPerS: 90, flipMs: 1, flipP99Ms: 3, metricsKb: 40 };
  const [wake, restart] = [{ count: 10, lastMs: 900, failed: 1 }, { readyMs: 2_500, lastMs: 1_800, failed: 0 }];
  results.growth = [{ ...step, live: 10, known: 22, wake, restart }];
  results.absent = [{ name: "Deno", why: "not here" }];
  return results;
}

const SETUP = { workers: 2, rounds: 3, seconds: 2, connections: 32, tool: "wrk", machine: "a machine" };

test("takes the middle of odd and even counts", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

test("a figure that was not measured is a dash, and never a zero", () => {
  assert.deepEqual([figure(1.255, 2), figure(undefined), figure(Number.NaN, 1), figure(0)], ["1.25", "–", "–", "0"]);
});

test("a table has a line a row, figures to the right", () => {
  assert.equal(table(["", "n"], [["x", "1"]]), "|  | n |\n| --- | ---: |\n| x | 1 |");
});

test("the report has each board by itself, compared with its own first row", () => {
  const text = report(someResults(), SETUP);
  const [stream, string] = [text.indexOf("### Uncached stream"), text.indexOf("### Uncached string")];
  assert.ok(stream > 0 && string > stream);
  assert.match(text, /\*\*A: grid of 100 cards\*\*, 88817 bytes, 32 connections/);
  assert.ok(text.slice(stream, string).includes(`| ${CONTAINER} | 300 | 3.00× | 1.00 | 2.0 | 3.00 | 1.00 | 2.00 | 3 |`), text);
  assert.ok(text.slice(string).includes("88810 to 88817 bytes"), text);
  assert.ok(text.slice(string).includes(`| ${BASE} | 150 | 1.00× |`), text);
  assert.ok(text.includes("| Vitrine, container | 100 | 90 (20 + 70) | 120 |"), text);
  assert.ok(text.includes("| 10 (22) | 20 + 100 | 1.5 | 90 | 1.0/3.0 | 40 | 900 | 1 | 2500 | 1800 | 0 |"), text);
  assert.ok(text.includes("| zstd | 170 | 0.85× | 1.00 | 2.0 | 3.00 | 9400 | 0 |"), text);
  assert.ok(text.includes("* Deno: not here"), text);
});

test("what was not asked for is not in the report", () => {
  const results = noResults();
  results.boards.string = { d: [row(BASE, [1])] };
  results.bytes = { string: { d: { least: 400, most: 400 } } };
  const text = report(results, SETUP);
  assert.doesNotMatch(text, /Equal load|memory|raw loop|The hop|Recovery|Compression|Not measured|Uncached stream/);
});

test("a figure of a rival or page that was not measured is nothing", () => {
  const results = someResults();
  assert.equal(measured(results, "stream", "a", CONTAINER), 300);
  assert.equal(measured(results, "stream", "a", CONTAINER, "workerCpuMs"), 2);
  assert.equal(measured(results, "stream", "a", BASE, "workerCpuMs"), undefined);
  assert.equal(measured(results, "stream", "b", CONTAINER), undefined);
  assert.equal(measured(results, "string", "a", "Bun"), undefined);
});

test("each goal is held against the right figures", () => {
  const values = Object.fromEntries(goals(someResults()).map(({ text, value }) => [text, value]));
  assert.equal(values[`A, stream, pages/s against ${BASE}`], 3);
  assert.equal(values["A, stream, pages/s against Bun"], 1.5);
  assert.equal(values["A, stream, pages/s against workerd"], undefined);
  assert.equal(values[`A, stream, pages/s against ${BASE} with renderToString`], 2);
  assert.equal(values["A, CPU of the worker a page against the raw loop's"], 2 / 1.9);
  assert.equal(values["the same against as many isolates at once, which share caches as those of a worker do"], 2 / 2.5);
  assert.equal(values["A, p99 at 70 requests/s against the best rival"], 5 / 8);
  assert.equal(values[`memory after 1000 pages against ${BASE}`], 90 / 400);
  assert.equal(values[`memory after 30 s of rest against ${BASE}`], 120 / 400);
  assert.equal(values["memory after 1000 pages against Bun"], undefined);
  assert.equal(values["a killed isolate's replacement serves again"], 30);
  assert.equal(values["A, render as a new isolate's first page against the steady one"], 1.5);
  assert.equal(values["A, pages/s with zstd against uncompressed"], 0.85);
  assert.equal(values["D, the edge, added to p50 of a hit on the worker's socket"], 90);
});

test("a goal is met at its target, and missed beyond it, in both directions", () => {
  const goal = { target: 2, atLeast: true };
  assert.equal(verdict({ ...goal, value: 2 }), "met, 0 % to spare");
  assert.equal(verdict({ ...goal, value: 3 }), "met, 50 % to spare");
  assert.equal(verdict({ ...goal, value: 1.5 }), "**missed by 25 %**");
  assert.equal(verdict({ ...goal, atLeast: false, value: 1 }), "met, 50 % to spare");
  assert.equal(verdict({ ...goal, atLeast: false, value: 3 }), "**missed by 50 %**");
  assert.equal(verdict({ ...goal, value: undefined }), "not measured in this run");
  assert.equal(verdict({ ...goal, value: Number.NaN }), "not measured in this run");
});

test("the goals' table names target, figure and what is beside it", () => {
  const text = goalsTable(goals(someResults()));
  assert.ok(text.includes("| A, stream, pages/s against Node http | ≥ 3.00× | 3.00× | met, 0 % to spare |"), text);
  assert.ok(text.includes("| A, p99 at 70 requests/s against the best rival (Bun, 8.0 ms) | ≤ 0.50× | 0.63× | **missed by 25 %** |"), text);
  assert.ok(text.includes("| ≤ 25.0 ms | 30.0 ms | **missed by 20 %** |"), text);
  assert.ok(text.includes("| 10 live apps, at rest, of a core | ≤ 2.0 % | 1.5 % | met, 25 % to spare |"), text);
  assert.ok(text.includes("| ≤ 0 | 1 | **missed** |"), text);
  assert.ok(text.includes("asked while their host starts, failed | ≤ 0 | 0 | met |"), text);
  assert.ok(text.includes("| ≤ 80 µs | 90 µs | **missed by 13 %** |"), text);
});

test("without containers, ours is the one in a process", () => {
  const results = noResults();
  results.boards.stream = { a: [row(BASE, [100]), row(PROCESS, [400])] };
  assert.equal(goals(results)[0].value, 4);
});

test("we are not a rival of ourselves", () => {
  assert.equal(best([{ name: CONTAINER, n: 9 }, { name: "Bun", n: 3 }, { name: BASE, n: 2 }], ({ n }) => n).name, "Bun");
  assert.equal(best([{ name: CONTAINER, n: 9 }], ({ n }) => n), undefined);
});

test("no two with the same program are alive when memory is looked at", () => {
  const of = (runtime) => ({ rival: { runtime } });
  const runtimes = waves(["node", "node", "bun", "vitrine", "node", "vitrine"].map(of)).map((wave) => wave.map(({ rival }) => rival.runtime));
  assert.deepEqual(runtimes, [["node", "bun", "vitrine"], ["node", "vitrine"], ["node"]]);
});

test("reads a round of the raw loop, and no other line", () => {
  assert.deepEqual(parseRound("round 2: 450 pages/s, 1.912 ms CPU a page, 88817 bytes"), { pagesPerS: 450, cpuMs: 1.912 });
  assert.equal(parseRound("boot and warm: 80.1 ms"), undefined);
});

test("results go between the marks and nowhere else", () => {
  const text = `before\n${BEGIN}\nold\n${END}\nafter\n`;
  assert.equal(withResults(text, "new"), `before\n${BEGIN}\n\nnew\n\n${END}\nafter\n`);
  assert.throws(() => withResults("no marks", "new"), /no place for results/);
  assert.throws(() => withResults(`${END}${BEGIN}`, "new"), /no place for results/);
});

test("boots are read from the lines that tell of them", () => {
  const output = '{"from":"evaluation","boot_ms":30.5}\n{"taken_ms":200,"bytes":3}\n{"from":"snapshot","boot_ms":5}\n';
  assert.deepEqual(
    parseBoots(output).map(({ from, boot_ms }) => [from, boot_ms]),
    [
      ["evaluation", 30.5],
      ["snapshot", 5],
    ],
  );
  assert.deepEqual(parseBoots('{"refused":"it reads the clock"}'), []);
});

test("hits of a page that is kept are held against the caches and the static file", () => {
  const results = someResults();
  const value = (text) => goals(results).find((goal) => goal.text === `A, hit, ${text}`)?.value;
  assert.equal(value(`uncompressed, pages/s against ${NGINX}`), 1.1);
  assert.equal(value(`zstd, pages/s against ${STATIC}`), 0.75);
  assert.equal(value(`p99 at equal load against ${NGINX}`), 0.5);
  assert.match(report(results, SETUP), /zstd, 9400 bytes[\s\S]*Varnish \| 80 \| 0.67×/);
});
