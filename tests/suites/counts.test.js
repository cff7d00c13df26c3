import assert from "node:assert/strict";
import { test } from "node:test";

import { countCargo, countNode, countPython, judged } from "./counts.mjs";

const CARGO = `
running 3 tests
test a::one ... ok
test a::two ... ok
test long ... ignored, takes minutes
successes:

---- a::two stdout ----
SKIPPED: no Docker daemon answers
and more

successes:
    a::one
    a::two

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

running 2 tests
test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
`;

test("cargo: adds up the binaries, and takes off what skipped itself", () => {
  assert.deepEqual(countCargo(CARGO), {
    passed: 2,
    failed: 1,
    skipped: ["long: takes minutes", "a::two: no Docker daemon answers"],
  });
});

test("cargo: a harness that marks the names", () => {
  const output = "SKIPPED: no Docker\ntest life (SKIPPED)  ... ok\ntest probe           ... ok\n\ntest result: ok. 2 passed; 0 failed; 0 ignored;\n";
  assert.deepEqual(countCargo(output), { passed: 1, failed: 0, skipped: ["life: no Docker"] });
});

test("cargo: a word in a test's output is no result", () => {
  assert.deepEqual(countCargo("SKIPPED: said outside of any test"), { passed: 0, failed: 0, skipped: [] });
});

test("node: both formats", () => {
  const tap = "ok 1 - one\nok 2 - two # SKIP no browser\n# tests 2\n# pass 1\n# fail 0\n# cancelled 0\n# skipped 1\n";
  const spec = "✔ one (1.2ms)\n﹣ two (0.1ms) # SKIP no browser\nℹ tests 2\nℹ pass 1\nℹ fail 0\nℹ cancelled 0\nℹ skipped 1\n";
  const reason = spec.replace("# SKIP no browser", "# no browser");
  for (const output of [tap, spec, reason]) {
    assert.deepEqual(countNode(output), { passed: 1, failed: 0, skipped: ["two: no browser"] });
  }
  assert.equal(countNode("# pass 1\n# fail 2\n# cancelled 3\n").failed, 5);
});

test("python: failures, errors and skips are no passes", () => {
  const output = "test_a (m.A.test_a) ... skipped 'no rustc'\nRan 6 tests in 0.1s\n\nFAILED (failures=1, errors=2, skipped=1)\n";
  assert.deepEqual(countPython(output), { passed: 2, failed: 3, skipped: ["test_a (m.A.test_a): no rustc"] });
  assert.equal(countPython("Ran 1 test in 0.1s\n\nOK\n").passed, 1);
});

test("a run that broke off has failed even if no test has, and so has one without tests", () => {
  const good = { passed: 3, failed: 0, skipped: [] };
  assert.equal(judged(good, undefined).failed, 0);
  assert.equal(judged(good, "it ended with 101").failed, 1);
  assert.equal(judged({ ...good, failed: 2 }, "it ended with 1").failed, 2);
  assert.equal(judged({ passed: 0, failed: 0, skipped: [] }, undefined).failed, 1);
});
