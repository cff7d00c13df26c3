// What frameworks' own tools built, deployed as it is and used in a real browser. The tests share one host; each has an app of
// its own, so they do not meet.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { CHROMIUM, complaintsOf, launchBrowser } from "../browser/browser.js";
import { ROOT, startHost } from "../browser/host.js";

const APPS = path.join(ROOT, "tests/frameworks/apps");
const skip = existsSync(CHROMIUM) ? false : `no browser at ${CHROMIUM}; CHROMIUM names another`;

/**
 * What the builds have in common: a page with links, a counter and a form, a page a note, a page that streams, an API.
 *
 * @typedef {object} Fixture
 * @property {string} name Folder below apps/, and name of the app.
 * @property {string} found What `deploy --dry-run` says it is.
 * @property {boolean} [routesOnClient] Links are followed without a new document.
 * @property {string} [said] Where the form's answer appears.
 * @property {string} [answer] What it answers to "a < b".
 * @property {string} missing What an unknown page shows.
 * @property {string} [prerendered] Heading of /about, if that page was made at build time.
 */

/** @type {Fixture[]} */
const FIXTURES = [
  { name: "hono", found: "hono", said: "main p", missing: "No such note" },
  { name: "nitro", found: "nitro", said: "output", missing: "no such note" },
  { name: "react-router", found: "react-router", routesOnClient: true, said: "output", missing: "404: no such note" },
  {
    name: "tanstack-start",
    found: "tanstack-start",
    routesOnClient: true,
    said: "output",
    answer: "a < b (from a request)",
    missing: "404: no such note",
  },
  { name: "astro", found: "astro", said: "output", missing: "404: no such note", prerendered: "About" },
];

describe("frameworks' own builds", { skip, timeout: 300_000 }, () => {
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
    test(fixture.name, async (t) => {
      const folder = path.join(APPS, fixture.name);
      const dryRun = JSON.parse(await host.vitrine("deploy", fixture.name, folder, "--dry-run", "--json"));
      assert.equal(dryRun.found, fixture.found);
      await host.vitrine("deploy", fixture.name, folder, "--version", "v1");
      const origin = `http://${fixture.name}.localhost:${host.edge.port}`;
      const context = await browser.newContext({ userAgent: USER_AGENT });
      t.after(() => context.close());
      await inBrowser(context, origin, fixture);
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

  test("a project without a bundler, and one without its packages", async (t) => {
    const bare = await copyOf("react-router", []);
    t.after(() => rm(bare, { recursive: true }));
    await assert.rejects(host.vitrine("deploy", "bare", bare, "--dry-run"), /no bundler was found.*npm ci/s);
    const incomplete = await copyOf("react-router", ["rolldown", "react-router"]);
    t.after(() => rm(incomplete, { recursive: true }));
    await assert.rejects(host.vitrine("deploy", "bare", incomplete, "--dry-run"), /Could not resolve 'isbot' in build\/server\/index\.js; .*npm ci/);
  });

  test("nothing of a project is written to, and its bundle is the same whenever it is made", async (t) => {
    const packages = await readdir(path.join(ROOT, "tests/frameworks/node_modules"));
    const project = await copyOf("react-router", packages.filter((name) => !name.startsWith(".")));
    t.after(() => rm(project, { recursive: true }));
    const before = await readdir(project, { recursive: true });
    const digest = async (folder) => JSON.parse(await host.vitrine("deploy", "same", folder, "--dry-run", "--json")).digest;
    assert.equal(await digest(path.join(project, "build")), await digest(project));
    assert.deepEqual(await readdir(project, { recursive: true }), before);
  });
});

/** The build of a fixture in a folder of its own, with these packages and no others. */
async function copyOf(name, packages) {
  const project = await mkdtemp(path.join(tmpdir(), "vitrine-project-"));
  await cp(path.join(APPS, name, "build"), path.join(project, "build"), { recursive: true });
  await writeFile(path.join(project, "package.json"), "{}");
  await mkdir(path.join(project, "node_modules"));
  for (const one of packages) {
    await symlink(path.join(ROOT, "tests/frameworks/node_modules", one), path.join(project, "node_modules", one));
  }
  return project;
}

/** A visitor's: frameworks send pages to what looks like a robot in one piece. */
const USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";

/** @param {import("playwright-core").BrowserContext} context @param {string} origin @param {Fixture} fixture */
async function inBrowser(context, origin, fixture) {
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  let documents = 0;
  page.on("request", (request) => {
    documents += request.isNavigationRequest() ? 1 : 0;
  });

  const home = await page.goto(`${origin}/`);
  assert.equal(home.status(), 200);
  assert.equal(home.headers()["x-vitrine-release"], `${fixture.name}@v1`);
  assert.match(await home.text(), /<h1>Notes<\/h1>/, "the page is in the document, not made by scripts");
  await page.waitForSelector('html[data-hydrated="true"]');

  await page.click("#count");
  await page.click("#count");
  assert.equal(await page.locator("#count").innerText(), "2");

  await page.click("text=Tea");
  await page.getByRole("heading", { name: "Tea" }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/notes/tea");
  assert.equal(documents, fixture.routesOnClient ? 1 : 2);
  await page.click("text=Back");
  await page.getByRole("heading", { name: "Notes" }).waitFor();
  await page.waitForSelector('html[data-hydrated="true"]');

  await page.fill('input[name="text"]', "a < b");
  await page.click("text=Say it");
  const said = page.locator(fixture.said);
  await said.waitFor();
  assert.equal(await said.innerText(), fixture.answer ?? "a < b");

  await streams(page, origin);
  assert.deepEqual(complaints, []);

  const missing = await page.goto(`${origin}/notes/nothing`);
  assert.equal(missing.status(), 404);
  assert.match(await page.locator("body").innerText(), new RegExp(fixture.missing));

  const text = await page.goto(`${origin}/about.txt`);
  assert.equal(await text.text(), "Notes of the fixture.\n");
  for (const about of fixture.prerendered === undefined ? [] : ["/about", "/about/"]) {
    assert.equal((await page.goto(origin + about)).status(), 200);
    assert.equal(await page.locator("h1").innerText(), fixture.prerendered);
  }

  const api = await page.goto(`${origin}/api/notes`);
  assert.match(api.headers()["content-type"], /application\/json/);
  assert.deepEqual((await api.json()).map(({ slug }) => slug), ["rust", "tea"]);
}

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
