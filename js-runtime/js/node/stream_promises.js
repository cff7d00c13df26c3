// node:stream/promises.
(function () {
const { core } = __bootstrap;
return core.loadExtScript("ext:vitrine/node/stream.js").promises;
})();
