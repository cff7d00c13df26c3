// node:tls: there are no sockets.
(function () {
const { core } = __bootstrap;
const { exportsOf, unavailable } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const { Duplex } = core.loadExtScript("ext:deno_node/stream.js");

const refuse = unavailable("node:tls", "TLSSocket");

// One around a stream can be made, because a client of HTTP/2 makes one while it is imported, for the class of its handle. Nothing
// passes through it.
class TLSSocket extends Duplex {
  encrypted = true;
  authorized = false;
  _handle = { _parentWrap: { constructor: unavailable("node:tls", "JSStreamSocket") } };

  constructor(stream = undefined) {
    if (typeof stream?.pipe !== "function") refuse();
    super();
  }

  _read() {
    refuse();
  }

  _write() {
    refuse();
  }
}

return exportsOf("node:tls", {
  CLIENT_RENEG_LIMIT: 3,
  CLIENT_RENEG_WINDOW: 600,
  DEFAULT_CIPHERS: "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256:" +
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256:" +
    "ECDHE-RSA-AES128-SHA256:DHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384:DHE-RSA-AES256-SHA384:ECDHE-RSA-AES256-SHA256:" +
    "DHE-RSA-AES256-SHA256:HIGH:!aNULL:!eNULL:!EXPORT:!DES:!RC4:!MD5:!PSK:!SRP:!CAMELLIA",
  DEFAULT_ECDH_CURVE: "auto",
  DEFAULT_MAX_VERSION: "TLSv1.3",
  DEFAULT_MIN_VERSION: "TLSv1.2",
  rootCertificates: [],
  TLSSocket,
});
})();
