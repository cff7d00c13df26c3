import assert from "node:assert/strict";
import { access, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import { createBuilder } from "vite";

import vitrine from "../src/index.js";
import { configOf, FILES, makeProject } from "./project.js";

/** Builds a project that has this `vitrine.json`; gives the bundle's. */
async function built(t, settings, options = {}) {
  const root = await makeProject(t, { ...FILES, "vitrine.json": settings });
  const all = { server: "src/entry-server.jsx", client: "src/entry-client.jsx", ...options };
  const builder = await createBuilder({ ...configOf(root), plugins: [vitrine(all)] });
  await builder.buildApp();
  return JSON.parse(await readFile(path.join(root, "dist/vitrine.json"), "utf8"));
}

test("what vitrine.json of the project says is in the bundle, beside the options", async (t) => {
  const settings = { entry: "server/index.js", env: ["A"], warm: ["/a"], limits: { cpu_ms: 50, queue: 1 } };
  const manifest = await built(t, JSON.stringify(settings), { warm: ["/a"], egress: ["https://a.example"], limits: { heap_mb: 64, queue: 1 } });
  assert.deepEqual(manifest, {
    entry: "server/index.js",
    assets: "client",
    env: ["A"],
    warm: ["/a"],
    limits: { cpu_ms: 50, queue: 1, heap_mb: 64 },
    egress: ["https://a.example"],
  });
});

for (const [settings, options, complaint] of [
  ['{ "warm": ["/a"] }', { warm: ["/b"] }, /`warm` is \["\/a"\] in .*vitrine\.json and \["\/b"\] in the plugin's options/],
  ['{ "limits": { "queue": 1 } }', { limits: { queue: 2 } }, /`limits\.queue` is 1 in .*vitrine\.json and 2 in the plugin's/],
  ['{ "env": [] // names\n}', {}, /vitrine\.json is no JSON \(which has no comments/],
  ["[]", {}, /vitrine\.json must hold an object/],
  ['{ "envs": [] }', {}, /unknown option `envs`/],
  ['{ "entry": "main.js" }', {}, /`entry` in .*vitrine\.json is "main\.js", and the plugin builds "server\/index\.js"/],
  ['{ "shell": "index.html" }', {}, /`shell` in .*vitrine\.json has no effect; give the plugin's option/],
]) {
  test(`${settings} with ${JSON.stringify(options)} ends the build`, async (t) => {
    await assert.rejects(built(t, settings, options), complaint);
  });
}

test("a build that fails leaves no bundle of an earlier one", async (t) => {
  const root = await makeProject(t);
  const build = async () => {
    const options = { server: "src/entry-server.jsx", client: "src/entry-client.jsx" };
    const builder = await createBuilder({ ...configOf(root), plugins: [vitrine(options)] });
    await builder.buildApp();
  };
  await build();
  const entry = path.join(root, "src/entry-server.jsx");
  await writeFile(entry, `import tls from "node:_tls_wrap"; globalThis.tls = tls;\n${await readFile(entry, "utf8")}`);
  await assert.rejects(build(), /imports node:_tls_wrap/);
  await assert.rejects(access(path.join(root, "dist")));
});
