import assert from "node:assert/strict";
import { test } from "node:test";

import { withStandardStreams } from "../src/direct-stream.js";
import { REACT_DOM_DIRECT_FILE, withoutBun } from "../src/react-dom.js";

test("takes out what only Bun has, line by line", () => {
  const code = [
    'var React = require("react"),',
    '  util = require("util");',
    'require("crypto");',
    "function byteLengthOfChunk(chunk) {",
    '  return Buffer.byteLength(chunk, "utf8");',
    "}",
    'key = "k" + Bun.hash(JSON.stringify([path, null, index]));',
  ].join("\n");
  assert.equal(
    withoutBun(code),
    [
      'var React = require("react"),',
      '  util = require("util");',
      "",
      "function byteLengthOfChunk(chunk) {",
      "  return chunk.length;",
      "}",
      'key = "k" + String(JSON.stringify([path, null, index]));',
    ].join("\n"),
  );
});

test("refuses what it does not know", () => {
  assert.throws(() => withoutBun("Bun.write(file)"), /uses `Bun\.write`/);
  assert.throws(() => withoutBun("Buffer.from(chunk)"), /uses `Buffer\.from`/);
});

test("matches that one file of react-dom", () => {
  assert.match("/app/node_modules/react-dom/cjs/react-dom-server.bun.production.js", REACT_DOM_DIRECT_FILE);
  assert.doesNotMatch("/app/node_modules/react-dom/cjs/react-dom-server.edge.production.js", REACT_DOM_DIRECT_FILE);
  assert.doesNotMatch("/app/node_modules/react-dom/cjs/react-dom-server-legacy.browser.production.js", REACT_DOM_DIRECT_FILE);
});

test("a stream is a standard one only where the runtime does not know direct ones", () => {
  const code = withStandardStreams('new ReadableStream({ type: "direct", pull() {} })');
  const makeIn = (ReadableStream) => new Function("ReadableStream", `return ${code}`)(ReadableStream);
  assert.ok(makeIn(ReadableStream) instanceof ReadableStream);
  class Broken {
    constructor() {
      throw new RangeError("of the strategy");
    }
  }
  assert.throws(() => makeIn(Broken), /of the strategy/);
});
