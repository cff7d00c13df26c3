// Runs what a standard says should hold, in isolates of a host and on its edge, beside Node.js and Deno.
//   node conformance.mjs [--suite NAME,…] [--only TEXT] [--engine NAME,…] [--misses] [--bin-dir FOLDER]
// Of engines that are not named the results of the last whole run count, if there was one.
// The tables go to stdout. Exit 1 if something fails that the expectations do not name, or passes though they do.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { ROOT } from "../browser/host.js";
import { cacheSuite } from "./cache/suite.mjs";
import { ENGINES } from "./engines.mjs";
import { httpSuites } from "./http/suites.mjs";
import { counts, misses, readExpectations, unexpected } from "./score.mjs";
import { serve } from "./server.mjs";
import { suiteFolder } from "./source.mjs";
import { minimumRuns, runsOf } from "./suite.mjs";

/** Files at once: each has a process or an isolate of its own. */
const AT_ONCE = 2;
/** Surprises that are shown; all of them are in the file of results. */
const SHOWN_MAX = 40;

const SUITES = {
  web: { title: "Web platform tests", run: () => compare("web", runsOf(suiteFolder(), values.only), []) },
  served: { title: "Web platform tests that ask a server", run: served },
  minimum: { title: "ECMA-429, the minimum common web API", run: () => compare("minimum", minimumRuns(suiteFolder(), values.only), []) },
  http: { title: "HTTP at the edge", run: http },
  cache: { title: "HTTP caching", run: () => cacheSuite(values.only) },
};

const { values } = parseArgs({
  options: {
    suite: { type: "string", default: Object.keys(SUITES).join(",") },
    only: { type: "string", default: "" },
    engine: { type: "string", default: Object.keys(ENGINES).join(",") },
    misses: { type: "boolean", default: false },
    "bin-dir": { type: "string" },
  },
});
if (values["bin-dir"] !== undefined) {
  process.env.VITRINE_BIN = path.resolve(values["bin-dir"]);
}
const chosen = known("engine", values.engine, ENGINES);
for (const name of known("suite", values.suite, SUITES)) {
  const { title, run } = SUITES[name];
  const { table, problems } = await run();
  console.log(`\n## ${title}\n\n${table}\n`);
  problems.forEach((problem) => console.log(problem));
  process.exitCode = problems.length > 0 ? 1 : process.exitCode;
}

/** @param {string} what @param {string} given @param {Record<string, unknown>} all */
function known(what, given, all) {
  const names = given.split(",");
  const unknown = names.filter((name) => !(name in all));
  if (unknown.length > 0) {
    console.error(`conformance: no ${what} ${unknown.join(", ")}; there are ${Object.keys(all).join(", ")}`);
    process.exit(2);
  }
  return names;
}

async function served() {
  const root = suiteFolder();
  const { origins, stop } = await serve(root);
  try {
    return await compare("served", runsOf(root, values.only, origins), origins);
  } finally {
    await stop();
  }
}

function http() {
  return httpSuites(values.only);
}

/**
 * Runs files in each engine, and holds what fails in isolates alone against the expectations.
 *
 * @param {string} suite
 * @param {import("./suite.mjs").Run[]} runs
 * @param {URL[]} origins That they may call.
 */
async function compare(suite, runs, origins) {
  const folder = path.join(ROOT, "target/conformance/results", suite);
  mkdirSync(folder, { recursive: true });
  const isWhole = values.only === "";
  const resultsOf = (name) => path.join(folder, `${name}.json`);
  const results = {};
  for (const name of Object.keys(ENGINES)) {
    if (chosen.includes(name)) {
      results[name] = await runAll(name, runs, origins);
      if (isWhole) {
        writeFileSync(resultsOf(name), JSON.stringify([...results[name]]));
      }
    } else if (existsSync(resultsOf(name))) {
      const ids = new Set(runs.map(({ id }) => id));
      results[name] = new Map(JSON.parse(readFileSync(resultsOf(name), "utf8")).filter(([id]) => ids.has(id)));
    }
  }
  const compared = Object.keys(results);
  const text = table(counts(results), compared);
  if (!compared.includes("vitrine")) {
    return { table: text, problems: [] };
  }
  const missed = misses(results, "vitrine");
  writeFileSync(path.join(folder, "misses.json"), JSON.stringify(missed, null, 1));
  const file = fileURLToPath(new URL(`expectations/${suite}.txt`, import.meta.url));
  const { surprises, obsolete } = unexpected(missed, readExpectations(readFileSync(file, "utf8")));
  const line = ({ id, name, message }) => `${id} | ${name}\n    ${message}`;
  if (values.misses) {
    missed.forEach((one) => console.log(line(one)));
  }
  const sum = `${missed.length} subtests pass elsewhere and not here; ${surprises.length} of them are not expected to fail`;
  // A part of the suite, or of the engines, bears out a part of the expectations.
  const proves = isWhole && compared.length === Object.keys(ENGINES).length;
  const passing = proves ? obsolete.map(({ id, name }) => `expected to fail, and does not: ${id} | ${name}`) : [];
  return { table: `${text}\n\n${sum}`, problems: [...surprises.slice(0, SHOWN_MAX).map(line), ...passing] };
}

/** Ports are other ones in each run; names of subtests have to be the same. @param {import("./in-engine.mjs").FileResult} result */
function named(result, origins) {
  const same = (name) => origins.reduce((text, { host }, at) => text.replaceAll(host, `127.0.0.1:${8000 + at}`), name);
  return { ...result, subtests: result.subtests.map((test) => ({ ...test, name: same(test.name) })) };
}

/** @param {string} name @param {import("./suite.mjs").Run[]} runs @param {URL[]} origins */
async function runAll(name, runs, origins) {
  const engine = await ENGINES[name](origins);
  const waiting = [...runs];
  const found = new Map();
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      found.set(next.id, named(await engine.run(next.payload()), origins));
      if (found.size % 50 === 0) {
        console.error(`${name}: ${found.size} of ${runs.length}`);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    await engine.stop();
  }
  return found;
}

/** @param {Map<string, import("./score.mjs").Count>} folders @param {string[]} compared */
function table(folders, compared) {
  const share = (part, whole) => `${part} (${whole === 0 ? "–" : ((100 * part) / whole).toFixed(1)})`;
  const row = (name, { files, passable, passed }) =>
    `| ${name} | ${files} | ${passable} | ${compared.map((engine) => share(passed[engine], passable)).join(" | ")} |`;
  const all = [...folders.values()].reduce(
    (sum, { files, passable, passed }) => ({
      files: sum.files + files,
      passable: sum.passable + passable,
      passed: Object.fromEntries(compared.map((engine) => [engine, (sum.passed[engine] ?? 0) + passed[engine]])),
    }),
    { files: 0, passable: 0, passed: {} },
  );
  return [
    `| folder | files | subtests that pass somewhere | ${compared.map((engine) => `${engine} (%)`).join(" | ")} |`,
    `| --- | ---: | ---: | ${compared.map(() => "---:").join(" | ")} |`,
    ...[...folders].sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, count]) => row(name, count)),
    row("**all**", all),
  ].join("\n");
}
