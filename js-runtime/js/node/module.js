// node:module: `require` for the built-ins, which is all that a bundled server asks of it.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { op_built_in, op_built_ins } = core.ops;

function createRequire() {
  const require = (name) => {
    const script = op_built_in(String(name));
    if (script === "") throw notFound(name);
    const exports = core.loadExtScript(script);
    return exports.default ?? exports;
  };
  const resolve = (name) => {
    if (op_built_in(String(name)) === "") throw notFound(name);
    return name;
  };
  return Object.assign(require, { cache: {}, resolve });
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
