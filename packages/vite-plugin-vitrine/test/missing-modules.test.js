import assert from "node:assert/strict";
import { test } from "node:test";

import { createBuilder, createLogger } from "vite";

import vitrine from "../src/index.js";
import { configOf, FILES, makeProject } from "./project.js";

/** Builds a project whose server has this line; gives the warnings. */
async function build(t, line) {
  const root = await makeProject(t, { ...FILES, "src/entry-server.jsx": `${line}\n${FILES["src/entry-server.jsx"]}` });
  const warnings = [];
  const customLogger = { ...createLogger("silent"), warn: (text) => warnings.push(text) };
  const options = { server: "src/entry-server.jsx", client: "src/entry-client.jsx" };
  const builder = await createBuilder({ ...configOf(root), customLogger, plugins: [vitrine(options)] });
  await builder.buildApp();
  return warnings.join("\n");
}

test("a build that no host can load fails", async (t) => {
  await assert.rejects(build(t, 'import tls from "node:_tls_wrap"; globalThis.tls = tls;'), /imports node:_tls_wrap, which isolates do not have: no host can load/);
});

test("a module that is needed later is a warning", async (t) => {
  const warnings = await build(t, 'globalThis.later = () => import("node:_tls_wrap");');
  assert.match(warnings, /imports node:_tls_wrap later on, which isolates do not have/);
});

test("built-ins that isolates have are no matter", async (t) => {
  assert.doesNotMatch(await build(t, 'import path from "node:path"; globalThis.path = path;'), /isolates/);
});
