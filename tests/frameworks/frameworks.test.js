// What frameworks' own tools built, deployed as it is and used in a real browser. The tests share one host; each has an app of
// its own, so they do not meet.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";

import { CHROMIUM, complaintsOf, launchBrowser } from "../browser/browser.js";
import { ROOT, startHost } from "../browser/host.js";
import { APPS, FIXTURES } from "./fixtures.js";

const MODULES = path.join(ROOT, "tests/frameworks/node_modules");
/** Where the bundler is kept that is fetched for projects without one: it is fetched once for all runs. */
const CACHE = path.join(ROOT, "target/frameworks-cache");
const skip = existsSync(CHROMIUM) ? false : `no browser at ${CHROMIUM}; CHROMIUM names another`;

describe("frameworks' own builds", { skip, timeout: process.env.VITRINE_LONG === undefined ? 600_000 : 2_400_000 }, () => {
  /** @type {(() => Promise<unknown>)[]} */
  const cleanups = [];
  let browser, host;

  before(async () => {
    host = await startHost({});
    cleanups.push(host.stop);
    browser = await launchBrowser();
    cleanups.push(() => browser.close());
  });

  after(async () => {
    for (const cleanup of cleanups.reverse()) {
      await cleanup();
    }
  });

  for (const fixture of FIXTURES) {
    const skip = fixture.long && process.env.VITRINE_LONG === undefined ? "takes minutes (make test-long)" : false;
    test(fixture.name, { skip }, async (t) => {
      const folder = await folderOf(t, fixture);
      const environment = { XDG_CACHE_HOME: CACHE };
      const dryRun = JSON.parse(await host.vitrineWith(environment, "deploy", fixture.name, folder, "--dry-run", "--json"));
      assert.equal(dryRun.found, fixture.found);
      if (fixture.packages !== undefined) {
        assert.match(dryRun.server, /^bundled by node /);
      }
      if (fixture.greets) {
        await greet(host, fixture.name);
      }
      const deploy = (version) => host.vitrineWith(environment, "deploy", fixture.name, folder, "--version", version);
      await deploy("v1");
      const origin = `http://${fixture.name}.localhost:${host.edge.port}`;
      const visit = async () => {
        const context = await browser.newContext({ userAgent: USER_AGENT });
        t.after(() => context.close());
        return context.newPage();
      };
      await inBrowser(await visit(), origin, fixture);
      await breaks(host.edge, fixture);
      await outlives(visit, origin, fixture, { deploy, rollback: () => host.vitrine("rollback", fixture.name) });
    });
  }

  test("a body reaches a handler that was written for Node's server", async (t) => {
    const page = await browser.newPage();
    t.after(() => page.close());
    await page.goto(`http://astro.localhost:${host.edge.port}/`);
    for (const body of ["a=b", ""]) {
      const headers = { "content-type": "application/json" };
      const said = await page.evaluate(async (init) => (await fetch("/api/echo", init)).text(), { method: "POST", headers, body });
      assert.equal(said, `got: ${body}`);
    }
  });

  test("a project whose only bundler is esbuild", async (t) => {
    const project = await copyOf("react-router", ["esbuild", "isbot", "react", "react-dom", "react-router", "@react-router"]);
    t.after(() => rm(project, { recursive: true }));
    const { server } = JSON.parse(await host.vitrine("deploy", "older", project, "--dry-run", "--json"));
    assert.match(server, /^bundled by esbuild /);
    await host.vitrine("deploy", "older", project, "--version", "v1");
    const page = await browser.newPage();
    t.after(() => page.close());
    await page.goto(`http://older.localhost:${host.edge.port}/notes/rust`);
    await page.waitForSelector('html[data-hydrated="true"]');
    assert.equal(await page.locator("h1").innerText(), "Rust");
  });

  test("a project without a bundler, which is fetched", async (t) => {
    const project = await copyOf("react-router", ["isbot", "react", "react-dom", "react-router", "@react-router"]);
    t.after(() => rm(project, { recursive: true }));
    const told = await host.vitrineWith({ XDG_CACHE_HOME: CACHE }, "deploy", "fetched", project, "--dry-run", "--json");
    const [, version] = /^bundled by rolldown (\S+),/.exec(JSON.parse(told).server);
    assert.ok(existsSync(path.join(CACHE, `vitrine/rolldown-${version}`)), "the bundler was fetched");
  });

  test("a project without a bundler where none can be fetched, and one without its packages", async (t) => {
    const bare = await copyOf("react-router", []);
    t.after(() => rm(bare, { recursive: true }));
    const empty = await mkdtemp(path.join(tmpdir(), "vitrine-cache-"));
    t.after(() => rm(empty, { recursive: true }));
    const offline = {
      XDG_CACHE_HOME: empty,
      npm_config_cache: path.join(empty, "npm"),
      npm_config_registry: `http://127.0.0.1:${await closedPort()}/`,
      npm_config_fetch_retries: "0",
    };
    const refused = /no bundler was found.*npm ci.*`npm install rolldown@\S+` failed: .*ECONNREFUSED/s;
    await assert.rejects(host.vitrineWith(offline, "deploy", "bare", bare, "--dry-run"), refused);
    const incomplete = await copyOf("react-router", ["rolldown", "react-router"]);
    t.after(() => rm(incomplete, { recursive: true }));
    await assert.rejects(host.vitrine("deploy", "bare", incomplete, "--dry-run"), /Could not resolve 'isbot' in build\/server\/index\.js; .*npm ci/);
  });

  test("a site without a server", async () => {
    const folder = path.join(APPS, "site");
    const { found } = JSON.parse(await host.vitrine("deploy", "site", folder, "--dry-run", "--json"));
    assert.equal(found, "static");
    await host.vitrine("deploy", "site", folder, "--version", "v1");
    const get = (address, headers) => ask(host.edge, "site", address, { headers });
    for (const [address, status, heading] of SITE_PAGES) {
      const page = await get(address);
      assert.equal(page.status, status, address);
      assert.match(page.headers["content-type"], /^text\/html; charset=utf-8$/i);
      assert.match(page.text, new RegExp(`<h1>${heading}</h1>`), address);
    }
    for (const [address, status, location] of SITE_REDIRECTS) {
      const { headers, status: given } = await get(address);
      assert.deepEqual([given, headers.location], [status, location], address);
    }
    assert.match((await get("/style.css")).headers["content-type"], /^text\/css/);
    for (const [address, robots] of [["/", undefined], ["/docs/start", "noindex"], ["/style.css", undefined]]) {
      const { headers } = await get(address);
      assert.deepEqual([headers["x-frame-options"], headers["x-robots-tag"]], ["DENY", robots], address);
    }
    const { etag } = (await get("/about")).headers;
    assert.equal((await get("/about", { "if-none-match": etag })).status, 304);
    assert.equal((await ask(host.edge, "site", "/about", { method: "HEAD" })).text, "");
    assert.equal((await ask(host.edge, "site", "/about", { method: "POST" })).status, 405);
  });

  test("nothing of a project is written to, and its bundle is the same whenever it is made", async (t) => {
    const packages = await readdir(MODULES);
    const project = await copyOf("react-router", packages.filter((name) => !name.startsWith(".")));
    t.after(() => rm(project, { recursive: true }));
    const before = await readdir(project, { recursive: true });
    const digest = async (folder) => JSON.parse(await host.vitrine("deploy", "same", folder, "--dry-run", "--json")).digest;
    assert.equal(await digest(path.join(project, "build")), await digest(project));
    assert.deepEqual(await readdir(project, { recursive: true }), before);
  });
});

/** The pages of the site, each with its status and its heading. */
const SITE_PAGES = [
  ["/", 200, "Home"],
  ["/about", 200, "About"],
  ["/docs/", 200, "Docs"],
  ["/docs/start", 200, "Start"],
  ["/home", 200, "Home"],
  ["/nothing", 404, "Not on this site"],
  ["/_redirects", 404, "Not on this site"],
  ["/_headers", 404, "Not on this site"],
];

/** Where other addresses of the site lead. */
const SITE_REDIRECTS = [
  ["/index.html", 308, "/"],
  ["/about.html?a=b", 308, "/about?a=b"],
  ["/about/", 308, "/about"],
  ["/docs", 308, "/docs/"],
  ["/docs/index.html", 308, "/docs/"],
  ["/old", 301, "/about"],
  ["/manual/start", 302, "/docs/start"],
  ["/people/ann", 302, "/about?who=ann"],
];

/** Asks an app and follows nothing. @param {URL} edge @param {string} app @param {string} address Path and query. */
async function ask(edge, app, address, { method = "GET", headers = {}, body } = {}) {
  const host = `${app}.localhost:${edge.port}`;
  const asking = request({ host: edge.hostname, port: edge.port, path: address, method, headers: { ...headers, host } });
  asking.end(body);
  const [response] = await once(asking, "response");
  return { status: response.statusCode, headers: response.headers, text: await text(response) };
}

/** A port of this machine that refuses connections. */
async function closedPort() {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address();
  await once(server.close(), "close");
  return port;
}

/** What a fixture is deployed from. @param {import("node:test").TestContext} t @param {Fixture} fixture */
async function folderOf(t, { name, packages, folder }) {
  if (packages === undefined) {
    return folder;
  }
  const files = await readdir(folder);
  const copy = await copyOf(name, packages, files.filter((file) => file !== "node_modules"));
  t.after(() => rm(copy, { recursive: true }));
  return copy;
}

/** Files of a fixture, by default its build, in a folder of their own with these packages and no others. */
async function copyOf(name, packages, files = ["build"]) {
  const project = await mkdtemp(path.join(tmpdir(), "vitrine-project-"));
  await writeFile(path.join(project, "package.json"), "{}");
  for (const file of files) {
    await cp(path.join(APPS, name, file), path.join(project, file), { recursive: true });
  }
  await mkdir(path.join(project, "node_modules"));
  for (const one of packages) {
    await symlink(path.join(MODULES, one), path.join(project, "node_modules", one));
  }
  return project;
}

/** A visitor's: frameworks send pages to what looks like a robot in one piece. */
const USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";

/** What the fixtures that greet say. */
const GREETING = "good morning";

/** Gives an app the value that it shows. @param {object} host @param {string} app */
async function greet(host, app) {
  const folder = await mkdtemp(path.join(tmpdir(), "vitrine-values-"));
  await writeFile(path.join(folder, "values"), `GREETING=${GREETING}\n`);
  await host.vitrine("env", "import", app, path.join(folder, "values"));
  await rm(folder, { recursive: true });
}

/** @param {import("playwright-core").Page} page @param {string} origin @param {Fixture} fixture */
async function inBrowser(page, origin, fixture) {
  const complaints = complaintsOf(page);
  let documents = 0;
  page.on("request", (request) => {
    documents += request.isNavigationRequest() ? 1 : 0;
  });

  const home = await page.goto(`${origin}/`);
  assert.equal(home.status(), 200);
  assert.equal(home.headers()["x-vitrine-release"], `${fixture.name}@v1`);
  assert.match(await home.text(), /<h1\b[^>]*>Notes<\/h1>/, "the page is in the document, not made by scripts");
  if (fixture.greets) {
    assert.equal(await page.locator("#greeting").innerText(), GREETING);
  }
  await page.waitForSelector('html[data-hydrated="true"]');

  await page.click("#count");
  await page.click("#count");
  await page.locator("#count", { hasText: /^2$/ }).waitFor();

  await page.click("text=Tea");
  await page.getByRole("heading", { name: "Tea" }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/notes/tea");
  assert.equal(documents, fixture.routesOnClient ? 1 : 2);
  await page.click("text=Back");
  await page.getByRole("heading", { name: "Notes" }).waitFor();
  await page.waitForSelector('html[data-hydrated="true"]');

  await page.fill('input[name="text"]', "a < b");
  await page.click("text=Say it");
  const said = page.locator("output");
  await said.waitFor();
  assert.equal(await said.innerText(), fixture.answer ?? "a < b");
  if (fixture.remembers) {
    assert.match(await (await page.goto(`${origin}/`)).text(), /<output\b[^>]*>(?:<!--.*?-->)*a &lt; b/);
    await page.waitForSelector('html[data-hydrated="true"]');
  }

  if (!fixture.inOnePiece) {
    await streams(page, origin);
  }
  const isHarmless = (complaint) => fixture.abandons?.test(complaint) || READ_TO_ITS_END.test(complaint);
  assert.deepEqual(complaints.filter((complaint) => !isHarmless(complaint)), []);

  const missing = await page.goto(`${origin}/notes/nothing`);
  assert.equal(missing.status(), 404);
  await page.getByText(fixture.missing).first().waitFor();

  const about = await page.goto(`${origin}/about.txt`);
  assert.equal(await about.text(), "Notes of the fixture.\n");
  for (const address of fixture.prerendered === undefined ? [] : ["/about", "/about/"]) {
    assert.equal((await page.goto(origin + address)).status(), 200);
    assert.equal(await page.locator("h1").innerText(), fixture.prerendered);
  }

  const api = await page.goto(`${origin}/api/notes`);
  assert.match(api.headers()["content-type"], /application\/json/);
  assert.deepEqual((await api.json()).map(({ slug }) => slug), ["rust", "tea"]);
}

/** An error of its own is answered with its own page. @param {URL} edge @param {Fixture} fixture */
async function breaks(edge, { name, broken }) {
  if (broken === undefined) {
    return;
  }
  const { status, text } = await ask(edge, name, "/broken", { headers: { "user-agent": USER_AGENT, accept: "text/html" } });
  assert.equal(status, 500);
  assert.match(text, broken);
}

/** A page goes on while its release is replaced; who comes then gets the new one, and after a rollback the old one. */
async function outlives(visit, origin, { name, routesOnClient }, { deploy, rollback }) {
  const answeredBy = async (page) => (await page.goto(`${origin}/`)).headers()["x-vitrine-release"];
  const page = await visit();
  assert.equal(await answeredBy(page), `${name}@v1`);
  await page.waitForSelector('html[data-hydrated="true"]');
  await deploy("v2");
  const api = await page.evaluate(async () => (await fetch("/api/notes")).headers.get("x-vitrine-release"));
  assert.equal(api, `${name}@v1`, "a request of an old page");
  await page.evaluate(() => {
    globalThis.isSame = true;
  });
  await page.click("text=Tea");
  await page.getByRole("heading", { name: "Tea" }).waitFor();
  assert.equal(await page.evaluate(() => globalThis.isSame === true), routesOnClient === true);
  assert.equal(await answeredBy(await visit()), `${name}@v2`);
  await rollback();
  assert.equal(await answeredBy(await visit()), `${name}@v1`);
}

/** Chromium may call a stream that a script has read to its end aborted, whatever server it came from. */
const READ_TO_ITS_END = /^failed: \S+\/slow net::ERR_ABORTED$/;

/** The beginning of the page is there before its end. @param {import("playwright-core").Page} page @param {string} origin */
async function streams(page, origin) {
  await page.goto(`${origin}/`);
  const pieces = await page.evaluate(async () => {
    const response = await fetch("/slow");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const texts = [];
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      texts.push(piece.value);
    }
    return texts;
  });
  assert.match(pieces[0], /First/);
  assert.doesNotMatch(pieces[0], /Late, but here/);
  assert.match(pieces.join(""), /Late, but here/);

  await page.goto(`${origin}/slow`);
  await page.waitForSelector("#late");
  assert.equal(await page.locator("#late").innerText(), "Late, but here");
}
