// A browser that was there before loads the next release's script as what changed in it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { complaintsOf, launchBrowser } from "./browser.js";
import { startHost } from "./host.js";

const LINES = Array.from({ length: 2000 }, (_, at) => `export const v${at} = "${createHash("sha256").update(`${at}`).digest("hex")}";`).join("\n");
const PATIENCE_MS = 30_000;

const scriptOf = (version) => `${LINES}\ndocument.documentElement.dataset.version = "${version}";\n`;
const nameOf = (version) => `/assets/app-${version}2c3d4e.js`;

/** A page with one script, as a build leaves it. */
async function build(folder, version) {
  await mkdir(path.join(folder, "client/assets"), { recursive: true });
  await mkdir(path.join(folder, "server"), { recursive: true });
  const page = `<!doctype html><title>page</title><link rel="icon" href="data:,"><script type="module" src="${nameOf(version)}"></script>`;
  await writeFile(
    path.join(folder, "server/index.js"),
    `export default { fetch: () => new Response(${JSON.stringify(page)}, { headers: { "content-type": "text/html" } }) };`,
  );
  await writeFile(path.join(folder, `client${nameOf(version)}`), scriptOf(version));
}

describe("deltas in a browser", { timeout: 300_000 }, () => {
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

  async function deploy(version) {
    const folder = await mkdtemp(path.join(tmpdir(), "vitrine-deltas-"));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    await build(folder, version);
    await host.vitrine("deploy", "shop", folder, "--version", version);
  }

  /** Waits until the host has made the delta. */
  async function made(version, earlier) {
    const hash = createHash("sha256").update(scriptOf(earlier)).digest("base64");
    const headers = { host: `shop.localhost:${host.edge.port}`, "accept-encoding": "br, dcz", "available-dictionary": `:${hash}:` };
    const codingOf = () =>
      new Promise((resolve, reject) => {
        const options = { host: host.edge.hostname, port: host.edge.port, path: nameOf(version), headers };
        get(options, (answer) => resolve(answer.resume().headers["content-encoding"])).once("error", reject);
      });
    for (const end = Date.now() + PATIENCE_MS; (await codingOf()) !== "dcz"; ) {
      assert.ok(Date.now() < end, "the delta is not made");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  test("v2 after v1 is a few bytes, and runs; a first visit gets the whole", async (t) => {
    const url = `http://shop.localhost:${host.edge.port}/`;
    const load = async (page, version) => {
      await page.goto(url);
      await page.waitForSelector(`html[data-version="${version}"]`);
      const entry = await page.evaluate((name) => {
        const { encodedBodySize, decodedBodySize } = performance.getEntriesByName(new URL(name, location.href).href)[0];
        return { encodedBodySize, decodedBodySize };
      }, nameOf(version));
      assert.equal(entry.decodedBodySize, scriptOf(version).length);
      return entry.encodedBodySize;
    };
    const context = await browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    await deploy("v1");
    const whole = await load(page, "v1");
    assert.ok(whole > 50_000, `${whole} bytes`);
    await deploy("v2");
    await made("v2", "v1");
    const delta = await load(page, "v2");
    assert.ok(delta < 1000, `${delta} bytes`);

    const other = await browser.newContext();
    t.after(() => other.close());
    const first = await load(await other.newPage(), "v2");
    assert.ok(first > 50_000, `${first} bytes`);
    assert.deepEqual(complaints, []);
  });
});
