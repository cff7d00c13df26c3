// node:fs/promises.
(function () {
const { core } = __bootstrap;
return core.loadExtScript("ext:vitrine/node/fs.js").promises;
})();
