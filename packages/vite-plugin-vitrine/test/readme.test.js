import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { createBuilder } from "vite";

import vitrine from "../src/index.js";
import { configOf, makeProject } from "./project.js";

test("the app of the README builds and renders", async (t) => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const blocks = [...readme.matchAll(/^```jsx\n(\/\/ (src\/[\w.-]+).*\n[\s\S]*?)^```/gm)];
  const files = Object.fromEntries(blocks.map(([, code, name]) => [name, code]));
  assert.deepEqual(Object.keys(files).sort(), ["src/App.jsx", "src/entry-client.jsx", "src/entry-server.jsx"]);
  const root = await makeProject(t, { ...files, "package.json": '{ "type": "module" }', "src/styles.css": "h1 { color: teal }" });
  const options = { server: "src/entry-server.jsx", client: "src/entry-client.jsx" };
  const builder = await createBuilder({ ...configOf(root), mode: "production", plugins: [vitrine(options)] });
  await builder.buildApp();
  const { default: app } = await import(pathToFileURL(path.join(root, "dist/server/index.js")).href);
  const answer = await app.fetch(new Request("http://localhost/courses"), {}, {});
  const html = await answer.text();
  assert.match(html, /<h1>You are at (<!-- -->)?\/courses<\/h1>/);
  assert.match(html, /<link rel="stylesheet" href="\/assets\/client-[\w-]+\.css"\/>/);
});
