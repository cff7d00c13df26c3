// node:constants: those of the system, files and cryptography in one.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { crypto, fs, os } = core.loadExtScript("ext:deno_node/internal_binding/constants.js");
const { DEFAULT_CIPHERS: defaultCipherList } = core.loadExtScript("ext:vitrine/node/tls.js");
return exportsOf("node:constants", { defaultCipherList, ...os.dlopen, ...os.errno, ...os.priority, ...os.signals, ...fs, ...crypto });
})();
