// Pages that are compressed while they stream, in a real browser: each boundary shows as soon as the app has sent it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";

import { complaintsOf, launchBrowser } from "./browser.js";
import { ROOT, startHost } from "./host.js";

/** The browser's own choice, and each coding by itself. */
const ACCEPTED = [undefined, "zstd", "br", "gzip"];
const PARTS = ["one", "two", "three"];

/** Builds the server of `boundaries/` with the example's Vite and React. @param {string} folder */
async function buildBoundaries(folder) {
  const { resolve } = createRequire(path.join(ROOT, "examples/catalog/package.json"));
  const { build } = await import(pathToFileURL(path.join(path.dirname(resolve("vite/package.json")), "dist/node/index.js")));
  const alias = Object.fromEntries(["react-dom", "react"].map((name) => [name, path.dirname(resolve(`${name}/package.json`))]));
  await build({
    root: path.join(ROOT, "tests/browser/boundaries"),
    configFile: false,
    logLevel: "warn",
    resolve: { alias },
    ssr: { noExternal: true, target: "webworker" },
    build: { ssr: "server.js", outDir: path.join(folder, "server"), emptyOutDir: true, rollupOptions: { output: { entryFileNames: "index.js" } } },
  });
  // All visits are to meet in one isolate.
  await writeFile(path.join(folder, "vitrine.json"), JSON.stringify({ limits: { isolates: 1 } }));
}

describe("compressed pages in a browser", { timeout: 300_000 }, () => {
  /** @type {(() => Promise<unknown>)[]} */
  const cleanups = [];
  let browser, host;

  before(async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "vitrine-boundaries-"));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    await mkdir(path.join(folder, "server"), { recursive: true });
    await buildBoundaries(folder);
    host = await startHost({});
    cleanups.push(host.stop);
    await host.vitrine("deploy", "boundaries", folder, "--version", "v1");
    browser = await launchBrowser();
    cleanups.push(() => browser.close());
  });

  after(async () => {
    for (const cleanup of cleanups.reverse()) {
      await cleanup();
    }
  });

  for (const [visit, accepted] of ACCEPTED.entries()) {
    test(`shows boundary by boundary with ${accepted ?? "what it prefers"}`, async (t) => {
      const extraHTTPHeaders = accepted && { "accept-encoding": accepted };
      const context = await browser.newContext({ extraHTTPHeaders });
      t.after(() => context.close());
      const page = await context.newPage();
      const complaints = complaintsOf(page);
      const url = `http://boundaries.localhost:${host.edge.port}/?visit=${visit}`;
      const response = await page.goto(url, { waitUntil: "commit" });
      const coding = (await response.allHeaders())["content-encoding"];
      assert.ok(accepted ? coding === accepted : ACCEPTED.includes(coding) && coding, `it is sent as ${coding}`);
      await page.getByText("Shell").waitFor();
      for (const [index, part] of PARTS.entries()) {
        await page.getByText(`waits for ${part}`).waitFor();
        assert.deepEqual(await page.locator(".part:visible").allInnerTexts(), PARTS.slice(0, index).map((name) => `part ${name}`));
        await go(visit, part);
        await page.getByText(`part ${part}`).waitFor({ state: "visible" });
      }
      await page.waitForLoadState("load");
      assert.deepEqual(complaints, []);
    });
  }

  /** Lets a boundary go. */
  async function go(visit, part) {
    const { hostname, port } = host.edge;
    const options = { host: hostname, port, path: `/go?visit=${visit}&part=${part}`, headers: { host: "boundaries.localhost" } };
    const [response] = await once(get(options), "response");
    response.resume();
    assert.equal(response.statusCode, 204);
  }
});
