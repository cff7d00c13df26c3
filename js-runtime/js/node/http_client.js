// The client of node:http and node:https: its calls are made as those of fetch are, so that the host's rules for egress hold.
(function () {
const { core } = __bootstrap;
const { EventEmitter } = core.loadExtScript("ext:vitrine/node/events.js");
const { Buffer } = core.loadExtScript("ext:vitrine/node/buffer.js");
const { IncomingMessage, OutgoingMessage, Socket, bytesOf } = core.loadExtScript("ext:vitrine/node/http_message.js");
const { STATUS_CODES } = core.loadExtScript("ext:vitrine/node/http_codes.js");
const { fetchAsIs } = core.loadExtScript("ext:vitrine/web/fetch.js");

// The host's broker keeps connections; an agent only carries what the app gave it.
class Agent extends EventEmitter {
  maxSockets = Infinity;
  maxFreeSockets = 256;
  maxTotalSockets = Infinity;
  requests = {};
  sockets = {};
  freeSockets = {};

  constructor(options = {}) {
    super();
    this.options = { path: null, noDelay: true, ...options };
    this.keepAlive = options.keepAlive ?? false;
    this.protocol = options.protocol ?? "http:";
    this.defaultPort = this.protocol === "https:" ? 443 : 80;
  }

  getName({ host = "localhost", port = "", localAddress = "" } = {}) {
    return `${host}:${port}:${localAddress}`;
  }

  destroy() {}
}

// What fetch sets by itself, and a caller of node:http sets by hand.
const OF_FETCH = new Set(["connection", "content-length", "expect", "host", "keep-alive", "transfer-encoding", "upgrade"]);
const WITHOUT_BODY = new Set(["GET", "HEAD"]);

function urlOf(options, protocol) {
  const scheme = options.protocol ?? options.agent?.protocol ?? protocol;
  const host = String(options.hostname ?? options.host ?? "localhost");
  if (/[\s/\\?#@]/.test(host)) throw new TypeError(`Invalid host: ${host}`);
  const name = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  const port = options.port ?? options.defaultPort ?? "";
  const path = String(options.path ?? "/");
  // One text: the path is often a visitor's, and `//name/` or `/\\name/` in it must not become the host.
  return new URL(`${scheme}//${name}${port === "" ? "" : `:${Number(port)}`}${/^[/?]/.test(path) ? "" : "/"}${path}`);
}

class ClientRequest extends OutgoingMessage {
  aborted = false;
  reusedSocket = false;
  // By this the streams of Node.js know that it is an answer of this side.
  upgradeOrConnect = false;
  #url;
  #pieces = [];
  #abort = new AbortController();
  #timeout = null;

  constructor(options, callback, protocol) {
    super();
    this.method = String(options.method ?? "GET").toUpperCase();
    this.#url = urlOf(options, protocol);
    this.protocol = this.#url.protocol;
    this.host = this.#url.hostname;
    this.path = options.path ?? "/";
    this.agent = options.agent;
    this.socket = new Socket({ encrypted: this.protocol === "https:", remoteAddress: undefined });
    const headers = options.headers ?? {};
    const pairs = Array.isArray(headers) ? headers.flatMap((_, i) => (i % 2 === 0 ? [headers.slice(i, i + 2)] : [])) : Object.entries(headers);
    for (const [name, value] of pairs) if (value !== undefined) this.setHeader(name, value);
    if (!this.hasHeader("host")) this.setHeader("host", this.#url.host);
    if (options.auth && !this.hasHeader("authorization")) {
      this.setHeader("authorization", `Basic ${Buffer.from(options.auth).toString("base64")}`);
    }
    if (callback !== undefined) this.once("response", callback);
    if (options.timeout) this.setTimeout(options.timeout);
    options.signal?.addEventListener("abort", () => this.destroy(options.signal.reason), { once: true });
    queueMicrotask(() => this.emit("socket", this.socket));
  }

  setTimeout(ms, callback) {
    clearTimeout(this.#timeout);
    if (callback !== undefined) this.once("timeout", callback);
    if (ms > 0 && !this.closed) {
      this.#timeout = setTimeout(() => {
        this.emit("timeout");
        this.socket.emit("timeout");
      }, ms);
    }
    return this;
  }

  setNoDelay() {}
  setSocketKeepAlive() {}

  flushHeaders() {
    this.headersSent = true;
  }

  write(chunk, encoding, callback) {
    if (typeof encoding === "function") [encoding, callback] = [undefined, encoding];
    this.#pieces.push(bytesOf(chunk, encoding));
    if (typeof callback === "function") queueMicrotask(callback);
    return true;
  }

  end(chunk, encoding, callback) {
    if (typeof chunk === "function") [chunk, callback] = [undefined, chunk];
    else if (typeof encoding === "function") [encoding, callback] = [undefined, encoding];
    if (this.writableEnded || this.destroyed) return this;
    if (chunk !== undefined && chunk !== null) this.write(chunk, encoding);
    if (typeof callback === "function") this.once("finish", callback);
    this.writableEnded = this.finished = this.headersSent = true;
    queueMicrotask(() => {
      this.writableFinished = true;
      this.emit("finish");
    });
    this.#send().then((response) => this.#receive(response), (error) => this.#fail(error));
    return this;
  }

  #send() {
    const headers = this._pairs().filter(([name]) => !OF_FETCH.has(name.toLowerCase()));
    const body = this.#pieces.length === 0 || WITHOUT_BODY.has(this.method) ? undefined : Buffer.concat(this.#pieces);
    this.#pieces = [];
    return fetchAsIs(this.#url, { method: this.method, headers, body, signal: this.#abort.signal });
  }

  #receive(response) {
    if (this.destroyed) return;
    const message = new IncomingMessage(this.socket);
    message.statusCode = response.status;
    message.statusMessage = response.statusText || STATUS_CODES[response.status] || "";
    message.url = "";
    message.req = this;
    message._take(response.headers, response.body);
    this.res = message;
    message.once("close", () => this.#close());
    // A call without a listener drains its answer, so that the connection is free again.
    if (!this.emit("response", message)) message.resume();
  }

  #fail(error) {
    if (this.destroyed) return;
    const { code = "ECONNRESET", syscall } = error.cause ?? {};
    this.destroy(Object.assign(new Error(error.message, { cause: error }), syscall === undefined ? { code } : { code, syscall }));
  }

  abort() {
    if (this.aborted) return;
    this.aborted = true;
    queueMicrotask(() => this.emit("abort"));
    this.destroy();
  }

  destroy(error) {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.#abort.abort();
    this.res?.destroy(error);
    const reason = error ?? (this.res === undefined ? Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }) : null);
    this.errored = reason;
    queueMicrotask(() => {
      if (reason !== null) this.emit("error", reason);
      this.#close();
    });
    return this;
  }

  #close() {
    clearTimeout(this.#timeout);
    if (this.closed) return;
    this.closed = true;
    this.emit("close");
  }
}

// `request` and `get` of a module with this protocol: (url), (options) or (url, options), each with a callback.
function client(protocol) {
  const request = (input, options, callback) => {
    if (typeof options === "function") [options, callback] = [undefined, options];
    if (typeof input === "string" || input instanceof URL) {
      const { urlToHttpOptions } = core.loadExtScript("ext:vitrine/node/url.js");
      input = urlToHttpOptions(new URL(input));
    }
    return new ClientRequest({ ...input, ...options }, callback, protocol);
  };
  const get = (input, options, callback) => {
    const made = request(input, options, callback);
    made.end();
    return made;
  };
  return { get, request };
}

return { Agent, ClientRequest, client };
})();
