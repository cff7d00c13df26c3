// Bundles a framework's server build with its adapter into one file, with the bundler that the project itself has. `vitrine deploy`
// runs it under Node.js: a job as JSON on standard input, what was done as JSON on standard output. It writes to `job.out` only.
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { builtinModules, createRequire } from "node:module";
import { homedir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { LOOKS_UP_ENGINES, pack, required, viewEngines, write as writeScript } from "./common_js.mjs";
import { refusingOutside } from "./sources.mjs";
import { INSTEAD_OF_NATIVE, nativeStandIn, standIn, standInScript } from "./stand_ins.mjs";

/**
 * @typedef {object} Job
 * @property {string} project Folder that packages are looked up from.
 * @property {string} entry The build's own server entry.
 * @property {string} adapter Ours, which imports the build as `vitrine:build`.
 * @property {string} out File to write.
 * @property {string[]} builtIns Node.js modules that isolates have.
 * @property {boolean} [isCloudflare] The entry was written for Cloudflare's runtime.
 * @property {string | null} [place] Folder that the project's files have in the isolate, for a server that looks for files beside its own.
 */

/** @type {Job} */
const job = JSON.parse(readFileSync(0, "utf8"));
const adapters = path.dirname(job.adapter);
const kept = new Set(job.builtIns);
const standIns = new Set();

/** Bundlers in the order of preference, each with the packages that may have brought it. */
const BUNDLERS = [
  ["rolldown"],
  ["vite", "rolldown"],
  ["astro", "vite", "rolldown"],
  ["nitro", "rolldown"],
  ["esbuild"],
  ["vite", "esbuild"],
  ["astro", "esbuild"],
  ["nitro", "esbuild"],
  ["nuxt", "esbuild"],
];

/** Users whose packages are run: this one, root, and who owns the project, which was named to be deployed. */
const trusted = new Set([process.getuid?.(), 0, lstatSync(job.project).uid]);

/** Whether one of them owns it and what it links to. */
function isTrusted(file) {
  return [file, realpathSync(file)].every((path) => trusted.has(lstatSync(path).uid));
}

/** The folder of a package as seen from a file or folder, links resolved. Above a repository or the home folder others may write. */
function packageFolder(name, from) {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const modules = path.join(folder, "node_modules");
    const found = path.join(modules, name);
    if (existsSync(path.join(found, "package.json")) && isTrusted(modules) && isTrusted(found)) {
      return realpathSync(found);
    }
    if (folder === path.dirname(folder) || folder === homedir() || existsSync(path.join(folder, ".git"))) {
      return undefined;
    }
  }
}

async function findBundler() {
  for (const chain of BUNDLERS) {
    const folder = chain.reduce((from, name) => from && packageFolder(name, from), /** @type {string | undefined} */ (job.project));
    if (folder !== undefined) {
      return bundlerIn(folder, chain.at(-1));
    }
  }
  return fetched();
}

/** The bundler for projects without one, kept in the user's cache. */
const FETCHED = ["rolldown", "1.3.3"];

/** Installs it where it is not yet. */
function fetched() {
  const [name, version] = FETCHED;
  const cache = process.env.XDG_CACHE_HOME || path.join(homedir(), ".cache");
  const folder = path.join(cache, "vitrine", `${name}-${version}`);
  // There, and in no folder above it.
  const found = path.join(folder, "node_modules", name);
  if (!existsSync(path.join(found, "package.json"))) {
    const args = ["install", "--prefix", folder, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", "--fetch-retry-mintimeout=500", "--loglevel=error", `${name}@${version}`];
    mkdirSync(folder, { recursive: true });
    const { status, stderr, error } = spawnSync("npm", args, { encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
    if (status !== 0) {
      const why = (stderr || error?.message || "").trim().split("\n")[0];
      throw new Error(
        `the server imports packages, and no bundler was found in or above ${job.project}/node_modules; install the project's ` +
          `packages there (\`npm ci\`), or add one (\`npm install --save-dev ${name}\`). \`npm install ${name}@${version}\` failed: ${why}`,
      );
    }
  }
  return bundlerIn(found, name);
}

function bundlerIn(folder, name) {
  const { version } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const require = createRequire(path.join(folder, "package.json"));
  const load = (specifier) => import(pathToFileURL(require.resolve(specifier)).href);
  return { name, version, load };
}

/** `node:util` for `util` and `node:util`; undefined for a package. */
function builtInName(specifier) {
  const name = specifier.replace(/^node:/, "");
  return builtinModules.includes(name) || specifier.startsWith("node:") ? `node:${name}` : undefined;
}

/** Modules of Cloudflare's runtime that are ours here. */
const CLOUDFLARE = {
  "cloudflare:workers": "cloudflare_workers.js",
  "cloudflare:sockets": "cloudflare_missing.js",
  "cloudflare:email": "cloudflare_missing.js",
  "cloudflare:workflows": "cloudflare_missing.js",
};

/** Packages that load native add-ons for others. */
const NATIVE_LOADERS = new Set(["@mapbox/node-pre-gyp", "bindings", "node-gyp-build", "node-gyp-build-optional-packages", "node-pre-gyp"]);

/** The name of the package that a file is part of. */
function packageOf(file) {
  const [, name] = /.*\bnode_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file ?? "") ?? [];
  return name ?? path.basename(file ?? "");
}

/** The package whose native add-on an import asks for. */
function nativePackage(specifier, importer) {
  if (Object.hasOwn(INSTEAD_OF_NATIVE, specifier)) {
    return specifier;
  }
  return isAddOn(specifier, importer) || NATIVE_LOADERS.has(specifier) ? packageOf(importer) : undefined;
}

/** Whether an import asks for an add-on's file. A package may call an export so too: `react-dom/server.node` is a script. */
function isAddOn(specifier, importer) {
  if (!specifier.endsWith(".node")) return false;
  const folder = path.dirname(importer);
  const [, name, file] = /^((?:@[^/]+\/)?[^./][^/]*)\/(.+)$/.exec(specifier) ?? [];
  if (name === undefined) return existsSync(path.resolve(folder, specifier));
  const installed = packageFolder(name, folder);
  return installed === undefined || existsSync(path.join(installed, file));
}

/** Where an import leads: `{ path }`, `{ ours }`, `{ external }`, `{ standIn }`, `{ native }`, or nothing for the bundler's own search. */
function lead(specifier, importer) {
  if (specifier === "vitrine:build") {
    return { path: job.entry };
  }
  const ours = job.isCloudflare ? CLOUDFLARE[specifier] : undefined;
  if (ours !== undefined) {
    return { ours };
  }
  const name = builtInName(specifier);
  if (name !== undefined) {
    if (kept.has(name)) return { external: name };
    standIns.add(name);
    return { standIn: name };
  }
  const native = nativePackage(specifier, importer);
  return native === undefined ? undefined : { native };
}

/**
 * Code that finds itself where its file would lie in the isolate: bundled, all modules would be the same file. Without a place the
 * names of CommonJS alone are given one: a module that looks for a file there is told that the bundle has none.
 */
function placed(code, file) {
  if (LOOKS_UP_ENGINES.test(file)) return withEngines(code);
  const relative = path.relative(job.project, file);
  const isModule = /^\s*(?:import|export)\b/m.test(code);
  const names = job.place ? /\b(?:__dirname|__filename|import\.meta|require\.main)\b/ : /\b(?:__dirname|__filename)\b/;
  if (!names.test(code) || (job.place ? relative.startsWith("..") : isModule)) return undefined;
  // Packages may be installed above the project.
  const [below] = /\bnode_modules\/.*/.exec(relative) ?? [relative];
  const filename = job.place ? `${job.place}/${relative}` : `/server/${below}`;
  const [url, own, dirname] = [`file://${filename}`, filename, path.posix.dirname(filename)].map((text) => JSON.stringify(text));
  const declares = /\b(?:const|let|var|import)\b[^;\n=]*\b(?:__dirname|__filename)\b|\b(?:__dirname|__filename)\s*=(?!=)/.test(code);
  const uses = /\b(?:__dirname|__filename)\b/.test(code) && !declares;
  const head = uses ? `var __filename = ${own}, __dirname = ${dirname};` : "";
  const body = job.place
    ? code
        .replace(/\bimport\.meta\.url\b/g, url)
        .replace(/\bimport\.meta\.filename\b/g, own)
        .replace(/\bimport\.meta\.dirname\b/g, dirname)
        .replace(/\brequire\.main\b/g, file === job.entry && !isModule ? "module" : "undefined")
    : code;
  // The first line may say which program runs the file.
  const shebang = /^#!.*\n/.exec(body)?.[0] ?? "";
  return `${shebang}${head}${body.slice(shebang.length)}`;
}

/** Express' file that looks an engine up by its name, with those of the project by theirs. */
function withEngines(code) {
  const known = viewEngines(job.project).map((name) => `${JSON.stringify(name)}: () => require(${JSON.stringify(name)})`);
  const missing = "() => { throw new Error(`Cannot find the view engine ${mod}: install it (npm install ${mod}), or name it with app.engine(\"${mod}\", …)`); }";
  return code.replace(/\brequire\(mod\)/, `(({ ${known.join(", ")} })[mod] ?? (${missing}))()`);
}

const refuseOutside = refusingOutside(job.project);

/** The file of an import that is data: WebAssembly, where a query may say that it is wanted as a module, and more for Cloudflare's bundler. */
const dataFile = (id) => ((job.isCloudflare ? DATA : WASM).test(id) ? id.replace(/\?module$/, "") : undefined);
const WASM = /\.wasm(?:\?module)?$/;
const DATA = /\.(?:wasm(?:\?module)?|bin|txt|html|sql)$/;

/** A module with what such a file gives: a WebAssembly module, an ArrayBuffer, text. */
async function dataModule(file) {
  const content = await readFile(file);
  if (!/\.(?:wasm|bin)$/.test(file)) return `export default ${JSON.stringify(content.toString("utf8"))};`;
  const bytes = `Uint8Array.from(atob("${content.toString("base64")}"), (character) => character.charCodeAt(0))`;
  return file.endsWith(".wasm") ? `export default new WebAssembly.Module(${bytes});` : `export default ${bytes}.buffer;`;
}

// Modules of ours have names and no paths, so that the same build gives the same bundle wherever this runs.
const OURS = "\0vitrine/";
const STAND_IN = "\0vitrine-stand-in/";
const NATIVE = "\0vitrine-native/";
/** Exports for Node.js, which the frameworks' server builds are made for. Bundlers add `import` or `require` by how a package is asked for. */
const CONDITIONS = [...(job.isCloudflare ? ["workerd", "worker", "module"] : []), "node", "production"];
/** `module` is a name among bundlers: Node.js goes by `main`. */
const MAIN_FIELDS = job.isCloudflare ? ["module", "main"] : ["main", "module"];

/** The file that Node.js gives to a `require`; undefined for Cloudflare, whose bundler goes by other names. */
function byNode(specifier, importer) {
  return job.isCloudflare || !path.isAbsolute(importer ?? "") ? undefined : required(importer, specifier);
}

/** Vue's packages ask bundlers for these names; without them its router stops with a ReferenceError. The values are its own defaults. */
const DEFINE = {
  "process.env.NODE_ENV": '"production"',
  __VUE_OPTIONS_API__: "true",
  __VUE_PROD_DEVTOOLS__: "false",
  __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
};

const rolldownPlugin = {
  name: "vitrine",
  async resolveId(source, importer, options) {
    const found = lead(source, importer);
    if (found?.path !== undefined) {
      return found.path;
    }
    if (found?.ours !== undefined) {
      return OURS + found.ours;
    }
    if (found?.standIn !== undefined) {
      return STAND_IN + found.standIn;
    }
    if (found?.native !== undefined) {
      return NATIVE + found.native;
    }
    if (found?.external !== undefined) {
      // `require` of one is turned into an import by the plugin for that.
      return options.kind === "require-call" ? null : { id: found.external, external: true };
    }
    if (source === job.adapter) {
      return OURS + path.basename(source);
    }
    if (options.kind === "require-call" && byNode(source, importer) !== undefined) {
      return byNode(source, importer);
    }
    if (importer !== undefined && dataFile(source) !== undefined && source.startsWith(".")) {
      return path.resolve(path.dirname(importer), source);
    }
    if (importer?.startsWith(OURS)) {
      // The packages of our modules are those of the project.
      return source.startsWith("./") ? OURS + source.slice(2) : this.resolve(source, job.entry, { skipSelf: true });
    }
    return null;
  },
  async load(id) {
    if (id.startsWith(STAND_IN)) {
      return standIn(id.slice(STAND_IN.length));
    }
    if (id.startsWith(NATIVE)) {
      return nativeStandIn(id.slice(NATIVE.length));
    }
    if (id.startsWith(OURS)) {
      return readFile(path.join(adapters, id.slice(OURS.length)), "utf8");
    }
    refuseOutside(id.replace(/\?.*$/, ""));
    const data = dataFile(id);
    if (data !== undefined) {
      return { code: await dataModule(data), moduleType: "js" };
    }
    // The build's own maps lead back to the sources.
    if (id.startsWith(path.dirname(job.entry)) && existsSync(`${id}.map`)) {
      refuseOutside(`${id}.map`);
      return { code: await readFile(id, "utf8"), map: await readFile(`${id}.map`, "utf8") };
    }
    return null;
  },
  transform(code, id) {
    const changed = id.startsWith("\0") ? undefined : placed(code, id);
    return changed === undefined ? null : { code: changed, map: null };
  },
};

/** The first line of a message that may be drawn for a terminal, without its code. */
function firstLine(message) {
  return stripVTControlCharacters(message).split("\n")[0].replace(/^\[\w+\] /, "");
}

/** Bundles these files, in each case into one or more in `folder`. Gives the files that they consist of. */
async function withRolldown(load, input, output) {
  const unresolved = [];
  const { rolldown } = await load("rolldown");
  const { esmExternalRequirePlugin } = await load("rolldown/plugins");
  const external = [...kept, ...[...kept].map((name) => name.slice("node:".length))];
  const bundle = await rolldown({
    input,
    cwd: job.project,
    // Anything but "node": the bundler's own code must not reach for `node:module`.
    platform: "neutral",
    resolve: { conditionNames: CONDITIONS, mainFields: MAIN_FIELDS },
    transform: { define: DEFINE },
    plugins: [rolldownPlugin, esmExternalRequirePlugin({ external })],
    onLog(_level, log) {
      if (log.code === "UNRESOLVED_IMPORT") {
        unresolved.push(firstLine(log.message));
      }
    },
  });
  const paths = Object.fromEntries([...kept].map((name) => [name.slice("node:".length), name]));
  const written = await bundle.write({ ...output, format: "esm", sourcemap: true, keepNames: true, paths });
  await bundle.close();
  if (unresolved.length > 0) {
    throw new Error(unresolved.join("; "));
  }
  return written.output.flatMap((chunk) => chunk.moduleIds ?? []);
}

function esbuildPlugin(asked) {
  return {
    name: "vitrine",
    setup(build) {
      build.onResolve({ filter: /.*/ }, async ({ path: source, kind, namespace, importer, resolveDir }) => {
        const found = lead(source, importer);
        if (found?.path !== undefined) {
          return { path: found.path };
        }
        if (found?.ours !== undefined) {
          return { path: found.ours, namespace: "vitrine" };
        }
        if (found?.standIn !== undefined) {
          return { path: found.standIn, namespace: "vitrine-stand-in" };
        }
        if (found?.native !== undefined) {
          return { path: found.native, namespace: "vitrine-native" };
        }
        if (found?.external !== undefined) {
          if (kind === "require-call") {
            asked.add(found.external);
          }
          return { path: found.external, external: true };
        }
        if (source === job.adapter) {
          return { path: path.basename(source), namespace: "vitrine" };
        }
        if (kind === "require-call" && byNode(source, importer) !== undefined) {
          return { path: byNode(source, importer) };
        }
        if (dataFile(source) !== undefined && source.startsWith(".")) {
          return { path: path.resolve(resolveDir, dataFile(source)), namespace: "vitrine-data" };
        }
        if (namespace === "vitrine") {
          return source.startsWith("./")
            ? { path: source.slice(2), namespace: "vitrine" }
            : build.resolve(source, { kind, importer: job.entry, resolveDir: path.dirname(job.entry) });
        }
        return undefined;
      });
      build.onLoad({ filter: /.*/, namespace: "vitrine" }, async ({ path: name }) => ({
        contents: await readFile(path.join(adapters, name), "utf8"),
      }));
      build.onLoad({ filter: /.*/, namespace: "file" }, ({ path: file }) => refuseOutside(file));
      build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, async ({ path: file }) => {
        const contents = placed(await readFile(file, "utf8"), file);
        return contents === undefined ? undefined : { contents, loader: path.extname(file).replace(/^\.[cm]?/, ""), resolveDir: path.dirname(file) };
      });
      build.onLoad({ filter: /.*/, namespace: "vitrine-data" }, async ({ path: file }) => {
        refuseOutside(file);
        return { contents: await dataModule(file) };
      });
      build.onLoad({ filter: /.*/, namespace: "vitrine-native" }, ({ path: name }) => ({ contents: nativeStandIn(name) }));
      build.onLoad({ filter: /.*/, namespace: "vitrine-stand-in" }, async ({ path: name }) => ({ contents: await standIn(name) }));
    },
  };
}

async function withEsbuild(load, entryPoints, output) {
  const esbuild = await load("esbuild");
  const asked = new Set();
  const build = (banner) =>
    esbuild.build({
      entryPoints,
      absWorkingDir: job.project,
      ...output,
      metafile: true,
      bundle: true,
      format: "esm",
      platform: "neutral",
      target: "esnext",
      keepNames: true,
      sourcemap: true,
      logLevel: "silent",
      conditions: CONDITIONS,
      mainFields: MAIN_FIELDS,
      define: DEFINE,
      banner: { js: banner },
      plugins: [esbuildPlugin(asked)],
    });
  let { metafile } = await build("");
  if (asked.size > 0) {
    // What CommonJS packages require of Node.js: their `require` finds these imports.
    const names = [...asked];
    const imports = names.map((name, index) => `import * as vitrineBuiltIn${index} from "${name}";`);
    const cases = names.map((name, index) => `"${name}": vitrineBuiltIn${index}`);
    const find = "(name) => { const found = vitrineBuiltIns[name] ?? vitrineBuiltIns[`node:${name}`]; return found.default ?? found; }";
    ({ metafile } = await build(`${imports.join("")}const vitrineBuiltIns = { ${cases.join(", ")} };const require = ${find};`));
  }
  return Object.keys(metafile.inputs).map((file) => path.resolve(job.project, file));
}

/** Bundles ES modules beside a script of CommonJS. */
async function bundleModules(entries, folder) {
  const { name, load } = await findBundler();
  const dir = path.join(path.dirname(job.out), "vitrine", folder);
  const inputs =
    name === "rolldown"
      ? await withRolldown(load, entries, { dir, entryFileNames: "[name].mjs", chunkFileNames: "shared-[hash].mjs" })
      : await withEsbuild(load, Object.entries(entries).map(([out, file]) => ({ in: file, out })), { outdir: dir, outExtension: { ".js": ".mjs" }, splitting: true, chunkNames: "shared-[hash]" });
  for (const file of readdirSync(dir)) {
    if (file.endsWith(".mjs")) await shortenPaths(path.join(dir, file));
  }
  return inputs;
}

/** Makes the paths of the source map those in the project, wherever the bundle was written to. */
async function shortenPaths(out) {
  const map = JSON.parse(await readFile(`${out}.map`, "utf8"));
  map.sources = map.sources.map((source) => {
    const file = path.resolve(path.dirname(out), source);
    return source.includes("vitrine") && !existsSync(file) ? source.replace("\0", "") : path.relative(job.project, file);
  });
  await writeFile(`${out}.map`, JSON.stringify(map));
}

/** What a server has beside CommonJS. */
let mixed = /** @type {string | null} */ (null);

/** Bundles the server; who did it, and why CommonJS in it is strict. */
async function write() {
  if (job.place) {
    const settings = { folder: job.project, place: job.place, entry: job.entry, lead, standIn: standInScript, nativeStandIn, check: refuseOutside, bundle: bundleModules };
    const packed = await pack(settings);
    if (!("mixed" in packed)) {
      await writeScript({ adapter: job.adapter, out: job.out, folder: job.project }, packed);
      return { bundler: `node ${process.versions.node}`, strict: null };
    }
    mixed = packed.mixed;
    rmSync(path.join(path.dirname(job.out), "vitrine"), { recursive: true, force: true });
  }
  standIns.clear();
  const { name, version, load } = await findBundler();
  if (name === "rolldown") await withRolldown(load, { index: job.adapter }, { file: job.out, codeSplitting: false });
  else await withEsbuild(load, [job.adapter], { outfile: job.out });
  await shortenPaths(job.out);
  return { bundler: `${name} ${version}`, strict: mixed };
}

try {
  console.log(JSON.stringify({ ...(await write()), standIns: [...standIns].sort() }));
} catch (error) {
  // Both bundlers list what is wrong; their own text draws it for a terminal.
  const all = Array.isArray(error.errors) && error.errors.length > 0 ? error.errors : [error];
  const complaint = all.map(({ text, message }) => text ?? stripVTControlCharacters(message)).join("; ");
  const isMissing = complaint.includes("Could not resolve");
  const strict = mixed === null ? "" : `; CommonJS is strict here, because ${mixed}`;
  console.error(isMissing ? `${complaint}; install the project's packages where it is deployed from (\`npm ci\`)` : `${complaint}${strict}`);
  process.exitCode = 1;
}
