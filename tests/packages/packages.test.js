// The board: npm packages that server code uses, each doing its main job in an isolate and in Node.js 22, with the same result.
//   PACKAGES='zod|@noble' node --test packages.test.js   runs the cases whose names match.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";

import { ROOT, startHost } from "../browser/host.js";
import { startUpstream } from "./upstream.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
/** The table and the results of the last run. */
const OUT = path.join(ROOT, "target/package-board");
/** Of the packages that need nothing which isolates do not have, the least part that must be right. */
const RIGHT_MIN = 0.97;
/** Deploys and processes of Node.js beside each other. */
const AT_ONCE = 2;

/**
 * What is known: packages that are refused, each with a pattern of the message that a user gets, and those that are wrong, with the
 * reason.
 *
 * @type {{ refused: Record<string, string>, wrong: Record<string, string> }}
 */
const EXPECTED = JSON.parse(readFileSync(path.join(HERE, "expected.json"), "utf8"));

/**
 * Pages of a package that is large may take longer than a page should: it is loaded with a debug build as well. One isolate, because
 * cases keep sessions and counts in memory, and Node.js has one process.
 */
const CONFIG = "[limits]\ncpu_ms = 20000\nwall_ms = 20000\nheap_mb = 256\nisolates = 1\n[worker]\nmemory_mb = 768\n";

const skip = process.env.VITRINE_LONG === undefined ? "takes minutes (make test-long)" : false;
const picked = new RegExp(process.env.PACKAGES ?? "");
const names = (await readdir(path.join(HERE, "cases"))).map((file) => path.basename(file, ".mjs")).filter((name) => picked.test(name));

describe("the board of packages", { skip, timeout: 60 * 60_000, concurrency: AT_ONCE }, () => {
  /** @type {{ name: string, version: string, is: "ok" | "refused" | "wrong", seconds: number, why: string }[]} */
  const rows = [];
  let engines, host, upstream;

  before(async () => {
    engines = await import("./engines.mjs");
    upstream = await startUpstream();
    host = await startHost({ allowPrivate: [upstream.address], config: CONFIG, extraFlags: ["--isolation", "process"] });
  });

  after(async () => {
    await host?.stop();
    await upstream?.stop();
    await report(rows);
  });

  for (const name of names) {
    test(name.replace("+", "/"), async () => {
      const file = path.join(HERE, "cases", `${name}.mjs`);
      const board = { name, file, requests: await requestsOf(file) };
      const began = performance.now();
      const isolate = await engines.inIsolate(host, board, upstream.origin);
      const row = { name: name.replace("+", "/"), version: await versionOf(name), seconds: (performance.now() - began) / 1000 };
      const pattern = EXPECTED.refused[row.name];
      if (pattern !== undefined) {
        const message = isolate.refused ?? isolate.error;
        const isRefused = message !== undefined && new RegExp(pattern, "s").test(message);
        rows.push({ ...row, is: isRefused ? "refused" : "wrong", why: message ?? "it was not refused" });
        return assert.ok(isRefused, `it should be refused with ${pattern}: ${JSON.stringify(isolate).slice(0, 2000)}`);
      }
      const node = await engines.inNode(board, upstream.origin);
      const isRight = "value" in node && "value" in isolate && isDeepStrictEqual(isolate.value, node.value);
      rows.push({ ...row, is: isRight ? "ok" : "wrong", why: isRight ? "" : (isolate.refused ?? isolate.error ?? "another result") });
      await mkdir(OUT, { recursive: true });
      await writeFile(path.join(OUT, `${name}.json`), JSON.stringify({ isolate, node }, null, 2));
      assert.ok("value" in node, `the case itself fails in Node.js: ${node.error}`);
      if (row.name in EXPECTED.wrong) {
        return assert.ok(!isRight, "it is right now: take it out of expected.json");
      }
      assert.deepEqual(isolate, node);
    });
  }
});

/** The requests that a case names without being imported: some can't be imported everywhere. */
async function requestsOf(file) {
  const text = await readFile(file, "utf8");
  return /^export (?:async )?function serve\(/m.test(text) ? (await import(file)).requests : undefined;
}

async function versionOf(name) {
  return JSON.parse(await readFile(path.join(HERE, "node_modules", name.replace("+", "/"), "package.json"), "utf8")).version;
}

/** Prints the table and the sums, and says whether enough is right. */
async function report(rows) {
  rows.sort((one, other) => (one.name < other.name ? -1 : 1));
  const lines = rows.map(
    ({ name, version, is, seconds, why }) => `${name} | ${version} | ${is} | ${seconds.toFixed(1)} s | ${why.split("\n")[0].slice(0, 200)}`,
  );
  const count = (kind) => rows.filter(({ is }) => is === kind).length;
  const part = count("ok") / (rows.length - count("refused"));
  const sums = `${rows.length} packages: ${count("ok")} right, ${count("refused")} refused, ${count("wrong")} wrong; ${(part * 100).toFixed(1)} % of those not refused are right`;
  console.log(["package | version | result | time | message", ...lines, sums].join("\n"));
  assert.ok(rows.length === 0 || process.env.PACKAGES !== undefined || part >= RIGHT_MIN, sums);
}
