// Runs the web platform tests in isolates, beside Node.js and Deno.
//   node conformance.mjs [--only TEXT] [--engine NAME,…] [--misses] [--bin-dir FOLDER]
// Of engines that are not named the results of the last whole run count, if there was one.
// The table goes to stdout. Exit 1 if something fails that the expectations do not name, or passes though they do.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { ROOT } from "../browser/host.js";
import { ENGINES } from "./engines.mjs";
import { counts, misses, readExpectations, unexpected } from "./score.mjs";
import { suiteFolder } from "./source.mjs";
import { runsOf } from "./suite.mjs";

/** Files at once: each has a process or an isolate of its own. */
const AT_ONCE = 2;
/** Surprises that are shown; all of them are in the file of results. */
const SHOWN_MAX = 40;

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    engine: { type: "string", default: Object.keys(ENGINES).join(",") },
    misses: { type: "boolean", default: false },
    "bin-dir": { type: "string" },
  },
});
if (values["bin-dir"] !== undefined) {
  process.env.VITRINE_BIN = path.resolve(values["bin-dir"]);
}
const chosen = values.engine.split(",");
const unknown = chosen.filter((engine) => !(engine in ENGINES));
if (unknown.length > 0) {
  console.error(`conformance: no engine ${unknown.join(", ")}; there are ${Object.keys(ENGINES).join(", ")}`);
  process.exit(2);
}

const runs = runsOf(suiteFolder(), values.only);
const folder = path.join(ROOT, "target/conformance/results");
mkdirSync(folder, { recursive: true });
const results = {};
const isWhole = values.only === "";
const resultsOf = (name) => path.join(folder, `${name}.json`);
for (const name of Object.keys(ENGINES)) {
  if (chosen.includes(name)) {
    results[name] = await runAll(name);
    if (isWhole) {
      writeFileSync(resultsOf(name), JSON.stringify([...results[name]]));
    }
  } else if (existsSync(resultsOf(name))) {
    const ids = new Set(runs.map(({ id }) => id));
    results[name] = new Map(JSON.parse(readFileSync(resultsOf(name), "utf8")).filter(([id]) => ids.has(id)));
  }
}
const compared = Object.keys(results);

console.log(table(counts(results)));
if (compared.includes("vitrine")) {
  const missed = misses(results, "vitrine");
  writeFileSync(path.join(folder, "misses.json"), JSON.stringify(missed, null, 1));
  const expectations = readExpectations(readFileSync(fileURLToPath(new URL("expectations.txt", import.meta.url)), "utf8"));
  const { surprises, obsolete } = unexpected(missed, expectations);
  const shown = values.misses ? missed : surprises.slice(0, SHOWN_MAX);
  shown.forEach(({ id, name, message }) => console.log(`${id} | ${name}\n    ${message}`));
  console.log(`\n${missed.length} subtests pass elsewhere and not here; ${surprises.length} of them are not expected to fail`);
  // A part of the suite, or of the engines, bears out a part of the expectations.
  const proves = isWhole && compared.length === Object.keys(ENGINES).length;
  if (proves) {
    obsolete.forEach(({ id, name }) => console.log(`expected to fail, and does not: ${id} | ${name}`));
  }
  process.exitCode = surprises.length > 0 || (proves && obsolete.length > 0) ? 1 : 0;
}

/** @param {string} name */
async function runAll(name) {
  const engine = await ENGINES[name]();
  const waiting = [...runs];
  const found = new Map();
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      found.set(next.id, await engine.run(next.payload()));
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

/** @param {Map<string, import("./score.mjs").Count>} folders */
function table(folders) {
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
