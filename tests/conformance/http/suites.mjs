// Runs the corpora of HTTP against a host, and beside it against servers of Node.js and Deno, and h2spec where it is installed.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { DENO, NODE } from "../programs.mjs";
import { readExpectations, unexpected } from "../score.mjs";
import * as h1 from "./h1.mjs";
import * as h2 from "./h2.mjs";
import { host, server } from "./targets.mjs";

/** @typedef {{ name: string, fault: string | undefined }} Result */
/** @typedef {{ passed: number, of: number }} Score */

export const CORPORA = { h1, h2 };

/** h2spec waits so long for each thing that is to come, in seconds: a tenth of it is enough on this machine. */
const H2SPEC_PATIENCE_S = 2;
const H2SPEC_MS = 600_000;

/**
 * The cases of a corpus, as many at once as the server has names.
 *
 * @param {keyof typeof CORPORA} corpus
 * @param {import("./targets.mjs").Server} target
 * @param {(one: { name: string, of?: string }) => boolean} isFor
 * @returns {Promise<Result[]>}
 */
export async function runAll(corpus, { targets }, isFor = () => true) {
  const { CASES, run } = CORPORA[corpus];
  const waiting = CASES.filter(isFor);
  const results = [];
  const work = async (target) => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      results.push({ name: next.name, fault: await run(next, target) });
    }
  };
  await Promise.all(targets.map(work));
  return results;
}

/** What the expectations of these corpora do not name, and what they name in vain. @param {Record<string, Result[]>} results By corpus. */
export function surprisesOf(results) {
  const expectations = readExpectations(readFileSync(fileURLToPath(new URL("../expectations/http.txt", import.meta.url)), "utf8"));
  const missed = Object.entries(results).flatMap(([id, all]) =>
    all.filter(({ fault }) => fault !== undefined).map(({ name, fault }) => ({ id, name, message: fault })),
  );
  return unexpected(
    missed,
    expectations.filter(({ id }) => id in results),
  );
}

/** @param {Result[]} results @returns {Score} */
const score = (results) => ({ passed: results.filter(({ fault }) => fault === undefined).length, of: results.length });

/** All of it. @param {string} only A text that names of cases contain. @returns {Promise<{ table: string, problems: string[] }>} */
export async function httpSuites(only = "") {
  const rows = [];
  const results = {};
  const isPeers = ({ name, of }) => of === undefined && name.includes(only);
  for (const corpus of Object.keys(CORPORA)) {
    results[corpus] = await against(host(), (target) => runAll(corpus, target, ({ name }) => name.includes(only)));
    const node = await against(server(NODE(), [], corpus), (target) => runAll(corpus, target, isPeers));
    const deno = await against(server(DENO(), ["run", "--allow-all", "--quiet"], corpus), (target) => runAll(corpus, target, isPeers));
    rows.push([{ h1: "HTTP/1.1, own corpus", h2: "HTTP/2, own corpus" }[corpus], ...[results[corpus], node, deno].map(score)]);
  }
  const { surprises, obsolete } = surprisesOf(results);
  const problems = surprises.map(({ id, name, message }) => `${id} | ${name}\n    ${message}`);
  if (only === "") {
    problems.push(...obsolete.map(({ id, name }) => `expected to fail, and does not: ${id} | ${name}`));
    const spec = await h2spec();
    rows.push(...spec.rows);
    problems.push(...spec.problems);
  }
  const cell = (value) => (value === undefined ? "–" : `${value.passed} of ${value.of}`);
  const lines = rows.map(([name, ...scores]) => `| ${name} | ${[0, 1, 2].map((at) => cell(scores[at])).join(" | ")} |`);
  return { table: ["| protocol | vitrine | node | deno |", "| --- | ---: | ---: | ---: |", ...lines].join("\n"), problems };
}

/** @template T @param {Promise<import("./targets.mjs").Server>} starting @param {(server: import("./targets.mjs").Server) => Promise<T>} work */
async function against(starting, work) {
  const started = await starting;
  try {
    return await work(started);
  } finally {
    await started.stop();
  }
}

/** What h2spec says, if it is on the PATH or `H2SPEC` names it: its exceptions are in the expectations of the corpora. */
async function h2spec() {
  const program = process.env.H2SPEC ?? "h2spec";
  if (spawnSync(program, ["--version"]).error !== undefined) {
    console.error("SKIPPED: h2spec is not on the PATH (H2SPEC=FILE names it)");
    return { rows: [], problems: [] };
  }
  return against(host(), ({ targets: [{ port }], tlsPort }) => {
    const runs = [
      ["h2spec, cleartext", ["--port", String(port)]],
      ["h2spec, TLS", ["--port", String(tlsPort), "--tls", "--insecure"]],
    ].map(([name, args]) => {
      const flags = ["--host", "localhost", "--timeout", String(H2SPEC_PATIENCE_S), ...args];
      const { stdout } = spawnSync(program, flags, { encoding: "utf8", timeout: H2SPEC_MS });
      const [, of, passed] = /(\d+) tests, (\d+) passed/.exec(stdout) ?? [undefined, 0, 0];
      return { row: [name, { passed: Number(passed), of: Number(of) }], failures: stdout.slice(stdout.indexOf("Failures:")) };
    });
    const isExpected = ({ row: [name, { passed, of }], failures }) =>
      of > 0 && (passed === of || (name === "h2spec, cleartext" && passed === of - 1 && failures.includes("Sends invalid connection preface")));
    return { rows: runs.map(({ row }) => row), problems: runs.filter((run) => !isExpected(run)).map(({ row, failures }) => `${row[0]}\n${failures}`) };
  });
}
