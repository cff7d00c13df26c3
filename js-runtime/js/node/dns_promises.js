// node:dns/promises: no names are looked up.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { CODES, ...order } = core.loadExtScript("ext:vitrine/node/internal/dns.js");
return exportsOf("node:dns/promises", { ...CODES, ...order, getServers: () => [] });
})();
