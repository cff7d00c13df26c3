// The same page from this host, from Node and from Bun, side by side, at the same number of workers.
//   node bench.mjs [--workers 2] [--rounds 3] [--seconds 5] [--connections 32] [--bin-dir target/release] [--isolation process]
// The table (Markdown) goes to stdout, progress to stderr. Exit 1 if a rival fails or sends another page.
import { parseArgs } from "node:util";

import { buildRivals } from "./build.mjs";
import { chooseLoad } from "./load.mjs";
import { snapshot } from "./processes.mjs";
import { fetchPage, startRivals } from "./rivals.mjs";
import { markdown } from "./table.mjs";

/** Load before the first round, so that every just-in-time compiler has seen the page, in seconds. */
const WARM_UP_S = 3;

const { values } = parseArgs({
  options: {
    workers: { type: "string", default: "2" },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "5" },
    connections: { type: "string", default: "32" },
    "bin-dir": { type: "string" },
    isolation: { type: "string", default: "process" },
    "out-dir": { type: "string", default: "dist" },
  },
});
const [workers, rounds, seconds, connections] = ["workers", "rounds", "seconds", "connections"].map((name) => {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 1) {
    console.error(`bench: --${name} must be a whole number, 1 or more, not ${values[name]}`);
    process.exit(2);
  }
  return value;
});

/** @param {string} text */
function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Runs every rival in each round, each round beginning with another one, so that a busy moment of the machine hits all alike. */
async function measure(rivals, load) {
  for (const rival of rivals) {
    say(`warm-up: ${rival.name}`);
    await load({ ...rival, connections, seconds: WARM_UP_S });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < rivals.length; turn += 1) {
      const rival = rivals[(round + turn) % rivals.length];
      const before = snapshot(rival.pids);
      const result = await load({ ...rival, connections, seconds });
      const after = snapshot(rival.pids);
      const cpuMs = after.cpuMs - before.cpuMs;
      rival.rounds.push({ ...result, cpuMsAPage: cpuMs / result.pages, pssMb: after.pssMb });
      say(`round ${round + 1}/${rounds}: ${rival.name.padEnd(28)} ${result.pagesPerS.toFixed(0)} pages/s`);
    }
  }
}

/** All rivals must send the same bytes: the first one's page is held against every other. */
async function checkPages(rivals) {
  const pages = await Promise.all(rivals.map(fetchPage));
  pages.forEach((page, index) => {
    if (page !== pages[0]) {
      let at = 0;
      while (at < page.length && page[at] === pages[0][at]) {
        at += 1;
      }
      const around = (text) => JSON.stringify(text.slice(Math.max(0, at - 40), at + 40));
      throw new Error(
        `${rivals[index].name} sends another page than ${rivals[0].name}, from character ${at} on: ${around(page)} for ${around(pages[0])}`,
      );
    }
  });
  return Buffer.byteLength(pages[0]);
}

const load = await chooseLoad();
say(`load: ${load.tool}; ${workers} workers, ${connections} connections, ${rounds} rounds of ${seconds} s`);
const built = await buildRivals(values["out-dir"], workers);
const { rivals, absent, stopAll } = await startRivals(built, { workers, binDir: values["bin-dir"], isolation: values.isolation });
try {
  const bytes = await checkPages(rivals);
  say(`pages: the same ${bytes} bytes from ${rivals.length} rivals`);
  await measure(rivals, load.run);
  console.log(markdown(rivals, absent, { bytes, workers, connections, rounds, seconds, tool: load.tool }));
} finally {
  await stopAll();
}
