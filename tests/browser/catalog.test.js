// The catalogue in a real browser on a real host. The tests of this file share one host and run in order: the last ones
// switch its live release.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { complaintsOf, hydrated, launchBrowser } from "./browser.js";
import { buildCatalog, startHost } from "./host.js";
import { startReviews } from "./reviews.js";

const COURSE = "/courses/web-performance";
const HEADING = { v1: "Learn something well", v2: "What will you make next?" };

describe("the catalogue in a browser", { timeout: 300_000 }, () => {
  /** @type {(() => Promise<unknown>)[]} */
  const cleanups = [];
  let browser, bundles, host, origin, reviews;

  before(async () => {
    reviews = await startReviews();
    cleanups.push(reviews.stop);
    const outDir = await mkdtemp(path.join(tmpdir(), "vitrine-catalog-"));
    cleanups.push(() => rm(outDir, { recursive: true, force: true }));
    bundles = await buildCatalog(reviews.origin, outDir);
    host = await startHost({ allowPrivate: [new URL(reviews.origin).host] });
    cleanups.push(host.stop);
    const [url] = (await host.vitrine("deploy", "catalog", bundles.v1, "--version", "v1")).split("\n");
    assert.match(url, /^http:\/\/catalog-v1\./, "the first line that deploy prints is the release's own URL");
    origin = `http://catalog.localhost:${host.edge.port}`;
    browser = await launchBrowser();
    cleanups.push(() => browser.close());
  });

  after(async () => {
    for (const cleanup of cleanups.reverse()) {
      await cleanup();
    }
  });

  /** A page of a visitor of its own; `check` fails the test if the page complained about anything. */
  async function visit(t, options) {
    const context = await browser.newContext(options);
    t.after(() => context.close());
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    return { page, check: () => assert.deepEqual(complaints, []) };
  }

  test("is readable and usable without scripts", async (t) => {
    const { page } = await visit(t, { javaScriptEnabled: false });
    const response = await page.goto(`${origin}/`);
    assert.equal(response.status(), 200);
    assert.equal(response.headers()["x-vitrine-release"], "catalog@v1");
    assert.equal(await page.locator("h1").innerText(), HEADING.v1);
    assert.equal(await page.locator("article.card").count(), 60);

    await page.fill('input[name="q"]', "rust ownership");
    await page.click(".search button");
    assert.equal(new URL(page.url()).search, "?q=rust+ownership");
    assert.equal(await page.locator("article.card").count(), 1);

    await page.click("article.card h3 a");
    assert.equal(await page.locator("h1").innerText(), "Rust for Web People");
    await page.fill('input[name="email"]', "ada@example.org");
    await page.click(".enrol .primary");
    assert.match(page.url(), /\?enrolled=1$/);
    assert.match(await page.locator('[role="status"]').innerText(), /You are in/);

    await page.click(".theme button");
    assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  });

  test("hydrates without a complaint and reacts to clicks", async (t) => {
    const { page, check } = await visit(t);
    await page.goto(`${origin}${COURSE}`);
    await hydrated(page);
    assert.equal(await page.locator(".price").innerText(), "€ 129");
    await page.click('[aria-label="One seat more"]');
    await page.click('[aria-label="One seat more"]');
    assert.equal(await page.locator(".seats output").innerText(), "3");
    assert.equal(await page.locator(".price").innerText(), "€ 387");

    const heart = page.locator(".favourite").first();
    await heart.click();
    assert.equal(await heart.getAttribute("aria-pressed"), "true");
    await page.reload();
    await page.locator('.favourite[aria-pressed="true"]').first().waitFor();
    check();
  });

  test("shows the page first and streams the reviews into it", async (t) => {
    const { page, check } = await visit(t);
    const release = reviews.hold();
    t.after(release);
    await page.goto(`${origin}${COURSE}`, { waitUntil: "commit" });
    await page.getByText("Asking our learners…").waitFor();
    assert.equal(await page.locator("h1").innerText(), "Web Performance");
    assert.equal(await page.locator("figure.review").count(), 0);

    release();
    await page.locator("figure.review").first().waitFor({ state: "visible" });
    assert.ok((await page.locator("figure.review:visible").count()) >= 3);
    assert.equal(await page.getByText("Asking our learners…").count(), 0);
    await hydrated(page);
    check();
  });

  test("answers 404 with a page of its own, and redirects", async (t) => {
    const { page } = await visit(t);
    const missing = await page.goto(`${origin}/courses/no-such-course`);
    assert.equal(missing.status(), 404);
    assert.equal(await page.locator("h1").innerText(), "Nothing here");

    await page.goto(`${origin}/course/git-without-fear`);
    assert.equal(new URL(page.url()).pathname, "/courses/git-without-fear");
    await page.goto(`${origin}/`);
    assert.equal(await page.locator(".last-seen a").innerText(), "Git Without Fear");
  });

  test("sends the shell when a page fails, and goes on serving", async (t) => {
    const { page } = await visit(t);
    const failed = await page.goto(`${origin}/boom`);
    assert.equal(failed.status(), 500);
    assert.equal(failed.headers()["x-vitrine-outcome"], "app_error");
    assert.match(await page.locator("h1").innerText(), /can’t show this page/);
    await page.click("a.primary");
    assert.equal(await page.locator("h1").innerText(), HEADING.v1);
    assert.match(await host.vitrine("logs", "catalog"), /BoomPage\.jsx/, "the log has the source-mapped stack");
  });

  test("keeps an open page alive over a flip, and rolls back", async (t) => {
    const { page, check } = await visit(t);
    await page.goto(`${origin}${COURSE}`);
    await hydrated(page);
    const oldScript = await page.locator('script[type="module"][src]').getAttribute("src");

    await host.vitrine("deploy", "catalog", bundles.v2, "--version", "v2");

    await page.click('[aria-label="One seat more"]');
    assert.equal(await page.locator(".price").innerText(), "€ 258");
    const asset = await page.evaluate(async (url) => {
      const response = await fetch(url, { cache: "no-store" });
      return { status: response.status, length: (await response.text()).length };
    }, oldScript);
    assert.equal(asset.status, 200, "scripts of the earlier release still load");
    assert.ok(asset.length > 0);

    await page.click(".brand");
    await hydrated(page);
    assert.equal(await page.locator("h1").innerText(), HEADING.v2);
    assert.equal(await page.locator("html").getAttribute("data-edition"), "2");
    assert.notEqual(await page.locator('script[type="module"][src]').getAttribute("src"), oldScript);
    await page.locator(".favourite").first().click();
    assert.equal(await page.locator(".favourite").first().getAttribute("aria-pressed"), "true");

    await host.vitrine("rollback", "catalog");
    const back = await page.reload();
    assert.equal(back.headers()["x-vitrine-release"], "catalog@v1");
    await hydrated(page);
    assert.equal(await page.locator("h1").innerText(), HEADING.v1);
    assert.equal(await page.locator(".favourite").first().getAttribute("aria-pressed"), "true");
    check();
  });
});
