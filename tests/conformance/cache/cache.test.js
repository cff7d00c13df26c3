// The cache tests, in long runs: each waits seconds for what is stale then, and the suite is fetched.
import assert from "node:assert/strict";
import test from "node:test";

import { cacheSuite } from "./suite.mjs";

const skip = process.env.VITRINE_LONG === undefined && "minutes: make test-long";

test("a cache does what cache-tests.fyi asks of one, but for what is listed with its reason", { skip }, async () => {
  const { table, problems } = await cacheSuite("");
  console.log(table);
  assert.deepEqual(problems, []);
});
