// The catalogue under `vite dev` in a real browser: rendered by its server entry, taken over by its client, changed while it is open.
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";

import { complaintsOf, hydrated, launchBrowser } from "./browser.js";
import { ROOT } from "./host.js";

const CATALOG = path.join(ROOT, "examples/catalog");

describe("the catalogue in `vite dev`", { timeout: 120_000 }, () => {
  /** @type {(() => Promise<unknown>)[]} */
  const cleanups = [];
  let browser, origin, project;

  before(async () => {
    project = await realpath(await mkdtemp(path.join(tmpdir(), "vitrine-dev-")));
    cleanups.push(() => rm(project, { recursive: true, force: true, maxRetries: 20 }));
    for (const name of ["index.html", "package.json", "public", "src", "vite.config.js"]) {
      await cp(path.join(CATALOG, name), path.join(project, name), { recursive: true });
    }
    await symlink(path.join(CATALOG, "node_modules"), path.join(project, "node_modules"));
    const { createServer } = await import(pathToFileURL(path.join(CATALOG, "node_modules/vite/dist/node/index.js")).href);
    const server = await createServer({
      root: project,
      configFile: path.join(project, "vite.config.js"),
      cacheDir: path.join(project, ".cache"),
      logLevel: "silent",
      // The packages lie in another folder, which a browser may read only if that is said.
      server: { host: "127.0.0.1", port: 0, fs: { allow: [project, CATALOG] } },
    });
    cleanups.push(() => server.close());
    await server.listen();
    origin = server.resolvedUrls.local[0];
    browser = await launchBrowser();
    cleanups.push(() => browser.close());
  });

  after(async () => {
    for (const cleanup of cleanups.reverse()) {
      await cleanup();
    }
  });

  test("a page has its looks and is taken over without a complaint", async (t) => {
    const page = await browser.newPage();
    t.after(() => page.close());
    const complaints = complaintsOf(page);
    const response = await page.goto(origin);
    assert.equal(response.status(), 200);
    await hydrated(page);
    assert.equal(await page.locator("article.card").count(), 60);
    assert.notEqual(await page.locator(".bar").evaluate((bar) => getComputedStyle(bar).display), "block");
    assert.deepEqual(complaints, []);

    // A change of a component is swapped in: what the page keeps stays.
    await page.evaluate(() => (globalThis.kept = true));
    const file = path.join(project, "src/pages/ListPage.jsx");
    const source = await readFile(file, "utf8");
    await writeFile(file, source.replace("<h1>", "<h1>Changed: "));
    await page.waitForFunction(() => document.querySelector("h1").textContent.startsWith("Changed: "));
    assert.equal(await page.evaluate(() => globalThis.kept), true, "without a reload");
  });

  test("a page that throws shows Vite's overlay", async (t) => {
    const page = await browser.newPage();
    t.after(() => page.close());
    const response = await page.goto(new URL("/boom", origin).href);
    assert.equal(response.status(), 500);
    await page.waitForSelector("vite-error-overlay");
    assert.match(await page.locator("vite-error-overlay .message").innerText(), /fails on purpose/);
  });
});
