import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

import { readOptions } from "../options.mjs";
import { BEGIN, withResults } from "../readme.mjs";

const BENCH = fileURLToPath(new URL("../bench.mjs", import.meta.url));

const bench = (...args) => spawnSync(process.execPath, [BENCH, ...args], { encoding: "utf8" });

test("everything is measured unless parts are picked", () => {
  const all = readOptions([]);
  assert.deepEqual(all.boards, ["stream", "string", "framework"]);
  assert.deepEqual(all.pages, ["a", "b", "c", "d", "e"]);
  assert.deepEqual([...all.extras], ["life", "equal-load", "raw-loop", "isolate-boot", "hop", "edge-compression", "cached", "recovery", "growth"]);
  assert.deepEqual([all.workers, all.rounds, all.connections, all.write], [2, 3, 32, false]);
  const some = readOptions(["--board", "string,hop", "--page", "d", "--rival", "bun,vitrine", "--workers", "4"]);
  assert.deepEqual([some.boards, some.pages, [...some.extras], some.workers], [["string"], ["d"], ["hop"], 4]);
  assert.deepEqual([all.live, all.known], [[1, 10, 50, 200], 1000]);
  assert.deepEqual(readOptions(["--live", "2,3", "--known", "9"]).live, [2, 3]);
  assert.deepEqual(some.rivals.map(({ name }) => name), ["Bun", "Vitrine, container", "Vitrine, process"]);
});

test("what there is not is refused, with what there is", () => {
  for (const [args, words] of [
    [["--board", "speed"], /--board can be stream, string, .*, not speed/],
    [["--page", "z"], /--page can be a, b/],
    [["--rival", "nginx"], /fits none of Node http/],
    [["--rounds", "0"], /--rounds must be a whole number/],
    [["--live", "1,x"], /--live must be a whole number/],
    [["--live", "5,5"], /--live must be numbers that grow/],
    [["--seconds", "1.5"], /--seconds must be a whole number/],
    [["--fast"], /fast/],
  ]) {
    assert.throws(() => readOptions(args), words);
  }
});

test("wrong usage ends with 2 and says what is right; help with 0", () => {
  const wrong = bench("--board", "speed");
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /not speed[\s\S]*--rival/);
  const help = bench("--help");
  assert.equal(help.status, 0);
  assert.match(help.stdout, /--write/);
});

test("this folder's README has a place for results", () => {
  const text = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  assert.ok(withResults(text, "new").includes(`${BEGIN}\n\nnew\n`));
});
