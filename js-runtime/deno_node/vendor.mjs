// Brings the scripts of the `deno_node` crate that isolates use into this folder: `node vendor.mjs CRATE [ESBUILD]`, where CRATE is
// the unpacked crate and ESBUILD the folder of esbuild. See README.md.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const [crate, esbuildFolder = path.join(here, "../../tests/frameworks/node_modules/esbuild")] = process.argv.slice(2);
const esbuild = createRequire(import.meta.url)(esbuildFolder);

// What the worker's own scripts load; everything these load comes along.
const ENTRIES = readFileSync(path.join(here, "ENTRIES"), "utf8").split("\n").filter((line) => line !== "" && !line.startsWith("#"));

// Scripts that reach for the machine, and the worker's own in their place.
const REPLACED = {
  "ext:deno_fs/30_fs.js": null,
  "ext:deno_io/12_io.js": "ext:vitrine/node/internal/terminal.js",
  "_fs/_fs_constants.ts": null,
  "_next_tick.ts": "ext:vitrine/node/internal/process.js",
  "_process/process.ts": "ext:vitrine/node/internal/process.js",
  "_zlib_binding.mjs": "ext:vitrine/node/internal/zlib.js",
  "_util/os.ts": "ext:vitrine/node/internal/platform.js",
  "assert_esm.ts": "ext:deno_node/assert.js",
  "async_hooks.ts": "ext:vitrine/node/async_hooks.js",
  "async_hooks_esm.ts": "ext:vitrine/node/async_hooks.js",
  "internal/errors/error_source.ts": "ext:vitrine/node/internal/options.js",
  "internal/options.ts": "ext:vitrine/node/internal/options.js",
  "internal_binding/_libuv_winerror.ts": "ext:vitrine/node/internal/platform.js",
  "process.ts": "ext:vitrine/node/process.js",
};

const library = readFileSync(path.join(crate, "lib.rs"), "utf8");
const modules = Object.fromEntries([...library.matchAll(/"(node:[^"]+)" = "([^"]+)"/g)].map(([, name, file]) => [name, file]));

// Text of a script that can't be taken as it is, and what stands there instead.
const EDITS = {
  // Two modules that load each other; it needs a part of the other alone.
  "internal/streams/duplexpair.js": [[/^import \{ Duplex \} from "node:stream";\n/m, 'import Duplex from "node:_stream_duplex";\n']],
  // It asks for the module that asks for it, and uses nothing of it.
  "stream/promises.js": [[/^import \* as _mod2 from "node:stream";\n/m, ""], [/^_mod2;\n/m, ""]],
};

// Scripts by their name in the crate, once all that they load at once is known too.
const scripts = new Map();

function fileOf(specifier) {
  return modules[specifier] ?? specifier.replace(/^ext:deno_node\//, "");
}

function nameOf(file) {
  return file.replace(/\.(ts|mjs)$/, ".js");
}

// Reads a script, and what it needs to be loaded.
function add(file, by) {
  if (scripts.has(file) || REPLACED[file] !== undefined || file.startsWith("ext:")) return;
  if (file.startsWith("node:")) throw new Error(`${by} loads ${file}, which is no module of the crate`);
  let source = readFileSync(path.join(crate, "polyfills", file), "utf8");
  for (const [text, instead] of EDITS[file] ?? []) {
    if (!text.test(source)) throw new Error(`${file} has no ${text}`);
    source = source.replace(text, instead);
  }
  const loader = file.endsWith(".ts") ? "ts" : "js";
  let { code } = esbuild.transformSync(source, { loader, format: "esm", charset: "ascii", target: "esnext", legalComments: "none" });
  if (/^(import|export)\b/m.test(code)) code = asScript(code, file);
  scripts.set(file, notice(source) + code);
  for (const { specifier, lazy } of loads(code)) if (!lazy) add(fileOf(specifier), file);
}

const CALL = /\b(?:core\.)?(loadExtScript|createLazyLoader)\(\s*"([^"]+)"\s*,?\s*\)(\(\))?/g;

// What is loaded when the script is, and what a function of it loads when it is called. esbuild indents functions by four blanks or more.
function loads(code) {
  return [...code.matchAll(CALL)].map((match) => {
    const line = code.slice(code.lastIndexOf("\n", match.index) + 1, match.index);
    const late = match[1] === "createLazyLoader" && match[3] === undefined;
    return { at: match.index, call: match[0], how: match[1], specifier: match[2], called: match[3] !== undefined, lazy: late || /^ {4}|=> *$/.test(line) };
  });
}

// The script with what it loads under the names of this folder. What is not here throws when a function asks for it.
function rewritten(file, code) {
  let text = "";
  let end = 0;
  for (const { at, call, how, specifier, called, lazy } of loads(code)) {
    let script = scriptOf(specifier);
    if (script === undefined) {
      if (!lazy) throw new Error(`${file} needs ${specifier}`);
      script = `core.loadExtScript("ext:vitrine/node/internal/absent.js")(${JSON.stringify(nameOf(fileOf(specifier)))})`;
    }
    const value = how === "createLazyLoader" && !called ? `(() => ${script})` : script;
    text += code.slice(end, at) + value;
    end = at + call.length;
  }
  // A name that is kept for a later call.
  return (text + code.slice(end)).replace(/= "(ext:deno_node\/[^"]+)"/g, (_, specifier) => {
    if (!scripts.has(fileOf(specifier))) throw new Error(`${file} names ${specifier}`);
    return `= ${JSON.stringify(`ext:deno_node/${nameOf(fileOf(specifier))}`)}`;
  });
}

function scriptOf(specifier) {
  const file = fileOf(specifier);
  if (REPLACED[file] !== undefined) return `core.loadExtScript(${JSON.stringify(REPLACED[file])})`;
  if (file.startsWith("ext:")) return `core.loadExtScript(${JSON.stringify(file)})`;
  return scripts.has(file) ? `core.loadExtScript(${JSON.stringify(`ext:deno_node/${nameOf(file)}`)})` : undefined;
}

// The comment at the top of a file: its licence.
function notice(source) {
  const lines = source.split("\n");
  const end = lines.findIndex((line) => line !== "" && !line.startsWith("//"));
  const kept = lines.slice(0, end).filter((line) => line !== "" && !/deno-lint|@deno-types/.test(line));
  return `${kept.join("\n").replace(/\P{ASCII}/gu, "?")}\n`;
}

// A module as a script whose expression is an object of its exports. esbuild has written every import and export in one form.
function asScript(code, file) {
  const names = [];
  const lines = [];
  const body = code
    .replace(/^export \{\n([^}]*)\n\};?$/gm, (_, list) => {
      names.push(...list.split(",").map((item) => item.trim()).filter(Boolean));
      return "";
    })
    .replace(/^import "([^"]+)";$/gm, (_, from) => {
      lines.push(`core.loadExtScript(${JSON.stringify(from)});`);
      return "";
    })
    .replace(/^import ([^;"]+?) from "([^"]+)";$/gm, (_, what, from) => {
      if (from !== "ext:core/mod.js") lines.push(bindings(what, `core.loadExtScript(${JSON.stringify(from)})`));
      return "";
    })
    .replace(/^export \{([^}]*)\} from "([^"]+)";$/gm, (_, list, from) => {
      for (const item of list.split(",").map((part) => part.trim()).filter(Boolean)) {
        const [name, as = name] = item.split(" as ");
        names.push(`core.loadExtScript(${JSON.stringify(from)}).${name} as ${as}`);
      }
      return "";
    });
  if (/^(import|export)\b/m.test(body)) throw new Error(`${file} has an import or export of another form`);
  const exported = names.map((item) => {
    const [name, as = name] = item.split(" as ");
    return as === name ? name : `${as}: ${name}`;
  });
  return `(function() {\nconst { core, internals, primordials } = __bootstrap;\n${lines.join("\n")}\n${body}\nreturn { ${exported.join(", ")} };\n})();\n`;
}

// The declarations that stand for `import WHAT from …`.
function bindings(what, script) {
  if (what.startsWith("* as ")) return `const ${what.slice(5)} = ${script};`;
  const [, byDefault, list] = /^(?:([\w$]+)\s*,?\s*)?(?:\{([\s\S]*)\})?$/.exec(what);
  const one = byDefault === undefined ? "" : `const { default: ${byDefault} } = ${script};`;
  const many = list === undefined ? "" : `const {${list.replaceAll(" as ", ": ")}} = ${script};`;
  return one + many;
}

for (const entry of ENTRIES) add(entry, "ENTRIES");
rmSync(path.join(here, "polyfills"), { recursive: true, force: true });
const names = new Set();
let bytes = 0;
for (const [file, code] of scripts) {
  const name = nameOf(file);
  if (names.has(name)) throw new Error(`two scripts would be ${name}`);
  names.add(name);
  const target = path.join(here, "polyfills", name);
  mkdirSync(path.dirname(target), { recursive: true });
  const text = rewritten(file, code);
  writeFileSync(target, text);
  bytes += text.length;
}
console.log(`${names.size} scripts, ${bytes} bytes`);
