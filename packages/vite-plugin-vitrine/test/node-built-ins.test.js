import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { NODE_BUILT_INS } from "../src/node-built-ins.js";

test("the plugin knows the modules that the worker has", async () => {
  const source = await readFile(new URL("../../../js-runtime/wire/src/built_in.rs", import.meta.url), "utf8");
  const names = [...source.matchAll(/"node:([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual([...NODE_BUILT_INS], names);
});
