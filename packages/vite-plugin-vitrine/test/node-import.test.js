import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import path from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";

import { createBuilder } from "vite";

import vitrine from "../src/index.js";
import { configOf, makeProject } from "./project.js";

/** What a test of an app does: no Vite, no host. */
const SCRIPT = `
  const { default: app } = await import("./dist/server/index.js");
  const answer = await app.fetch(new Request("http://localhost/"), { GREETING: "Ada" }, { waitUntil() {} });
  const first = await answer.clone().body.getReader().read();
  console.log(JSON.stringify({ first: new TextDecoder().decode(first.value), whole: await answer.text() }));
  // React logs that the page which nobody wants any more was cut short.
  console.error = () => {};
  const left = await app.fetch(new Request("http://localhost/"));
  await left.body.cancel();
`;

for (const [react, mode] of [
  ["19.0", "production"],
  ["19.3", "production"],
  ["19.3", "development"],
]) {
  test(`plain Node.js renders what a build gave: React ${react}, ${mode}`, async (t) => {
    const root = await makeProject(t, undefined, react);
    const options = { server: "src/entry-server.jsx", client: "src/entry-client.jsx" };
    const builder = await createBuilder({ ...configOf(root), mode, plugins: [vitrine(options)] });
    await builder.buildApp();
    const node = spawn(process.execPath, ["--input-type=module", "-e", SCRIPT], { cwd: path.resolve(root) });
    const [out, complaints] = await Promise.all([text(node.stdout), text(node.stderr)]);
    assert.equal(complaints, "");
    const { first, whole } = JSON.parse(out);
    assert.match(first, /<h1>Hello (<!-- -->)?Ada<\/h1>/);
    assert.doesNotMatch(first, /<i>later<\/i>/, "it streams");
    assert.match(whole, /<i>later<\/i>/);
    assert.match(whole, /<script type="module" src="\/assets\/client-[\w-]+\.js"/);
  });
}
