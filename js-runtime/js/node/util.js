// node:util, with the names that a later Node.js has given up.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
// `parseEnv` reads a file of variables; the worker has no reader of one.
const { parseEnv: _, ...util } = core.loadExtScript("ext:deno_node/util.js");
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.js");
const { types } = util;

const isObject = (value) => value !== null && typeof value === "object";

return exportsOf("node:util", {
  ...util,
  getCallSite: util.getCallSites,
  isBoolean: (value) => typeof value === "boolean",
  isBuffer: Buffer.isBuffer,
  isDate: types.isDate,
  isError: (value) => types.isNativeError(value) || value instanceof Error,
  isFunction: (value) => typeof value === "function",
  isNull: (value) => value === null,
  isNullOrUndefined: (value) => value === null || value === undefined,
  isNumber: (value) => typeof value === "number",
  isObject,
  isPrimitive: (value) => !isObject(value) && typeof value !== "function",
  isRegExp: types.isRegExp,
  isString: (value) => typeof value === "string",
  isSymbol: (value) => typeof value === "symbol",
  isUndefined: (value) => value === undefined,
});
})();
