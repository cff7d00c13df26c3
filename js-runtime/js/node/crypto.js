// node:crypto, on the same ops as Web Crypto.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { crypto: constants } = core.loadExtScript("ext:deno_node/internal_binding/constants.js");
const { crypto: webcrypto } = core.loadExtScript("ext:vitrine/web/crypto.js");
const { hashOf: _0, ...hashes } = core.loadExtScript("ext:vitrine/node/internal/crypto/hash.js");
const { KeyObject, createPrivateKey, createPublicKey, createSecretKey } = core.loadExtScript("ext:vitrine/node/internal/crypto/key_object.js");

return exportsOf("node:crypto", {
  constants, KeyObject, createPrivateKey, createPublicKey, createSecretKey, getFips: () => 0, webcrypto,
  ...hashes,
  ...core.loadExtScript("ext:vitrine/node/internal/crypto/cipher.js"),
  ...core.loadExtScript("ext:vitrine/node/internal/crypto/derivation.js"),
  ...core.loadExtScript("ext:vitrine/node/internal/crypto/pairs.js"),
  ...core.loadExtScript("ext:vitrine/node/internal/crypto/random.js"),
  ...core.loadExtScript("ext:vitrine/node/internal/crypto/sign.js"),
  get subtle() {
    return webcrypto.subtle;
  },
});
})();
