// Workers for Cloudflare, deployed as they are: what their wrangler file says, and what they find around them.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";

import { ROOT, startHost } from "../browser/host.js";

const skipLong = process.env.VITRINE_LONG === undefined ? "takes minutes (make test-long)" : false;
const FOLDER = path.join(ROOT, "tests/frameworks/cloudflare");

describe("workers for Cloudflare", { timeout: 300_000 }, () => {
  let host;

  before(async () => {
    host = await startHost({});
    for (const app of ["worker", "pages"]) {
      await host.vitrine("deploy", app, path.join(FOLDER, app), "--version", "v1");
    }
  });

  after(() => host?.stop());

  /** Asks an app and follows nothing; with a body it is a POST. */
  async function ask(app, address, headers = {}, body = undefined) {
    const { hostname, port } = host.edge;
    const method = body === undefined ? "GET" : "POST";
    const all = { ...headers, host: `${app}.localhost:${port}` };
    const asking = request({ host: hostname, port, path: address, method, headers: all });
    asking.end(body);
    const [response] = await once(asking, "response");
    return { status: response.statusCode, headers: response.headers, text: (await text(response)).trim() };
  }

  const api = async (name, headers) => {
    const { status, text } = await ask("worker", `/api/${name}`, headers);
    assert.equal(status, 200, text);
    return JSON.parse(text);
  };

  test("a dry run tells what was found and which bindings are missing", async () => {
    const dryRun = JSON.parse(await host.vitrine("deploy", "worker", path.join(FOLDER, "worker"), "--dry-run", "--json"));
    assert.equal(dryRun.found, "cloudflare");
    assert.equal(dryRun.because, "wrangler.jsonc names src/index.js");
    assert.match(dryRun.client, /public: 2 files, 4 pages, and 1 files that the worker is asked for first$/);
    assert.deepEqual(dryRun.bindings, [
      "KV is a KV namespace, which Vitrine does not have: it throws when it is used",
      "ROOM is a Durable Object, which Vitrine does not have: it throws when it is used",
      "triggers.crons: nothing calls `scheduled`",
    ]);
  });

  test("files have the addresses that the wrangler file wants", async () => {
    for (const [address, status, expected] of [
      ["/", 200, "<h1>Home</h1>"],
      ["/about", 200, "<h1>About</h1>"],
      ["/about.html?a=b", 307, "/about?a=b"],
      ["/about/", 307, "/about"],
      ["/docs", 307, "/docs/"],
      ["/docs/", 200, "<h1>Docs</h1>"],
      ["/old", 301, "/about"],
      ["/people/ann", 302, "/docs/?who=ann"],
      ["/open.txt", 200, "open"],
      ["/nothing", 200, "the worker at /nothing"],
    ]) {
      const answer = await ask("worker", address);
      assert.deepEqual([answer.status, answer.headers.location ?? answer.text], [status, expected], address);
    }
    for (const [address, expected] of [["/about", "DENY"], ["/open.txt", "DENY"], ["/nothing", undefined]]) {
      assert.equal((await ask("worker", address)).headers["x-frame-options"], expected, address);
    }
    for (const hidden of ["/app.js.map", "/_headers", "/_redirects", "/.assetsignore", "/src/index.js", "/server/assets/private/a.txt"]) {
      assert.match((await ask("worker", hidden)).text, /^the worker at /, hidden);
    }
  });

  test("a worker that is asked first guards its files", async () => {
    assert.equal((await ask("worker", "/private/a.txt")).status, 401);
    const guarded = await ask("worker", "/private/a.txt", { authorization: "me" });
    assert.deepEqual([guarded.status, guarded.text], [200, "secret"]);
    assert.match(guarded.headers["content-type"], /^text\/plain/);
    assert.equal((await ask("worker", "/private/open.txt")).text, "open, too");
    for (const written of ["/%70rivate/a.txt", "/private%2Fa.txt", "/%2570rivate/a.txt", "//private/a.txt", "/x/../private/a.txt"]) {
      assert.doesNotMatch((await ask("worker", written)).text, /secret/, written);
    }
    assert.equal((await ask("worker", "/%70rivate/a.txt", {}, "a body")).status, 401);
  });

  test("a worker finds its values, its files and itself", async () => {
    assert.deepEqual(await api("values"), { notes: 2, greeting: "hello", same: true, of: "hello" });
    assert.deepEqual(await api("own"), await api("values"));
    assert.deepEqual(await api("notes"), ["a note", "hello"]);
    const files = [[200, "open"], [200, "secret"], [200, "<h1>Docs</h1>"], [404, "<h1>Not here</h1>"]];
    assert.deepEqual(await api("files"), files);
    assert.deepEqual(await api("cache"), ["undefined", "false"]);
    assert.deepEqual(await api("client", { "cf-connecting-ip": "9.9.9.9" }), ["127.0.0.1"]);
  });

  test("a binding that is missing says so when it is used, and a worker that calls itself for ever is stopped", async () => {
    const { isThere, said, other } = await api("missing");
    assert.deepEqual([isThere, other], [true, true]);
    assert.match(said, /^KV\.get was called: KV is a KV namespace in the project's wrangler file, which Vitrine does not have; .*`egress`/);
    assert.match(JSON.stringify(await api("loop")), /called itself 16 times/);
  });

  test("a value of the app wins over the wrangler file's", async (t) => {
    t.after(() => host.vitrine("env", "unset", "worker", "GREETING"));
    const folder = await mkdtemp(path.join(tmpdir(), "vitrine-values-"));
    t.after(() => rm(folder, { recursive: true }));
    await writeFile(path.join(folder, "values"), "GREETING=welcome\n");
    await host.vitrine("env", "import", "worker", path.join(folder, "values"));
    assert.deepEqual(await api("values"), { notes: 2, greeting: "welcome", same: true, of: "welcome" });
  });

  test("Next.js besides pages: proxy, images, route handlers, actions without JavaScript", { skip: skipLong }, async () => {
    await host.vitrine("deploy", "next", path.join(ROOT, "tests/frameworks/long/next"), "--version", "v1");
    const home = await ask("next", "/");
    assert.equal(home.headers["x-by"], "proxy");
    const moved = await ask("next", "/old");
    assert.deepEqual([moved.status, new URL(moved.headers.location, "http://a/").pathname], [307, "/about"]);
    assert.match((await ask("next", "/tea")).text, /<h1>Tea<\/h1>/);
    const json = { "content-type": "application/json" };
    assert.deepEqual(JSON.parse((await ask("next", "/api/notes", json, '{"text":"a < b"}')).text), { said: "a < b" });
    const image = await ask("next", "/_next/image?url=%2Fdot.png&w=64&q=75");
    assert.deepEqual([image.status, image.headers["content-type"]], [200, "image/png"]);
    const [script] = /\/_next\/static\/[^"]+\.js/.exec(home.text);
    assert.match((await ask("next", script)).headers["cache-control"], /immutable/);
    const fields = [...home.text.matchAll(/name="(\$ACTION[^"]*)"(?: value="([^"]*)")?/g)].map(([, name, value = ""]) => [name, value]);
    const parts = [...fields, ["text", "no script"]].map(([name, value]) => `--x\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
    const { port } = host.edge;
    const headers = { "content-type": "multipart/form-data; boundary=x", origin: `http://next.localhost:${port}` };
    const said = await ask("next", "/", headers, `${parts.join("")}--x--\r\n`);
    assert.deepEqual([said.status, new URL(said.headers.location, "http://a/").pathname], [303, "/"]);
    assert.match(said.headers["set-cookie"].join(), /said=no%20script/);
  });

  test("a worker of Pages gets what its routes include", async () => {
    const own = await ask("pages", "/hello");
    assert.deepEqual([own.status, own.text], [200, "hello from Pages"]);
    for (const [address, expected, by] of [
      ["/", "<h1>Pages</h1>", "worker"],
      ["/plain.txt", "plain", "worker"],
      ["/static/a.txt", "static", undefined],
      // Without a 404.html the home page answers every address.
      ["/anything", "<h1>Pages</h1>", "worker"],
      ["/static/gone", "<h1>Pages</h1>", undefined],
      ["/_worker.js/greet.js", "<h1>Pages</h1>", "worker"],
      ["/_routes.json", "<h1>Pages</h1>", "worker"],
    ]) {
      const answer = await ask("pages", address);
      assert.deepEqual([answer.status, answer.text, answer.headers["x-by"]], [200, expected, by], address);
    }
  });
});
