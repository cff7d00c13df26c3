// A server whose files are CommonJS, packed as they are: each stays a function's body, sloppy unless it says "use strict", and finds
// modules as Node.js does. ES modules that it imports while it runs are bundled beside it.
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { compileFunction } from "node:vm";

/** What Node.js gives a CommonJS file. */
const PARAMETERS = ["exports", "require", "module", "__filename", "__dirname"];
/** What gives a file of CommonJS to an `import()`. */
const IMPORTS = "__vitrine_import";
const REQUIRE = /(?<![\w$.])(?:module\.)?require(?:\.resolve)?\s*\(\s*(["'`])([^"'`\n\\$]+)\1\s*[),]/g;
const IMPORT = /(?<![\w$.{])import\s*\(\s*(["'`])([^"'`\n\\$]+)\1/g;
/** Folder of the bundled modules, beside the script. */
const MODULES = "modules";
/** Lines of a comment: what they name is not loaded. */
const COMMENT = /^\s*(?:\/\/|\/?\*).*$/gm;
/** Types of TypeScript are in comments within a line too. */
const INLINE_COMMENT = /\/\*.*?\*\//g;

/** A server that has something else in it. */
class Mixed extends Error {}

/**
 * @typedef {object} Project
 * @property {string} folder
 * @property {string} place The folder that it has in the isolate.
 * @property {string} entry
 * @property {(specifier: string, importer: string) => { external?: string, standIn?: string, native?: string } | undefined} lead
 * @property {(name: string) => Promise<string>} standIn The body of a file in place of a Node.js module.
 * @property {(name: string) => string} nativeStandIn The same for a native add-on.
 * @property {(file: string) => void} check Throws for a file that must not be read.
 * @property {(entries: Record<string, string>, folder: string) => Promise<Iterable<string>>} bundle Bundles ES modules into files of
 *   these names; which files they consist of.
 */

/**
 * The script and its source map, or why there is none.
 *
 * @param {Project} project
 * @returns {Promise<{ code: string, sources: string[], mappings: string } | { mixed: string }>}
 */
export async function pack(project) {
  try {
    const modules = new Map();
    const files = await reached(project, modules);
    await bundled(project, files, modules);
    return written(project, files);
  } catch (error) {
    if (error instanceof Mixed) return { mixed: error.message };
    throw error;
  }
}

/** Bundles the modules. What they share with the packed files would be there twice, each with a state of its own. */
async function bundled(project, files, modules) {
  if (modules.size === 0) return;
  const entries = Object.fromEntries([...modules].map(([file, name]) => [name, file]));
  for (const file of await project.bundle(entries, MODULES)) {
    if (files.has(file)) throw new Mixed(`a module that it imports and its CommonJS share ${path.relative(project.folder, file)}`);
  }
}

/** The files that the entry reaches, each with its text and with what its names lead to. Gives each ES module that they import a name. */
async function reached(project, modules) {
  const found = new Map();
  const waiting = [project.entry];
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    if (found.has(file)) continue;
    project.check(file);
    const text = body(project, file);
    const leads = file.endsWith(".json") ? {} : await leadsOf(project, file, text, found);
    found.set(file, { text: file.endsWith(".json") ? text : withImports(project, file, text, leads, modules), leads });
    waiting.push(...Object.values(leads).filter((target) => path.isAbsolute(target)));
  }
  return found;
}

/**
 * The file that Node.js gives to `require` in `importer`. Where that is an ES module beside which a package has CommonJS, that: what a
 * `require` of a module gives is a matter of Node.js alone.
 *
 * @param {string} importer
 * @param {string} name
 * @returns {string | undefined}
 */
export function required(importer, name) {
  const require = createRequire(importer);
  try {
    const target = require.resolve(name);
    return isModule(target) ? (commonJsOf(require, name) ?? target) : target;
  } catch {
    return undefined;
  }
}

/** The file in CommonJS that a package exports under a name. */
function commonJsOf(require, name) {
  const target = exported(require, name, ["node", "require", "default"]);
  return target === undefined || isModule(target) ? undefined : target;
}

/** The file that a package exports under a name for these conditions. */
function exported(require, name, conditions) {
  const [, owner, rest = ""] = /^((?:@[^/]+\/)?[^./#][^/]*)(\/.*)?$/.exec(name) ?? [];
  const folders = owner === undefined ? [] : (require.resolve.paths(name) ?? []).map((folder) => path.join(folder, owner));
  const folder = folders.find((folder) => existsSync(path.join(folder, "package.json")));
  if (folder === undefined) return undefined;
  const { exports } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const isList = typeof exports === "object" && Object.keys(exports)[0]?.startsWith(".");
  const file = chosen(isList ? exports[`.${rest}`] : rest === "" ? exports : undefined, conditions);
  const target = file === undefined ? undefined : path.join(folder, file);
  return target === undefined || !existsSync(target) ? undefined : realpathSync(target);
}

function chosen(entry, conditions) {
  if (typeof entry === "string") return entry;
  if (Array.isArray(entry)) return chosen(entry[0], conditions);
  const names = Object.keys(entry ?? {}).filter((name) => conditions.includes(name));
  return names.map((name) => chosen(entry[name], conditions)).find((file) => file !== undefined);
}

/** A file as the body of a function. */
function body(project, file) {
  const shown = path.relative(project.folder, file);
  const text = readFileSync(file, "utf8").replace(/^\uFEFF/, "");
  if (file.endsWith(".json")) return `module.exports = JSON.parse(${JSON.stringify(text)});`;
  if (isModule(file)) throw new Mixed(`${shown} is an ES module`);
  const code = text.replace(/^#!/, "//");
  try {
    compileFunction(code, PARAMETERS, { filename: file });
  } catch {
    throw new Mixed(`${shown} is ${/^\s*(?:import|export)\b/m.test(code) ? "an ES module" : "no script"}`);
  }
  return code;
}

/** Whether a file is an ES module, by its ending or by the `package.json` above it; TypeScript counts as one. */
function isModule(file) {
  if (!path.isAbsolute(file) || /\.(?:cjs|json)$/.test(file)) return false;
  if (/\.(?:mjs|[cm]?tsx?|jsx)$/.test(file)) return true;
  for (let folder = path.dirname(file); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const settings = path.join(folder, "package.json");
    if (existsSync(settings)) return JSON.parse(readFileSync(settings, "utf8")).type === "module";
    if (path.basename(folder) === "node_modules") return false;
  }
  return false;
}

async function leadsOf(project, file, text, found) {
  const code = text.replace(COMMENT, "");
  const leads = {};
  const engines = LOOKS_UP_ENGINES.test(file) ? viewEngines(project.folder) : [];
  for (const name of [...[...code.matchAll(REQUIRE)].map(([, , name]) => name), ...engines]) {
    const lead = project.lead(name, file);
    if (lead?.external !== undefined) continue;
    const target = lead === undefined ? required(file, name) : standInOf(lead);
    if (target === undefined) continue;
    leads[name] = target;
    if (lead !== undefined && !found.has(target)) {
      const body = lead.native === undefined ? await project.standIn(lead.standIn) : project.nativeStandIn(lead.native);
      found.set(target, { text: body, leads: {} });
    }
  }
  return leads;
}

/** A file whose `import()` finds what it names: an ES module by its bundle, CommonJS among the packed files. */
function withImports(project, file, text, leads, modules) {
  const code = text.replace(COMMENT, "").replace(INLINE_COMMENT, "");
  const names = new Set([...code.matchAll(IMPORT)].map(([, , name]) => name));
  const rewritten = text.replace(IMPORT, (whole, _quote, name) => {
    const target = names.has(name) && project.lead(name, file) === undefined ? imported(file, name) : undefined;
    if (target === undefined || !path.isAbsolute(target)) return whole;
    if (!isModule(target)) {
      // By a name of its own: `require` of the same one may lead elsewhere.
      leads[`import:${name}`] = target;
      return `${IMPORTS}(require, ${JSON.stringify(`import:${name}`)}`;
    }
    if (!modules.has(target)) modules.set(target, `${modules.size}`);
    return `import(${JSON.stringify(`./${MODULES}/${modules.get(target)}.mjs`)}`;
  });
  if (rewritten === text) return text;
  try {
    compileFunction(rewritten, PARAMETERS, { filename: file });
  } catch {
    // What looks like a call stands in a string.
    throw new Mixed(`${path.relative(project.folder, file)} has \`import(\` in a text`);
  }
  return rewritten;
}

/** The file that Node.js gives to an `import` in `importer`. */
function imported(importer, name) {
  if (/^\.{0,2}\//.test(name)) {
    const file = path.resolve(path.dirname(importer), name);
    return statSync(file, { throwIfNoEntry: false })?.isFile() ? realpathSync(file) : undefined;
  }
  return exported(createRequire(importer), name, ["node", "import", "default"]) ?? required(importer, name);
}

const standInOf = ({ standIn, native }) => (native === undefined ? standIn : `native:${native}`);

/** The file of Express that asks for a package by the ending of a view. */
export const LOOKS_UP_ENGINES = /\bnode_modules\/express\/lib\/view\.js$/;

/** Packages of the project that it may ask for. */
export function viewEngines(folder) {
  const settings = path.join(folder, "package.json");
  const { dependencies = {} } = existsSync(settings) ? JSON.parse(readFileSync(settings, "utf8")) : {};
  return Object.keys(dependencies).filter((name) => {
    const main = required(settings, name);
    return main !== undefined && path.isAbsolute(main) && readFileSync(main, "utf8").includes("__express");
  });
}

/** Gives each file its path in the isolate. Packages may be installed above the project. */
function placing({ place, folder }) {
  const names = new Map();
  const taken = new Set();
  return (file) => {
    if (!path.isAbsolute(file)) return file;
    if (!names.has(file)) {
      const relative = path.relative(folder, file);
      const [below] = (relative.startsWith("..") && /\bnode_modules\/.*/.exec(relative)) || [relative];
      const name = path.posix.join(place, below);
      names.set(file, taken.has(name) ? `${name}+${names.size}` : name);
      taken.add(names.get(file));
    }
    return names.get(file);
  };
}

/** The script that holds the files. Its lines are those of the files, so that the map names one for each. */
function written(project, files) {
  const named = placing(project);
  const lines = ["const files = {"];
  const maps = [""];
  const sources = [];
  let last = 0;
  for (const [file, { text, leads }] of files) {
    const own = text.split("\n");
    lines.push(`${JSON.stringify(named(file))}: [function (${PARAMETERS.join(", ")}) {`, ...own);
    const to = Object.fromEntries(Object.entries(leads).map(([name, target]) => [name, named(target)]));
    lines.push(`}, ${JSON.stringify(to)}],`);
    // A segment has the differences to the one before: column, source, line and column there.
    const first = `A${sources.length === 0 ? "A" : "C"}${vlq(-last)}A`;
    maps.push("", first, ...own.slice(1).map(() => "AACA"), "");
    last = own.length - 1;
    sources.push(file);
  }
  lines.push("};", `const ${IMPORTS} = ${importCommonJs};`, `module.exports = (${run})(files, ${JSON.stringify(named(project.entry))}, require);`);
  return { code: `${lines.join("\n")}\n`, sources, mappings: maps.join(";") };
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function vlq(number) {
  let text = "";
  let rest = number < 0 ? (-number << 1) | 1 : number << 1;
  do {
    const digit = rest & 31;
    rest >>>= 5;
    text += DIGITS[rest > 0 ? digit | 32 : digit];
  } while (rest > 0);
  return text;
}

/** What `import()` of a file of CommonJS gives in Node.js. It is a part of the script. */
async function importCommonJs(require, name) {
  const exports = require(name);
  const isOpen = (typeof exports === "object" && exports !== null) || typeof exports === "function";
  return Object.freeze({ __proto__: null, ...(isOpen ? exports : {}), default: exports, "module.exports": exports });
}

/** What loads the files in the isolate. It is a part of the script. */
function run(files, main, builtIn) {
  const cache = { __proto__: null };
  const folder = (name) => name.slice(0, name.lastIndexOf("/")) || "/";
  const joined = (base, name) => {
    const parts = [];
    for (const part of (name.startsWith("/") ? name : `${base}/${name}`).split("/")) {
      if (part === "..") parts.pop();
      else if (part !== "" && part !== ".") parts.push(part);
    }
    return `/${parts.join("/")}`;
  };
  // A path that is put together while the server runs.
  const found = (base, name) => {
    if (!/^(?:\.{1,2}(?:\/|$)|\/)/.test(name)) return undefined;
    const file = joined(base, name);
    return ["", ".js", ".json", ".cjs", "/index.js"].map((ending) => file + ending).find((file) => Object.hasOwn(files, file));
  };
  const missing = (wanted, name) => {
    const engine = name.endsWith("/express/lib/view.js") ? `, or name the engine: app.engine(${JSON.stringify(wanted)}, …)` : "";
    const text = `Cannot find module '${wanted}', which ${name} requires: it was not found where the app was deployed from; install its package there ` +
      `(npm ci), and require it by its name in quotes${engine}`;
    return Object.assign(new Error(text), { code: "MODULE_NOT_FOUND" });
  };
  const load = (name, parent) => {
    if (cache[name] !== undefined) return cache[name].exports;
    const [body, leads] = files[name];
    const directory = folder(name);
    const resolve = (wanted) => {
      wanted = String(wanted);
      const target = Object.hasOwn(leads, wanted) ? leads[wanted] : found(directory, wanted);
      if (target !== undefined) return target;
      try {
        return builtIn.resolve(wanted);
      } catch {
        throw missing(wanted, name);
      }
    };
    const require = (wanted) => {
      const target = resolve(wanted);
      return Object.hasOwn(files, target) ? load(target, module) : builtIn(target);
    };
    const module = { id: parent === null ? "." : name, path: directory, exports: {}, filename: name, loaded: false, children: [], paths: [], parent, require };
    parent?.children.push(module);
    cache[name] = module;
    Object.assign(require, { cache, extensions: {}, main: cache[main], resolve });
    try {
      Reflect.apply(body, module.exports, [module.exports, require, module, name, directory]);
    } catch (error) {
      delete cache[name];
      throw error;
    }
    module.loaded = true;
    return module.exports;
  };
  return load(main, null);
}

/** The build as the adapter imports it, where it is a script beside the adapter. */
const BUILD = `import { createRequire } from "node:module";
const build = createRequire(import.meta.url)("./app.cjs");
export const reqHandler = build?.reqHandler, middleware = build?.middleware, listener = build?.listener;
`;

/** Writes a server of CommonJS and the adapter beside it, as they are. */
export async function write({ adapter, out, folder: project }, { code, sources, mappings }) {
  const folder = path.join(path.dirname(out), "vitrine");
  await mkdir(folder, { recursive: true });
  const waiting = [path.basename(adapter)];
  for (const name of waiting) {
    const text = (await readFile(path.join(path.dirname(adapter), name), "utf8")).replace('"vitrine:build"', '"./build.js"');
    waiting.push(...[...text.matchAll(/"\.\/(\w+\.js)"/g)].map(([, name]) => name).filter((name) => name !== "build.js" && !waiting.includes(name)));
    await writeFile(path.join(folder, name), text);
  }
  await writeFile(path.join(folder, "build.js"), BUILD);
  await writeFile(path.join(folder, "app.cjs"), code);
  const names = sources.map((file) => path.relative(project, file));
  await writeFile(path.join(folder, "app.cjs.map"), JSON.stringify({ version: 3, sources: names, names: [], mappings }));
  await writeFile(out, `export { default } from "./vitrine/${waiting[0]}";\n`);
}
