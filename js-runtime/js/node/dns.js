// node:dns: no names are looked up.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { CODES, ...order } = core.loadExtScript("ext:vitrine/node/internal/dns.js");
const { default: promises } = core.loadExtScript("ext:vitrine/node/dns_promises.js");
return exportsOf("node:dns", { ...CODES, ...order, ADDRCONFIG: 32, ALL: 16, V4MAPPED: 8, getServers: () => [], promises });
})();
