// node:https. The host ends TLS, so that a server of it is one of node:http.
(function () {
const { core } = __bootstrap;
const { Agent: HttpAgent, client } = core.loadExtScript("ext:vitrine/node/http_client.js");
const { Server } = core.loadExtScript("ext:vitrine/node/http_server.js");
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");

class Agent extends HttpAgent {
  constructor(options = {}) {
    super({ protocol: "https:", ...options });
  }
}

return exportsOf("node:https", { Agent, Server, createServer: (options, listener) => new Server(options, listener), globalAgent: new Agent({ keepAlive: true }), ...client("https:") });
})();
