// node:http2: its numbers and names. There are no sockets.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const constants = core.loadExtScript("ext:vitrine/node/internal/http2_constants.js");
return exportsOf("node:http2", { constants, sensitiveHeaders: Symbol("sensitiveHeaders") });
})();
