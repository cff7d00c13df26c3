// How a server build is bundled by the script that `vitrine deploy` gives to Node.js, under each bundler that it knows.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { SourceMap, createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ADAPTERS = path.join(ROOT, "packages/adapters");

/** A package with another file for each way to ask for it, and one with a file for Node.js. */
const PACKAGES = {
  "dual/package.json": `{"exports":{".":{"import":"./esm.mjs","require":"./cjs.cjs"},"./sub":{"require":"./sub.cjs","default":"./sub.mjs"}}}`,
  "dual/esm.mjs": "export const kind = 'esm'; export default { kind };",
  "dual/cjs.cjs": "module.exports = () => 'cjs';",
  "dual/sub.mjs": "export default 'esm';",
  "dual/sub.cjs": "module.exports = 'cjs';",
  "asks/package.json": `{"main":"index.js"}`,
  "asks/index.js": "module.exports = { kind: typeof require('dual') === 'function' ? require('dual')() : 'esm', sub: require('dual/sub') };",
  "placed/package.json": `{"exports":{"browser":"./browser.js","node":"./node.js","default":"./default.js"},"type":"module"}`,
  "placed/browser.js": "export default 'browser';",
  "placed/node.js": "export default 'node';",
  "placed/default.js": "export default 'default';",
};
const SERVER = `import { kind } from "dual"; import sub from "dual/sub"; import asked from "asks"; import placed from "placed";
  export default { fetch: () => Response.json({ imported: [kind, sub], required: [asked.kind, asked.sub], placed }) };`;

/** Packages with native add-ons: one with another way, one with a loader, one that asks for the file, and one that is known by name. */
const NATIVE = {
  "optional/index.js": "let fast; try { fast = require('./fast.node'); } catch {} module.exports = fast ? 'with' : 'without';",
  "optional/fast.node": "",
  "loaded/index.js": "module.exports = () => require('node-gyp-build')(__dirname);",
  "direct/index.js": "module.exports = () => require('./direct.node');",
  "direct/direct.node": "",
  "called/package.json": `{"exports":{"./server.node":"./server.js"}}`,
  "called/server.js": "module.exports = 'called';",
  "caller/index.js": "module.exports = require('called/server.node');",
};
const ASKS_NATIVE = `import optional from "optional"; import loaded from "loaded"; import direct from "direct"; import called from "caller";
  const refusal = async (run) => { try { await run(); } catch (error) { return error.message; } };
  export default { fetch: async () => Response.json([optional, called, await refusal(loaded), await refusal(direct), await refusal(() => import("bcrypt"))]) };`;
const NAMED = `import placed from "placed";
  export default { fetch: () => Response.json([...placed, __VUE_OPTIONS_API__, __VUE_PROD_DEVTOOLS__, __VUE_PROD_HYDRATION_MISMATCH_DETAILS__]) };`;

/** A server that tells where it is, and asks a file that is CommonJS. */
const PLACED = `import other from "./lib/other.cjs";
  export default { fetch: () => Response.json([import.meta.url, import.meta.dirname, ...other]) };`;
const OTHER = "module.exports = [__filename, __dirname];";

/** Two packages with a class of the same name, which programs may ask for by it. */
const SAME_NAMES = {
  "one/index.js": "class Answer {} export const one = new Answer();",
  "two/index.js": "class Answer {} export const two = new Answer();",
};
const ASKS_NAMES = `import { one } from "one"; import { two } from "two";
  export default { fetch: () => Response.json([one.constructor.name, two.constructor.name]) };`;

for (const bundler of ["rolldown", "esbuild"]) {
  test(`classes keep their names: ${bundler}`, async (t) => {
    const packages = Object.entries(SAME_NAMES).map(([name, text]) => [`node_modules/${name}`, text]);
    const { answer } = await bundled(t, bundler, { "server.js": ASKS_NAMES, ...Object.fromEntries(packages) });
    assert.deepEqual(answer, ["Answer", "Answer"]);
  });

  test(`a package gives its module to import and its CommonJS file to require: ${bundler}`, async (t) => {
    const packages = Object.entries(PACKAGES).map(([name, text]) => [`node_modules/${name}`, text]);
    const { answer } = await bundled(t, bundler, { "server.js": SERVER, ...Object.fromEntries(packages) });
    assert.deepEqual(answer, { imported: ["esm", "esm"], required: ["cjs", "cjs"], placed: "node" });
  });

  test(`a native add-on is named where it is loaded, a package that can do without goes on, and a script may have such a name: ${bundler}`, async (t) => {
    const packages = Object.entries(NATIVE).map(([name, text]) => [`node_modules/${name}`, text]);
    const { answer } = await bundled(t, bundler, { "server.js": ASKS_NATIVE, ...Object.fromEntries(packages) });
    const refused = (name, instead) => `${name} is a native add-on, which isolates can't load; ${instead}`;
    const inJavaScript = "use a package in JavaScript or WebAssembly";
    assert.deepEqual(answer, ["without", "called", refused("loaded", inJavaScript), refused("direct", inJavaScript), refused("bcrypt", "use bcryptjs, which has the same functions")]);
  });

  test(`CommonJS has a place, and Vue's packages the names that they ask bundlers for: ${bundler}`, async (t) => {
    const files = { "server.js": NAMED, "node_modules/placed/index.js": "#!/usr/bin/env node\nconst place = [__filename, __dirname];\nmodule.exports = place;" };
    const { answer } = await bundled(t, bundler, files);
    assert.deepEqual(answer, ["/server/node_modules/placed/index.js", "/server/node_modules/placed", true, false, false]);
  });

  test(`a server that reads files finds itself where they are, and others where their bundle is: ${bundler}`, async (t) => {
    const files = { "server.js": PLACED, "lib/other.cjs": OTHER };
    const { answer } = await bundled(t, bundler, files, "/server");
    assert.deepEqual(answer, ["file:///server/server.js", "/server", "/server/lib/other.cjs", "/server/lib"]);
    const { answer: own, out } = await bundled(t, bundler, { "server.js": PLACED, "lib/other.cjs": "module.exports = [];" });
    assert.deepEqual(own, [pathToFileURL(out).href, path.dirname(out)]);
  });
}

/** Files of CommonJS, with what only sloppy code may do, and what Node.js gives a program. */
const LEGACY = {
  "package.json": `{"dependencies":{"engine":"1","plain":"1"}}`,
  "server.js": `#!/usr/bin/env node
function implicit() { leaked = 7; return leaked; }
function self() { return this === globalThis; }
function mapped(a) { arguments[0] = 2; return [a, typeof arguments.callee]; }
function twice(a, a) { return a; }
var flag = true, frozen = Object.freeze({ a: 1 });
flag.type = frozen.a = frozen.b = "x";
with ({ inner: 5 }) { var outer = inner; }
function failed(name) { try { return require(name); } catch (error) { return error.code; } }
function thrown(load) { try { return load(); } catch (error) { return error.name; } }
exports.told = [implicit(), self(), mapped(1), twice(1, 2), flag.type === undefined, frozen, 010, outer, this === exports,
  require.main === module, module.parent, module.id, process.argv.length, __filename === process.argv[1], require.resolve("./lib/strict") in require.cache,
  require("./lib/strict"), require("./lib/circle").of, require("dual"), require("old"), failed("./none"), failed("none"), failed("./lib/" + "data.json"),
  thrown(() => require("./lib/cut.json")), thrown(() => require("./lib/comment.json")), thrown(() => require("./lib/empty.json")), Object.keys(require("./lib/proto.json")), require("./lib/proto.json").a ?? null,
  require("express/lib/view.js")("engine"), typeof __dirname];
/** @type {import("only-types").T} */ // and require("comment")
exports.boom = () => { throw new Error("boom"); };
`,
  "lib/strict.js": `"use strict";\nmodule.exports = [(function () { return this === undefined; })(), require.main === module, module.parent === require.main];`,
  "lib/circle.js": `exports.first = 1; exports.of = require("./back");`,
  "lib/back.js": `exports.of = require("./circle").first; exports.data = require("./data.json");`,
  "lib/data.json": `{ "a": 1 }`,
  "lib/cut.json": `{ "a": `,
  "lib/comment.json": "{} // none",
  "lib/empty.json": "",
  "lib/proto.json": `\uFEFF{ "__proto__": { "a": 1 }, "b": "\u2028" }`,
  "node_modules/dual/package.json": `{"exports":{"module-sync":"./sync.mjs","module":"./esm.mjs","require":"./cjs.cjs"}}`,
  "node_modules/dual/esm.mjs": "export default 'esm';",
  "node_modules/dual/sync.mjs": "export { kind as 'module.exports' }; const kind = 'cjs';",
  "node_modules/dual/cjs.cjs": "module.exports = 'cjs';",
  "node_modules/old/package.json": `{"main":"main.js","module":"module.mjs","browser":"browser.js"}`,
  "node_modules/old/main.js": "module.exports = 'main';",
  "node_modules/old/module.mjs": "export default 'module';",
  "node_modules/old/browser.js": "module.exports = 'browser';",
  "node_modules/engine/index.js": "exports.__express = 'engine';",
  "node_modules/plain/index.js": "exports.a = 1;",
  "node_modules/express/lib/view.js": "module.exports = (mod) => require(mod).__express;",
};

test("a server of CommonJS stays as it is, and does what it does in Node.js", async (t) => {
  const { ran, out, project } = await run(t, "rolldown", LEGACY, { place: "/server", adapter: "node_server.js", facts: { environment: {}, entry: "/server/server.js" } });
  assert.equal(ran.status, 0, ran.stderr);
  const { bundler, strict } = JSON.parse(ran.stdout);
  assert.match(bundler, /^node /);
  assert.equal(strict, null);
  const entry = path.join(project, "server.js");
  const asked = spawnSync(process.execPath, ["-e", `process.argv[1] = ${JSON.stringify(entry)}; require("node:module").runMain(); console.log(JSON.stringify(require(process.argv[1]).told))`], { encoding: "utf8" });
  assert.equal(asked.status, 0, asked.stderr);
  const app = path.join(path.dirname(out), "vitrine/app.cjs");
  process.argv[1] = "/server/server.js";
  const { told, boom } = createRequire(app)(app);
  assert.deepEqual(JSON.parse(JSON.stringify(told)), JSON.parse(asked.stdout));
  // Lines lead back to the files.
  let stack = "";
  try { boom(); } catch (error) { stack = error.stack; }
  const [, line, column] = /app\.cjs:(\d+):(\d+)/.exec(stack);
  const map = new SourceMap(JSON.parse(await readFile(`${app}.map`, "utf8")));
  const { originalSource, originalLine } = map.findEntry(Number(line) - 1, Number(column) - 1);
  assert.deepEqual([originalSource, originalLine], ["server.js", 16]);
});

for (const bundler of ["rolldown", "esbuild"]) {
  test(`a require is answered as Node.js does, and a server with a module in it is strict and says so: ${bundler}`, async (t) => {
    const files = {
      ...LEGACY,
      "server.js": `module.exports = [require("dual"), require("old"), require.main === module, require("express/lib/view.js")("engine")]; import("./note.mjs");`,
      "note.mjs": "export default 1;",
      "half.js": `module.exports = [typeof require("half").half, ...require("./server.js")];`,
      "node_modules/half/package.json": `{"exports":{"module-sync":"./sync.mjs","require":"./none.cjs"}}`,
      "node_modules/half/sync.mjs": "export const half = 1;",
    };
    const server = `import told from "./told.js"; export default { fetch: () => Response.json(told) };`;
    const told = files["half.js"].replace("./server.js", "./own.js");
    const { answer } = await bundled(t, bundler, { ...files, "told.js": told, "own.js": files["server.js"], "server.js": server }, "/server");
    assert.deepEqual(answer, ["number", "cjs", "main", false, "engine"]);
    const half = { ...files, "own.js": files["server.js"], "server.js": told };
    const { ran } = await run(t, bundler, half, { place: "/server", adapter: "node_server.js", facts: { environment: {}, entry: "/server/server.js" } });
    assert.equal(ran.status, 0, ran.stderr);
    assert.equal(JSON.parse(ran.stdout).strict, "node_modules/half/sync.mjs is an ES module");
  });
}

/** A sloppy server that imports while it runs: ES modules, of its own and of packages, and CommonJS, which is there once. */
const IMPORTING = {
  "package.json": "{}",
  "server.js": `function sloppy() { return this === globalThis; }
leaked = 1;
exports.told = async () => {
  const note = await import("./lib/note.mjs"), dual = await import('dual'), own = await import("./lib/own.js"), old = await import("old");
  const again = await import("./lib/note.mjs"), data = await import("./lib/data.json", { with: { type: "json" } });
  return [sloppy(), note.default, note.shared === dual.default, note === again, note.url.endsWith("/lib/note.mjs"), dual.kind, own.default === require("./lib/own"), own.a,
    old.default, data.default, (await import("both")).default, require("both"), await import("./lib").catch((error) => error instanceof Error), await import("./none.mjs").catch((error) => error instanceof Error)];
};
/** @type {Array<import("only-types").T>} */
`,
  "lib/note.mjs": `import dual from "dual"; export const shared = dual; export const url = import.meta.url; export default (function () { return this === undefined; })();`,
  "lib/own.js": "exports.a = 1; exports.sloppy = (function () { return this === globalThis; })();",
  "lib/data.json": `{ "a": 1 }`,
  "node_modules/dual/package.json": `{"exports":{"import":"./esm.mjs","require":"./cjs.cjs"}}`,
  "node_modules/dual/esm.mjs": "export default {}; export const kind = 'esm';",
  "node_modules/dual/cjs.cjs": "exports.kind = 'cjs';",
  "node_modules/old/package.json": `{"main":"main.js"}`,
  "node_modules/old/main.js": "module.exports = 'main';",
  "node_modules/both/package.json": `{"exports":{"import":"./imported.cjs","require":"./required.cjs"}}`,
  "node_modules/both/imported.cjs": "module.exports = 'imported';",
  "node_modules/both/required.cjs": "module.exports = 'required';",
};
const TELL = "require('node:module').createRequire(process.argv[1])(process.argv[1]).told().then((told) => console.log(JSON.stringify(told)))";

for (const bundler of ["rolldown", "esbuild"]) {
  test(`a server of CommonJS that imports modules stays as it is: ${bundler}`, async (t) => {
    const settings = { place: "/server", adapter: "node_server.js", facts: { environment: {}, entry: "/server/server.js" } };
    const { ran, out, project } = await run(t, bundler, IMPORTING, settings);
    assert.equal(ran.status, 0, ran.stderr);
    assert.equal(JSON.parse(ran.stdout).strict, null);
    const told = (file) => {
      const { stdout, stderr } = spawnSync(process.execPath, ["-e", TELL, file], { encoding: "utf8" });
      assert.notEqual(stdout, "", stderr);
      return JSON.parse(stdout);
    };
    assert.deepEqual(told(path.join(path.dirname(out), "vitrine/app.cjs")), told(path.join(project, "server.js")));
    const server = IMPORTING["server.js"].replace(/, await import\("\.\/lib"\).*\)/, "");
    const shared = { ...IMPORTING, "server.js": server, "lib/note.mjs": "export { a as default } from './own.js';" };
    const { ran: again } = await run(t, bundler, shared, settings);
    assert.equal(again.status, 0, again.stderr);
    assert.equal(JSON.parse(again.stdout).strict, "a module that it imports and its CommonJS share lib/own.js");
  });
}

for (const bundler of ["rolldown", "esbuild"]) {
  test(`an import of WebAssembly gives a module: ${bundler}`, async (t) => {
    const server = `import add from "./add.wasm"; import same from "./add.wasm?module"; import other from "asks";
      const answer = async (wasm) => (await WebAssembly.instantiate(wasm)).exports.answer();
      export default { fetch: async () => Response.json([add instanceof WebAssembly.Module, await answer(add), await answer(same), await answer(other)]) };`;
    const files = {
      "server.js": server,
      "add.wasm": Buffer.from(WASM, "hex"),
      "node_modules/asks/index.js": `export { default } from "./own.wasm";`,
      "node_modules/asks/package.json": `{"type":"module","main":"index.js"}`,
      "node_modules/asks/own.wasm": Buffer.from(WASM, "hex"),
    };
    const { answer } = await bundled(t, bundler, files);
    assert.deepEqual(answer, [true, 42, 42, 42]);
  });
}

/** A worker for Cloudflare that imports what only its runtime has, and what only its bundler takes: `wasm` has one function, `answer`. */
const WORKER = `import { WorkerEntrypoint, env } from "cloudflare:workers"; import { connect } from "cloudflare:sockets";
  import add from "./add.wasm"; import note from "./note.txt"; import bytes from "./bytes.bin"; import placed from "placed";
  export default class extends WorkerEntrypoint {
    async fetch() {
      const { exports } = await WebAssembly.instantiate(add);
      return Response.json([exports.answer(), note, bytes.byteLength, placed, this.env.A, env.A, typeof connect]);
    }
  }`;
const WASM = "0061736d010000000105016000017f03020100070a0106616e7377657200000a06010400412a0b";

for (const bundler of ["rolldown", "esbuild"]) {
  test(`a worker for Cloudflare: ${bundler}`, async (t) => {
    const files = {
      "server.js": WORKER,
      "add.wasm": Buffer.from(WASM, "hex"),
      "note.txt": "a note",
      "bytes.bin": "1234",
      "node_modules/placed/package.json": `{"exports":{"workerd":"./workerd.js","node":"./node.js"},"type":"module"}`,
      "node_modules/placed/node.js": "export default 'node';",
      "node_modules/placed/workerd.js": "export default 'workerd';",
    };
    const facts = {
      cloudflare_build: { vars: { A: "b" }, own: [], missing: [], assetsBinding: null, first: false, files: {} },
      redirect_rules: "",
    };
    const { answer } = await bundled(t, bundler, files, null, { adapter: "cloudflare.js", facts });
    assert.deepEqual(answer, [42, "a note", 4, "workerd", "b", "b", "function"]);
  });
}

for (const bundler of ["rolldown", "esbuild"]) {
  test(`an import of a file outside of the project is refused: ${bundler}`, async (t) => {
    const imports = (file) => `import text from "${file}"; export default { fetch: () => Response.json(text) };`;
    const files = { "server.js": imports("../outside/a.json"), "../outside/a.json": '"private"' };
    const { ran } = await run(t, bundler, files);
    assert.equal(ran.status, 1, ran.stdout);
    assert.match(ran.stderr, /a\.json is imported and leads to .*a\.json, outside of .*; copy it into the project/);
    const linked = await run(t, bundler, { "server.js": imports("./linked.json"), "../outside/a.json": '"private"' }, {
      links: { "linked.json": "../outside/a.json" },
    });
    assert.equal(linked.ran.status, 1, linked.ran.stdout);
    // A workspace is one project.
    const { answer } = await bundled(t, bundler, { "server.js": imports("../outside/a.json"), "../outside/a.json": '"shared"', "../package.json": '{"workspaces":["*"]}' });
    assert.equal(answer, "shared");
  });
}

/** Bundles these files of a project; what their server answers, and where the bundle is. */
async function bundled(t, bundler, files, place = null, settings = {}) {
  const { ran, out } = await run(t, bundler, files, { place, ...settings });
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(JSON.parse(ran.stdout).bundler, new RegExp(`^${bundler} `));
  const { default: server } = await import(pathToFileURL(out).href);
  return { out, answer: await (await server.fetch(new Request("http://localhost/"), {}, { waitUntil() {} })).json() };
}

/** Runs the script on these files of a project. */
async function run(t, bundler, files, { place = null, adapter = "fetch_handler.js", facts = {}, links = {} } = {}) {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), "vitrine-bundling-")));
  t.after(() => rm(folder, { recursive: true }));
  const project = path.join(folder, "project");
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(project, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  for (const [name, target] of Object.entries(links)) {
    await symlink(target, path.join(project, name));
  }
  await mkdir(path.join(project, "node_modules"), { recursive: true });
  await symlink(path.join(ROOT, "tests/frameworks/node_modules", bundler), path.join(project, "node_modules", bundler));
  const adapters = path.join(project, "adapters");
  // The command line writes the scripts alone.
  await cp(ADAPTERS, adapters, { recursive: true, filter: (file) => !/\.(?:json|ts)$/.test(file) });
  for (const [name, value] of Object.entries({ pages: {}, ...facts })) {
    await writeFile(path.join(adapters, `${name}.js`), `export default ${JSON.stringify(value)};`);
  }
  const out = path.join(project, "out.mjs");
  const job = { project, entry: path.join(project, "server.js"), adapter: path.join(adapters, adapter), out, builtIns: ["node:async_hooks", "node:fs", "node:http", "node:module"], place, isCloudflare: adapter === "cloudflare.js" };
  const ran = spawnSync(process.execPath, [path.join(adapters, "bundle.mjs")], { input: JSON.stringify(job), encoding: "utf8" });
  return { ran, out, project };
}
