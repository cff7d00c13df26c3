import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { createBuilder } from "vite";

import vitrine from "../src/index.js";
import { shellPage } from "../src/shell.js";

const root = mkdtempSync(path.join(tmpdir(), "vitrine-shell-"));
after(() => rmSync(root, { recursive: true }));

/** @param {string} name @param {string} text */
function write(name, text) {
  mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
  writeFileSync(path.join(root, name), text);
}

write("index.html", "<!doctype html><title>down</title>");
write("pages/down.html", "<!doctype html><title>pages</title>");
write("template.html", "<div id=app><!-- app-html --></div>");
write("server.js", "export default { fetch: () => new Response('page') };");
write("client.js", "document.title = 'app';");

test("a page is the shell only if the app says so", () => {
  assert.equal(shellPage(root, undefined), undefined);
  assert.equal(shellPage(root, false), undefined);
  assert.equal(shellPage(root, true), "index.html");
  assert.equal(shellPage(root, "pages/down.html"), "pages/down.html");
});

for (const [option, complaint] of /** @type {[unknown, RegExp][]} */ ([
  [1, /must be true or an HTML file.*not 1/],
  ["app.js", /must be true or an HTML file/],
  ["../index.html", /must be true or an HTML file/],
  ["gone.html", /gone\.html, which can't be read/],
  ["template.html", /template \(it has <!-- app-html -->\)/],
])) {
  test(`refuses ${JSON.stringify(option)}`, () => {
    assert.throws(() => shellPage(root, option), { name: "TypeError", message: complaint });
  });
}

for (const [shell, named] of /** @type {[boolean | string | undefined, string | undefined][]} */ ([
  [undefined, undefined],
  [true, "index.html"],
  ["pages/down.html", "pages/down.html"],
])) {
  test(`a build with shell ${shell} has that page and names it`, async () => {
    const options = { server: "server.js", client: "client.js", shell };
    const builder = await createBuilder({ root, configFile: false, logLevel: "silent", plugins: [vitrine(options)] });
    await builder.buildApp();
    assert.equal(JSON.parse(readFileSync(path.join(root, "dist/vitrine.json"), "utf8")).shell, named);
    const built = () => readFileSync(path.join(root, "dist/client", named ?? "index.html"), "utf8");
    if (named === undefined) {
      assert.throws(built, { code: "ENOENT" });
    } else {
      assert.match(built(), /<title>/);
    }
  });
}
