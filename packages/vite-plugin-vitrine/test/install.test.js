import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const PLUGIN = fileURLToPath(new URL("../", import.meta.url));
const QUIET = ["--offline", "--no-audit", "--no-fund"];

test("`make plugin` packs it, one line installs that, and the app builds", async (t) => {
  const root = await realpath(await mkdtemp(path.join(tmpdir(), "vitrine-install-")));
  t.after(() => rm(root, { recursive: true }));
  await run("make", ["-s", "plugin", `PLUGIN_DIR=${root}`], { cwd: path.join(PLUGIN, "../..") });
  const packed = (await readdir(root)).find((name) => /^vite-plugin-vitrine-\d+\.\d+\.\d+\.tgz$/.test(name));
  assert.ok(packed, "the file has the documented name");

  // As `npm create vite` leaves a project; Vite itself is a link, so that nothing has to be fetched.
  const vite = `file:${path.dirname(createRequire(import.meta.url).resolve("vite/package.json"))}`;
  const manifest = { name: "app", private: true, type: "module", scripts: { build: "vite build" }, devDependencies: { vite } };
  await writeFile(path.join(root, "package.json"), JSON.stringify(manifest));
  await run("npm", ["install", ...QUIET], { cwd: root });
  await run("npm", ["i", "-D", `./${packed}`, ...QUIET], { cwd: root });

  await mkdir(path.join(root, "src"));
  const files = {
    "vite.config.js": 'import vitrine from "vite-plugin-vitrine";\nexport default { plugins: [vitrine({ server: "src/server.js", client: "src/client.js" })] };',
    "src/server.js": 'import { scripts } from "virtual:vitrine/client-manifest";\nexport default { fetch: () => new Response(scripts.join()) };',
    "src/client.js": "document.title = 'taken over';",
  };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(path.join(root, name), text);
  }
  await run("npm", ["run", "build"], { cwd: root });
  assert.deepEqual((await readdir(path.join(root, "dist"))).sort(), ["client", "server", "vitrine.json"]);
  assert.match(await readFile(path.join(root, "dist/server/index.js"), "utf8"), /\/assets\/client-[\w-]+\.js/);
});
