// The part of Deno's global object that servers of WebSockets use. A bundle has it only if it names it: others take the name of this object
// for all of Deno.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectFreeze, StringPrototypeToLowerCase, TypeError } = primordials;
const { Request } = core.loadExtScript("ext:vitrine/web/request.js");
const { Response } = core.loadExtScript("ext:vitrine/web/response.js");
const { makeServer } = core.loadExtScript("ext:vitrine/web/web_socket.js");

// A socket for a request that asks for one, and the answer that opens it. The host itself looks whether the other side is there.
function upgradeWebSocket(request, options = undefined) {
  if (!(request instanceof Request)) throw new TypeError("Deno.upgradeWebSocket takes a Request");
  const upgrade = request.headers.get("upgrade");
  if (upgrade === null || StringPrototypeToLowerCase(upgrade) !== "websocket") {
    throw new TypeError("Invalid Header: 'upgrade' header must contain 'websocket'");
  }
  const protocol = options?.protocol ?? "";
  const { client, server } = makeServer(protocol);
  const headers = protocol === "" ? {} : { "sec-websocket-protocol": protocol };
  return { response: new Response(null, { status: 101, webSocket: client, headers }), socket: server };
}

return { Deno: ObjectFreeze({ __proto__: null, upgradeWebSocket }) };
})();
