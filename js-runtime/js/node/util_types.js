// node:util/types.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const types = core.loadExtScript("ext:deno_node/internal/util/types.js");

function isCryptoKey(value) {
  return value instanceof core.loadExtScript("ext:vitrine/web/crypto_key.js").CryptoKey;
}

// What it would be true for, native code alone can make.
const isExternal = () => false;

return exportsOf("node:util/types", Object.assign(types, { isCryptoKey, isExternal }));
})();
