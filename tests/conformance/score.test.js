import assert from "node:assert/strict";
import test from "node:test";

import { counts, folderOf, misses, oneLine, readExpectations, unexpected } from "./score.mjs";
import { isForUs, resolved, variantsOf } from "./suite.mjs";

const file = (...subtests) => ({ subtests: subtests.map(([name, passed, message]) => ({ name, passed, message })) });
const RESULTS = {
  vitrine: new Map([
    ["url/a.any.js", file(["one", true], ["two", false, "no"], ["none", false], ["twice", true], ["twice", false, "once not"])],
    ["fetch/api/body/b.any.js", { subtests: [], problem: "it did not end" }],
  ]),
  node: new Map([
    ["url/a.any.js", file(["one", true], ["two", true], ["none", false], ["twice", true])],
    ["fetch/api/body/b.any.js", file(["three", true])],
  ]),
};

test("what passes somewhere counts, by folder and engine", () => {
  assert.deepEqual(
    [...counts(RESULTS)],
    [
      ["fetch/api/body", { files: 1, passable: 1, passed: { vitrine: 0, node: 1 } }],
      ["url", { files: 1, passable: 3, passed: { vitrine: 1, node: 3 } }],
    ],
  );
  assert.equal(folderOf("url/url-constructor.any.js?include=file"), "url");
  assert.equal(folderOf("html/webappapis/timers/x.any.js"), "html/webappapis/timers");
});

test("a subtest that fails, that fails once of two, or that never ran is missed with its message", () => {
  assert.deepEqual(misses(RESULTS, "vitrine"), [
    { id: "fetch/api/body/b.any.js", name: "three", message: "it did not end" },
    { id: "url/a.any.js", name: "two", message: "no" },
    { id: "url/a.any.js", name: "twice", message: "once not" },
  ]);
});

test("expectations name files and subtests below their reason, and hold for nothing else", () => {
  const text = "# not yet\nurl/* | two\n\n# no parent page\nfetch/api/body/b.any.js | *\n";
  const expectations = readExpectations(text);
  assert.deepEqual(
    expectations.map(({ reason }) => reason),
    ["not yet", "no parent page"],
  );
  const { surprises, obsolete } = unexpected(misses(RESULTS, "vitrine"), expectations);
  assert.deepEqual([surprises.map(({ name }) => name), obsolete], [["twice"], []]);
  const nothing = unexpected([], expectations);
  assert.equal(nothing.obsolete.length, 2, "what passes by now must leave the file");
  assert.throws(() => readExpectations("url/a.any.js | one\n"), /line 1 .* reason/);
  assert.throws(() => readExpectations("# why\nurl/a.any.js\n"), /line 2/);
  assert.equal(oneLine("a | b\n c"), "a b c");
});

test("files without a document are for us, with their variants and scripts", () => {
  const chosen = ["url/a.any.js", "WebCryptoAPI/digest/digest.https.any.js", "url/toascii.window.js"];
  const others = ["dom/events/x.window.js", "fetch/api/resources/y.any.js", "html/webappapis/scripting/z.any.js", "url/a.html"];
  assert.deepEqual([...chosen, ...others].filter(isForUs), chosen);
  assert.deepEqual(variantsOf("// META: variant=?1-10\n// META: variant=?11-last\n"), ["?1-10", "?11-last"]);
  assert.deepEqual(variantsOf("test(() => {});"), [""]);
  assert.equal(resolved("url/a.any.js", "resources/a.json"), "/url/resources/a.json");
  assert.equal(resolved("url/a.any.js", "/common/gc.js?pipe=sub"), "/common/gc.js");
});
