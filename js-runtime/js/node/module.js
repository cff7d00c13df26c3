// node:module: `require` for the built-ins, and for CommonJS files of the bundle by their path.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { op_built_in, op_built_ins, op_file_read, op_file_size } = core.ops;

const FILE_PARAMETERS = "exports, require, module, __filename, __dirname";
// Modules of files by their path.
const files = new Map();

function createRequire(from = undefined) {
  const require = (name) => {
    const script = op_built_in(String(name));
    if (script === "") return load(find(String(name), from));
    const exports = core.loadExtScript(script);
    return exports.default ?? exports;
  };
  const resolve = (name) => (op_built_in(String(name)) === "" ? find(String(name), from) : name);
  return Object.assign(require, { cache: {}, resolve });
}

// The path of a file of the bundle, seen from another one.
function find(name, from) {
  const path = core.loadExtScript("ext:vitrine/node/path.js");
  const { fileURLToPath } = core.loadExtScript("ext:vitrine/node/url.js");
  if (from === undefined || !/^\.{0,2}\//.test(name)) throw notFound(name);
  const base = /^(?:app|file):/.test(String(from)) ? fileURLToPath(String(from)) : String(from);
  const file = path.resolve(base.endsWith("/") ? base : path.dirname(base), name);
  if (op_file_size(file.slice(1)) < 0) throw notFound(name);
  return file;
}

// A script that says nothing else is sloppy, as in Node.js.
function load(file) {
  const known = files.get(file);
  if (known !== undefined) return known.exports;
  const { Buffer } = core.loadExtScript("ext:vitrine/node/buffer.js");
  const text = Buffer.from(op_file_read(file.slice(1))).toString();
  const module = { id: file, filename: file, exports: {} };
  files.set(file, module);
  try {
    if (file.endsWith(".json")) {
      module.exports = JSON.parse(text);
      return module.exports;
    }
    const [body, failure] = core.evalContext(`(function (${FILE_PARAMETERS}) {${text}\n})`, `app://${file}`);
    if (failure) throw failure.thrown;
    const folder = file.slice(0, file.lastIndexOf("/")) || "/";
    Reflect.apply(body, module.exports, [module.exports, createRequire(file), module, file, folder]);
  } catch (error) {
    files.delete(file);
    throw error;
  }
  return module.exports;
}

function notFound(name) {
  const message = `Cannot find module '${name}': it is no built-in module of Vitrine; bundle it into the server's file`;
  return Object.assign(new Error(message), { code: "MODULE_NOT_FOUND" });
}

const isBuiltin = (name) => op_built_in(String(name)) !== "";

// What a package extends or asks for its parts; there are no files that it could load.
function Module() {
  throw new Error("An app on Vitrine loads its modules when it starts: Module of node:module can't make another one");
}

return exportsOf("node:module", Object.assign(Module, {
  Module, _cache: {}, _extensions: {}, _pathCache: {}, builtinModules: op_built_ins(), constants: {}, createRequire, globalPaths: [], isBuiltin,
}));
})();
