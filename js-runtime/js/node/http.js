// node:http.
(function () {
const { core } = __bootstrap;
const { METHODS, STATUS_CODES } = core.loadExtScript("ext:vitrine/node/http_codes.js");
const { IncomingMessage, OutgoingMessage, validateHeaderName, validateHeaderValue } = core.loadExtScript("ext:vitrine/node/http_message.js");
const { Agent, ClientRequest, client } = core.loadExtScript("ext:vitrine/node/http_client.js");
const { Server, ServerResponse, createServer } = core.loadExtScript("ext:vitrine/node/http_server.js");
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { CloseEvent, MessageEvent } = core.loadExtScript("ext:deno_web/02_event.js");

return exportsOf("node:http", {
  METHODS, STATUS_CODES, Agent, ClientRequest, IncomingMessage, OutgoingMessage, Server, ServerResponse, createServer, validateHeaderName,
  validateHeaderValue, ...client("http:"), globalAgent: new Agent({ keepAlive: true }), maxHeaderSize: 16 * 1024, setMaxIdleHTTPParsers() {},
  _connectionListener() {}, CloseEvent, MessageEvent,
});
})();
