import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { createLogger, createServer } from "vite";

import vitrine from "../src/index.js";
import { FILES, configOf, makeProject } from "./project.js";

const OPTIONS = { server: "src/entry-server.jsx", client: "src/entry-client.jsx", env: ["GREETING"] };

/**
 * A dev server on a free port.
 *
 * @param {import("node:test").TestContext} t
 * @param {{ files?: Record<string, string>, options?: object, react?: string, config?: object }} [wanted]
 */
async function dev(t, { files, options, react, config } = {}) {
  /** The server ends before its folder goes. */
  const cleanups = [];
  t.after(async () => {
    for (const cleanup of cleanups.reverse()) {
      await cleanup();
    }
  });
  const root = await makeProject({ after: (cleanup) => cleanups.push(cleanup) }, { ...FILES, ...files }, react);
  const lines = [];
  const customLogger = createLogger("silent");
  for (const kind of ["warn", "error"]) {
    customLogger[kind] = (text) => lines.push(text);
  }
  const plugins = [vitrine({ ...OPTIONS, ...options })];
  // No browser asks for the packages, and what would bundle them for one outlives the server.
  const optimizeDeps = { noDiscovery: true };
  const server = await createServer({ ...configOf(root), customLogger, optimizeDeps, plugins, server: { port: 0, host: "127.0.0.1" }, ...config });
  cleanups.push(() => server.close());
  const get = async (url, init) => {
    const answer = await fetch(new URL(url, server.resolvedUrls.local[0]), init);
    return { answer, text: await answer.text() };
  };
  return { root, server, lines, get, listen: () => server.listen() };
}

for (const react of ["19.0", "19.3"]) {
  test(`renders a page by the server entry, with React ${react}`, async (t) => {
    const { get, listen, lines } = await dev(t, { react, files: { ".env": "GREETING=Ada\nOTHER=no\n" } });
    await listen();
    const { answer, text } = await get("/courses/any");
    assert.equal(answer.status, 200);
    assert.match(text, /<h1>Hello (<!-- -->)?Ada<\/h1>/);
    assert.match(text, /<i>later<\/i>/);
    assert.match(text, /<link rel="stylesheet" href="\/src\/looks\.css"\/>/, "its looks, before its scripts run");
    assert.ok(text.indexOf('src="/@vite/client"') < text.indexOf('src="/src/entry-client.jsx"'));
    assert.deepEqual(lines, []);

    const styles = await get("/src/looks.css", { headers: { accept: "text/css" } });
    assert.match(styles.text, /^h1 \{ color: teal \}/);
    const client = await get("/src/entry-client.jsx");
    assert.match(client.answer.headers.get("content-type"), /javascript/);
  });
}

test("requests and answers are those of the fetch contract", async (t) => {
  const { get, listen } = await dev(t, { files: { ".env": "GREETING=Ada\nOTHER=no\n" } });
  await listen();
  const echo = await get("/echo", { method: "POST", body: "héllo" });
  assert.deepEqual([echo.answer.status, echo.text], [201, "héllo"]);
  assert.deepEqual(echo.answer.headers.getSetCookie(), ["a=1", "b=2"]);
  const env = JSON.parse((await get("/env")).text);
  assert.deepEqual(env, { env: { GREETING: "Ada" }, seen: "Ada", waits: "function" }, "the listed names and no others");
});

test("shows an error in the page with the place in the sources, and goes on", async (t) => {
  const { get, listen } = await dev(t);
  await listen();
  const { answer, text } = await get("/throws");
  assert.equal(answer.status, 500);
  assert.match(text, /thrown on purpose/);
  assert.match(text, /src\/entry-server\.jsx:7:/);
  assert.equal((await get("/")).answer.status, 200);
});

test("a change of the server's code is seen by the next request", async (t) => {
  const { get, listen, root, server } = await dev(t);
  await listen();
  assert.match((await get("/")).text, /Hello/);
  const reloads = [];
  const { hot } = server.environments.client;
  const send = hot.send.bind(hot);
  hot.send = (...args) => (reloads.push(args[0]?.type), send(...args));
  const entry = path.join(root, "src/entry-server.jsx");
  const deadline = Date.now() + 20_000;
  let text;
  for (let round = 0; text !== "changed" && Date.now() < deadline; round += 1) {
    // A watcher that is not ready yet misses a change.
    if (round % 40 === 0) {
      await writeFile(entry, 'export default { fetch: () => new Response("changed") };');
    }
    // The watcher's thread needs the processor too.
    await setTimeout(50);
    text = (await get("/")).text;
  }
  assert.equal(text, "changed");
  assert.ok(reloads.includes("full-reload"), "the browser asks again, because no module of it changed");
});

test("Vite's own ssrLoadModule loads the server entry", async (t) => {
  const { server } = await dev(t, { config: { server: { middlewareMode: true, ws: false } } });
  const { default: app } = await server.ssrLoadModule("/src/entry-server.jsx");
  const answer = await app.fetch(new Request("http://localhost/"));
  assert.match(await answer.text(), /src="\/src\/entry-client\.jsx"/);
});

test("says what the app will miss on a host", async (t) => {
  const files = { "src/entry-server.jsx": 'import tls from "node:_tls_wrap"; export default () => new Response(typeof tls.connect);' };
  const { get, listen, lines } = await dev(t, { files });
  await listen();
  assert.equal((await get("/")).text, "function");
  assert.match(lines.join("\n"), /no value for GREETING/);
  assert.match(lines.join("\n"), /node:_tls_wrap works in `vite dev`.*isolates do not have it/);
});

test("an import of types is no import, and one that runs later is told apart", async (t) => {
  const server = `
    import type { Socket } from "node:_tls_wrap";
    import { type Server } from "node:_http_server";
    export type { Socket };
    export const later = () => import("node:_tls_common");
    export default (): Response => new Response("typed");`;
  const options = { server: "src/server.ts", env: [] };
  const { get, listen, lines } = await dev(t, { files: { "src/server.ts": server }, options });
  await listen();
  assert.equal((await get("/")).text, "typed");
  const told = lines.join("\n");
  assert.doesNotMatch(told, /_tls_wrap|_http_server/);
  assert.match(told, /node:_tls_common works in `vite dev`.*so this import\(\) fails there/);
  assert.doesNotMatch(told, /a build fails/);
});

test("the contract `render` works as well, and an entry without it is named", async (t) => {
  const render = 'export const render = () => ({ status: 404, headers: { "x-page": "none" }, body: "<p>gone" });';
  const options = { contract: "render", client: undefined };
  const { get, listen, root } = await dev(t, { options, files: { "src/entry-server.jsx": render } });
  await listen();
  const { answer, text } = await get("/");
  assert.deepEqual([answer.status, answer.headers.get("content-type"), text], [404, "text/html; charset=utf-8", "<p>gone"]);
  await rm(path.join(root, "src/entry-server.jsx"));

  const other = await dev(t, { files: { "src/entry-server.jsx": "export const page = 1;" } });
  await other.listen();
  assert.match((await other.get("/")).text, /default export must be/);
});

test("a wrong option ends the start with its name", async (t) => {
  await assert.rejects(dev(t, { options: { warm: "/" } }), /option `warm` must be/);
});
