// Pages that were made when a project was built, as the adapters answer with them.
import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const ADAPTERS = fileURLToPath(new URL("../../packages/adapters/", import.meta.url));

let folder, adapters;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "vitrine-pages-"));
  await cp(path.join(ADAPTERS, "prerendered.js"), path.join(folder, "prerendered.mjs"));
  await writeFile(path.join(folder, "pages.js"), 'export default { "/about": "About", "/guarded": "Guarded", "/404": "Missing" };');
  await writeFile(path.join(folder, "package.json"), '{ "type": "module" }');
  adapters = await import(pathToFileURL(path.join(folder, "prerendered.mjs")).href);
});

after(() => rm(folder, { recursive: true }));

/** What a server says that knows one page and guards another. */
function handle(request) {
  const { pathname } = new URL(request.url);
  const status = { "/about": 404, "/guarded": 401, "/known": 200 }[pathname];
  return status === undefined ? new Response(null, { status: 404 }) : new Response(`server ${status}`, { status });
}

async function asked(server, address, init) {
  const response = await server.fetch(new Request(`http://localhost${address}`, init));
  return [response.status, await response.text()];
}

test("pages come before a server", async () => {
  const server = adapters.withPages(handle);
  assert.deepEqual(await asked(server, "/about/"), [200, "About"]);
  assert.deepEqual(await asked(server, "/guarded"), [200, "Guarded"]);
  assert.deepEqual(await asked(server, "/known"), [200, "server 200"]);
  assert.deepEqual(await asked(server, "/nothing"), [404, "Missing"]);
  assert.deepEqual(await asked(server, "/about", { method: "POST" }), [404, "server 404"]);
});

test("pages come where a server that may guard them has nothing", async () => {
  const server = adapters.withPagesBehind(handle);
  assert.deepEqual(await asked(server, "/about/"), [200, "About"]);
  assert.deepEqual(await asked(server, "/guarded"), [401, "server 401"]);
  assert.deepEqual(await asked(server, "/known"), [200, "server 200"]);
  assert.deepEqual(await asked(server, "/nothing"), [404, ""]);
  assert.deepEqual(await asked(server, "/about", { method: "POST" }), [404, "server 404"]);
});
