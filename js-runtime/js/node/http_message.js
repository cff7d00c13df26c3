// Requests and answers of node:http as both sides of a call see them.
(function () {
const { core } = __bootstrap;
const { Readable } = core.loadExtScript("ext:vitrine/node/stream.js");
const { EventEmitter } = core.loadExtScript("ext:vitrine/node/events.js");
const { Buffer } = core.loadExtScript("ext:vitrine/node/buffer.js");
const { nextTick } = core.loadExtScript("ext:vitrine/node/internal/process.js");

const TOKEN = /^[\^_`a-zA-Z\-0-9!#$%&'*+.|~]+$/;
const INVALID_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

function validateHeaderName(name, label = "Header name") {
  if (typeof name !== "string" || !TOKEN.test(name)) {
    throw Object.assign(new TypeError(`${label} must be a valid HTTP token ["${name}"]`), { code: "ERR_INVALID_HTTP_TOKEN" });
  }
}

function validateHeaderValue(name, value) {
  if (value === undefined) {
    throw Object.assign(new TypeError(`Invalid value "${value}" for header "${name}"`), { code: "ERR_HTTP_INVALID_HEADER_VALUE" });
  }
  if (INVALID_VALUE.test(String(value))) {
    throw Object.assign(new TypeError(`Invalid character in header content ["${name}"]`), { code: "ERR_INVALID_CHAR" });
  }
}

// What code asks of the connection: where the request came from, and when the client has gone. There is none to read from.
class Socket extends EventEmitter {
  destroyed = false;
  connecting = false;
  readable = true;
  writable = true;
  timeout = 0;

  constructor({ encrypted, remoteAddress }) {
    super();
    this.encrypted = this.authorized = encrypted;
    this.remoteAddress = remoteAddress;
    this.remoteFamily = remoteAddress?.includes(":") ? "IPv6" : "IPv4";
    this.remotePort = 0;
    this.localAddress = "127.0.0.1";
    this.localPort = encrypted ? 443 : 80;
  }

  setTimeout(ms, callback) {
    if (callback !== undefined) this.once("timeout", callback);
    return this;
  }

  setNoDelay() { return this; }
  setKeepAlive() { return this; }
  ref() { return this; }
  unref() { return this; }
  cork() {}
  uncork() {}
  address() { return { address: this.localAddress, family: "IPv4", port: this.localPort }; }
  write() { throw new Error("socket.write: an app on Vitrine has no sockets; write to the response"); }

  end() {
    this.destroy();
  }

  destroy() {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.readable = this.writable = false;
    queueMicrotask(() => this.emit("close", false));
    return this;
  }
}

// What a message fails with whose connection is gone.
const aborted = () => Object.assign(new Error("aborted"), { code: "ECONNRESET" });

// Headers that Node keeps the first of; all others are joined.
const FIRST_OF = new Set([
  "age", "authorization", "content-length", "content-type", "etag", "expires", "from", "host", "if-modified-since", "if-unmodified-since",
  "last-modified", "location", "max-forwards", "proxy-authorization", "referer", "retry-after", "server", "user-agent",
]);

class IncomingMessage extends Readable {
  httpVersion = "1.1";
  httpVersionMajor = 1;
  httpVersionMinor = 1;
  complete = false;
  aborted = false;
  headers = {};
  rawHeaders = [];
  trailers = {};
  rawTrailers = [];
  method = null;
  url = "";
  statusCode = null;
  statusMessage = null;
  // By these two the streams of Node.js know a message from other streams.
  _consuming = false;
  _dumped = false;
  #source = null;
  #reader = null;
  #isConsumed = false;

  constructor(socket) {
    super();
    this.socket = this.connection = this.client = socket;
  }

  // Takes headers and a web stream, or null, that the body is read from.
  _take(headers, body) {
    for (const [name, value] of headers) this._addHeader(name, value);
    this.#source = body;
    this.complete = body === null;
  }

  _addHeader(name, value) {
    this.rawHeaders.push(name, value);
    if (name === "set-cookie") {
      (this.headers[name] ??= []).push(value);
    } else if (this.headers[name] === undefined) {
      this.headers[name] = value;
    } else if (!FIRST_OF.has(name)) {
      this.headers[name] += (name === "cookie" ? "; " : ", ") + value;
    }
  }

  get headersDistinct() {
    const distinct = { __proto__: null };
    for (let i = 0; i < this.rawHeaders.length; i += 2) (distinct[this.rawHeaders[i]] ??= []).push(this.rawHeaders[i + 1]);
    return distinct;
  }

  get trailersDistinct() {
    return {};
  }

  // The answer is sent: a body that nobody reads has no more readers, and ends.
  _dump() {
    if (this._dumped || this.#isConsumed) return;
    this._dumped = this.complete = true;
    this.#source?.cancel().catch(() => {});
    this.#source = null;
    this.resume();
  }

  _read() {
    this.#isConsumed = true;
    if (this.#source === null) {
      this.push(null);
      return;
    }
    this.#reader ??= this.#source.getReader();
    this.#reader.read().then(
      ({ done, value }) => {
        this.complete = done;
        this.push(done ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength));
      },
      (error) => this.destroy(error),
    );
  }

  _destroy(error, callback) {
    if (!this.readableEnded || !this.complete) {
      this.aborted = true;
      this.#reader?.cancel(error).catch(() => {});
      this.emit("aborted");
      this.socket?.destroy();
    }
    // As in Node.js, only who listens for errors is given one.
    nextTick(() => callback(this.listenerCount("error") === 0 ? null : error));
  }

  setTimeout(ms, callback) {
    this.socket.setTimeout(ms, callback);
    return this;
  }
}

// The head of what is sent, and where the body goes.
class OutgoingMessage extends EventEmitter {
  headersSent = false;
  finished = false;
  writableEnded = false;
  writableFinished = false;
  writableCorked = 0;
  writableObjectMode = false;
  destroyed = false;
  errored = null;
  closed = false;
  sendDate = true;
  shouldKeepAlive = true;
  chunkedEncoding = false;
  useChunkedEncodingByDefault = true;
  socket = null;
  // Name as it was given and values, by the name in lower case.
  #headers = new Map();

  get connection() {
    return this.socket;
  }

  get writable() {
    return !this.writableEnded && !this.destroyed;
  }

  get writableHighWaterMark() {
    return 16 * 1024;
  }

  get writableLength() {
    return 0;
  }

  get writableNeedDrain() {
    return false;
  }

  get _header() {
    return this.headersSent ? "HTTP/1.1" : null;
  }

  setHeader(name, value) {
    this.#refuseSent("set");
    validateHeaderName(name);
    for (const one of Array.isArray(value) ? value : [value]) validateHeaderValue(name, one);
    this.#headers.set(name.toLowerCase(), [name, Array.isArray(value) ? [...value] : value]);
    return this;
  }

  setHeaders(headers) {
    for (const [name, value] of headers) {
      if (name === "set-cookie") this.appendHeader(name, value);
      else this.setHeader(name, value);
    }
    return this;
  }

  appendHeader(name, value) {
    this.#refuseSent("append");
    const before = this.getHeader(name);
    return this.setHeader(name, before === undefined ? value : [before, value].flat());
  }

  getHeader(name) {
    return this.#headers.get(String(name).toLowerCase())?.[1];
  }

  getHeaderNames() {
    return [...this.#headers.keys()];
  }

  getRawHeaderNames() {
    return [...this.#headers.values()].map(([name]) => name);
  }

  getHeaders() {
    const headers = { __proto__: null };
    for (const [name, [, value]] of this.#headers) headers[name] = value;
    return headers;
  }

  hasHeader(name) {
    return this.#headers.has(String(name).toLowerCase());
  }

  removeHeader(name) {
    this.#refuseSent("remove");
    this.#headers.delete(String(name).toLowerCase());
  }

  // Headers as pairs, one for each value.
  _pairs() {
    const pairs = [];
    for (const [name, [, value]] of this.#headers) {
      for (const one of Array.isArray(value) ? value : [value]) pairs.push([name, String(one)]);
    }
    return pairs;
  }

  #refuseSent(doing) {
    if (this.headersSent) {
      throw Object.assign(new Error(`Cannot ${doing} headers after they are sent to the client`), { code: "ERR_HTTP_HEADERS_SENT" });
    }
  }

  addTrailers() {}
  cork() {}
  uncork() {}
  setDefaultEncoding() { return this; }

  setTimeout(ms, callback) {
    this.socket?.setTimeout(ms, callback);
    return this;
  }

  pipe() {
    this.emit("error", Object.assign(new Error("Cannot pipe, not readable"), { code: "ERR_STREAM_CANNOT_PIPE" }));
  }
}

function bytesOf(chunk, encoding) {
  if (typeof chunk === "string") return Buffer.from(chunk, typeof encoding === "string" ? encoding : "utf8");
  if (chunk instanceof Uint8Array) return chunk;
  throw Object.assign(new TypeError('The "chunk" argument must be of type string or an instance of Buffer or Uint8Array'), { code: "ERR_INVALID_ARG_TYPE" });
}

return { IncomingMessage, OutgoingMessage, Socket, aborted, bytesOf, validateHeaderName, validateHeaderValue };
})();
