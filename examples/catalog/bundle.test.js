// What `npm run build` leaves behind, held against the contract of a bundle.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { SourceMap } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const ORIGIN = "http://127.0.0.1:4999";
const outDir = mkdtempSync(path.join(tmpdir(), "catalog-bundle-"));
const read = (...names) => readFileSync(path.join(outDir, ...names), "utf8");

before(() => {
  const build = fileURLToPath(new URL("build.mjs", import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [build, "--out-dir", outDir], {
    encoding: "utf8",
    env: { ...process.env, REVIEWS_ORIGIN: ORIGIN },
  });
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stderr, /isolates do not have/);
});

after(() => rmSync(outDir, { recursive: true, force: true }));

for (const version of ["v1", "v2"]) {
  test(`${version} is a bundle and nothing else`, () => {
    assert.deepEqual(readdirSync(path.join(outDir, version)).sort(), ["client", "server", "vitrine.json"]);
    assert.deepEqual(readdirSync(path.join(outDir, version, "server")).sort(), ["index.js", "index.js.map"]);
    const { entry, assets, shell, egress, env } = JSON.parse(read(version, "vitrine.json"));
    assert.deepEqual(
      { entry, assets, shell, egress, env },
      { entry: "server/index.js", assets: "client", shell: "index.html", egress: [ORIGIN], env: ["REVIEWS_URL"] },
    );
  });

  test(`${version} names its client files in the server code`, () => {
    const manifest = JSON.parse(read(version, "client/.vite/manifest.json"));
    const { file } = manifest["src/entry-client.jsx"];
    assert.match(file, /^assets\/client-[\w-]{8}\.js$/);
    assert.ok(read(version, "server/index.js").includes(`"/${file}"`));
    assert.match(read(version, "client/index.html"), /<link rel="stylesheet"[^>]* href="\/assets\/styles-[\w-]{8}\.css">/);
  });

  test(`${version} needs nothing that an isolate does not have`, () => {
    const code = read(version, "server/index.js");
    const imported = [...code.matchAll(/^import (?:.* from )?"([^"]+)";$/gm)].map(([, name]) => name);
    assert.deepEqual(imported.sort(), ["node:stream", "node:util"]);
    const foreign = /\brequire\(|\bcreateRequire\b|\bBuffer\.|\bBun\.|process\.env|\bimport\(/;
    const statements = code.split("\n").filter((text) => !/^\s*\/?\*/.test(text));
    assert.deepEqual(
      statements.filter((text) => foreign.test(text)),
      [],
    );
    assert.match(code, /type: "direct"/, "react-dom's direct stream is in use");
    assert.doesNotMatch(code, /react-dom-server\.edge|react-dom-server\.node/);
  });

  test(`${version} has a source map that leads to the sources`, () => {
    const lines = read(version, "server/index.js").split("\n");
    const line = lines.findIndex((text) => text.includes("throw new Error(message)"));
    const map = new SourceMap(JSON.parse(read(version, "server/index.js.map")));
    const { originalSource, originalLine } = map.findEntry(line, lines[line].indexOf("throw"));
    assert.match(originalSource, /src\/pages\/BoomPage\.jsx$/);
    const source = readFileSync(new URL("src/pages/BoomPage.jsx", import.meta.url), "utf8").split("\n");
    assert.match(source[originalLine], /throw new Error\(message\)/);
  });
}

test("the two versions differ in what people see and in what browsers load", () => {
  const chosen = (version) => /^\}\[(?:"(\d)"|(\d))\];$/m.exec(read(version, "server/index.js"))?.slice(1).find(Boolean);
  assert.deepEqual([chosen("v1"), chosen("v2")], ["1", "2"]);
  const script = (version) => JSON.parse(read(version, "client/.vite/manifest.json"))["src/entry-client.jsx"].file;
  assert.notEqual(script("v1"), script("v2"));
});

test("an unknown version is refused", () => {
  const build = fileURLToPath(new URL("build.mjs", import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [build, "--version", "3"], { encoding: "utf8" });
  assert.equal(status, 2);
  assert.match(stderr, /no version 3/);
});
