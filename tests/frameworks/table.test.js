// docs/frameworks.md names the versions that are tested, and no others.
import assert from "node:assert/strict";
import { test } from "node:test";

import { table, written } from "./table.js";

test("the document has the fixtures' versions and features", () => {
  assert.equal(written(), table(), "run `node tests/frameworks/table.js --write`");
});
