// node:util/types.
(function () {
const { core } = __bootstrap;
return core.loadExtScript("ext:vitrine/node/util.js").types;
})();
