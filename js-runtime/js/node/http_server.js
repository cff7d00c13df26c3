// The server of node:http. Nothing listens: requests of the app go to the server that the app told to listen first.
(function () {
const { core } = __bootstrap;
const { EventEmitter } = core.loadExtScript("ext:vitrine/node/events.js");
const { IncomingMessage, OutgoingMessage, Socket, aborted, bytesOf } = core.loadExtScript("ext:vitrine/node/http_message.js");
const listening = core.loadExtScript("ext:vitrine/node/http_listening.js");
const { STATUS_CODES } = core.loadExtScript("ext:vitrine/node/http_codes.js");
const { Body, kBody } = core.loadExtScript("ext:vitrine/web/body.js");
const { Response } = core.loadExtScript("ext:vitrine/web/response.js");
const { ReadableStream } = core.loadExtScript("ext:vitrine/web/stream.js");

// These are the connection's own business.
const HOP_BY_HOP = ["connection", "keep-alive", "transfer-encoding", "upgrade"];
const WITHOUT_BODY = [101, 204, 205, 304];

function later(callback) {
  if (typeof callback === "function") queueMicrotask(callback);
}

function isUtf8(encoding) {
  return encoding === undefined || encoding === null || encoding === "utf8" || encoding === "utf-8";
}

// A chunk as bytes of its own: a stream takes them over, and the app may go on using its buffer.
function ownBytes(chunk, encoding) {
  if (typeof chunk === "string" && isUtf8(encoding)) return core.encode(chunk);
  return new Uint8Array(bytesOf(chunk, encoding));
}

// Collects a head, then passes a body on piece by piece.
class ServerResponse extends OutgoingMessage {
  statusCode = 200;
  statusMessage = undefined;
  #controller = null;
  #answer = null;
  // Whether the head was given away.
  #begun = false;

  constructor(req) {
    super();
    this.req = req;
    this.socket = req?.socket ?? null;
  }

  // Where the head is given to, and what went wrong before it.
  _answerTo(answer) {
    this.#answer = answer;
    this.socket.once("close", () => {
      this.#lose(aborted());
      this.#close();
    });
  }

  assignSocket() {}
  detachSocket() {}
  writeContinue() {}
  writeProcessing() {}
  writeEarlyHints(hints, callback) { later(callback); }

  writeHead(status, message, headers) {
    if (this.headersSent) throw Object.assign(new Error("Cannot write headers after they are sent to the client"), { code: "ERR_HTTP_HEADERS_SENT" });
    if (!Number.isInteger(Number(status)) || status < 100 || status > 999) {
      throw Object.assign(new RangeError(`Invalid status code: ${status}`), { code: "ERR_HTTP_INVALID_STATUS_CODE" });
    }
    const given = typeof message === "string" ? headers : (message ?? headers);
    this.statusCode = Number(status);
    if (typeof message === "string") this.statusMessage = message;
    if (Array.isArray(given)) {
      const pairs = Array.isArray(given[0]) ? given : given.flatMap((_, index) => (index % 2 === 0 ? [given.slice(index, index + 2)] : []));
      for (const [name] of pairs) this.removeHeader(name);
      for (const [name, value] of pairs) this.appendHeader(name, value);
    } else {
      for (const name of Object.keys(given ?? {})) if (given[name] !== undefined) this.setHeader(name, given[name]);
    }
    this.statusMessage ??= STATUS_CODES[this.statusCode] ?? "unknown";
    this.headersSent = true;
    return this;
  }

  // Session middleware asks for the head before it writes.
  _implicitHeader() {
    this.writeHead(this.statusCode);
  }

  flushHeaders() {
    this.#begin(null);
  }

  write(chunk, encoding, callback) {
    if (typeof encoding === "function") [encoding, callback] = [undefined, encoding];
    if (this.writableEnded) {
      const error = Object.assign(new Error("write after end"), { code: "ERR_STREAM_WRITE_AFTER_END" });
      queueMicrotask(() => this.emit("error", error));
      later(callback && (() => callback(error)));
      return false;
    }
    const bytes = ownBytes(chunk, encoding);
    this.#begin(null);
    if (!this.destroyed && bytes.byteLength > 0) this.#controller?.enqueue(bytes);
    later(callback);
    return (this.#controller?.desiredSize ?? 1) > 0;
  }

  end(chunk, encoding, callback) {
    if (typeof chunk === "function") [chunk, callback] = [undefined, chunk];
    else if (typeof encoding === "function") [encoding, callback] = [undefined, encoding];
    if (this.writableEnded) {
      later(callback);
      return this;
    }
    chunk ??= "";
    if (!this.#begun) {
      // Text stays text: no copy of it is made in JavaScript.
      this.#begin(typeof chunk === "string" && isUtf8(encoding) ? chunk : ownBytes(chunk, encoding));
    } else if (chunk.length !== 0) {
      const bytes = ownBytes(chunk, encoding);
      if (!this.destroyed) this.#controller?.enqueue(bytes);
    }
    this.writableEnded = this.finished = true;
    if (!this.destroyed) this.#controller?.close();
    queueMicrotask(() => {
      this.writableFinished = true;
      this.emit("prefinish");
      this.emit("finish");
      if (typeof callback === "function") callback();
      this.req?._dump?.();
      this.#close();
    });
    return this;
  }

  destroy(error) {
    if (this.destroyed) return this;
    this.errored = error ?? null;
    this.#lose(error ?? new Error("The response was destroyed"));
    this.socket?.destroy();
    queueMicrotask(() => this.#close());
    return this;
  }

  // Nobody takes the rest.
  #lose(reason) {
    if (this.destroyed) return;
    this.destroyed = true;
    if (!this.#begun) this.#answer?.reject(reason);
    else if (!this.writableEnded) this.#controller?.error(reason);
  }

  #close() {
    if (this.closed) return;
    this.closed = true;
    this.emit("close");
  }

  // Gives the head away. `whole` is all of the body, as text or bytes, if it is known.
  #begin(whole) {
    if (this.#begun) return;
    // Middleware replaces writeHead() to add headers at the last moment: it is called for every answer.
    if (!this.headersSent) this.writeHead(this.statusCode);
    this.#begun = true;
    const headers = this._pairs().filter(([name]) => !HOP_BY_HOP.includes(name));
    const init = { status: this.statusCode, headers };
    // A HEAD request is told how long the body would be, if that is known.
    if (WITHOUT_BODY.includes(this.statusCode) || (this.req?.method === "HEAD" && !whole)) {
      this.#answer?.resolve(new Response(null, init));
    } else if (whole !== null) {
      const response = new Response(null, init);
      response[kBody] = new Body(whole, null, null);
      this.#answer?.resolve(response);
    } else {
      const source = {
        start: (controller) => (this.#controller = controller),
        pull: () => this.emit("drain"),
        cancel: (reason) => this.destroy(reason instanceof Error ? reason : undefined),
      };
      this.#answer?.resolve(new Response(new ReadableStream(source, { highWaterMark: 16 }), init));
    }
  }
}

class Server extends EventEmitter {
  listening = false;
  timeout = 0;
  keepAliveTimeout = 5000;
  headersTimeout = 60_000;
  requestTimeout = 300_000;
  maxHeadersCount = null;
  maxRequestsPerSocket = 0;
  #port = 0;

  constructor(options = undefined, listener = undefined) {
    super();
    listening.hasServer = true;
    if (typeof options === "function") listener = options;
    if (typeof listener === "function") this.on("request", listener);
  }

  listen(...args) {
    const [where] = args;
    const callback = args.find((arg) => typeof arg === "function");
    this.#port = Number(typeof where === "object" && where !== null ? where.port : where) || 80;
    this.listening = true;
    if (!listening.begin(this)) {
      console.warn(`A second server listens on port ${this.#port}: on Vitrine all requests of an app go to the server that listened first`);
    }
    setImmediate(() => {
      this.emit("listening");
      callback?.call(this);
    });
    return this;
  }

  close(callback) {
    const was = this.listening;
    this.listening = false;
    setImmediate(() => {
      this.emit("close");
      callback?.(was ? undefined : Object.assign(new Error("Server is not running."), { code: "ERR_SERVER_NOT_RUNNING" }));
    });
    return this;
  }

  address() {
    return this.listening ? { address: "::", family: "IPv6", port: this.#port } : null;
  }

  setTimeout(ms, callback) {
    if (callback !== undefined) this.on("timeout", callback);
    return this;
  }

  getConnections(callback) { setImmediate(() => callback(null, 0)); }
  closeAllConnections() {}
  closeIdleConnections() {}
  ref() { return this; }
  unref() { return this; }

  async [Symbol.asyncDispose]() {
    this.close();
  }

  // The server that listens, or a promise of it.
  static get [Symbol.for("vitrine.listening")]() {
    return listening.server ?? listening.first;
  }

  // Answers a Request with the Response that the listeners of "request" make.
  [Symbol.for("vitrine.fetch")](request) {
    if (request.headers.get("upgrade") === "websocket" && this.listenerCount("upgrade") > 0) {
      // Its listener wants the bytes of a connection, and there are messages only.
      return new Response("This server takes WebSockets by the event `upgrade`, for which there are no connections here; export a fetch handler " +
        "that answers with a WebSocketPair\n", { status: 501 });
    }
    const url = new URL(request.url);
    const forwarded = request.headers.get("x-forwarded-for")?.split(",")[0].trim();
    const socket = new Socket({ encrypted: url.protocol === "https:", remoteAddress: forwarded ?? "127.0.0.1" });
    const req = new IncomingMessage(socket);
    req.method = request.method;
    req.url = url.pathname + url.search;
    req._take(request.headers, request.body);
    if (req.headers.host === undefined) req._addHeader("host", url.host);
    if (request.body !== null && req.headers["content-length"] === undefined) req._addHeader("transfer-encoding", "chunked");
    const answer = Promise.withResolvers();
    const res = new ServerResponse(req);
    // Before what the answer and the app listen for: Node.js tells the request first.
    socket.once("close", () => req.destroy(aborted()));
    // Nobody awaits the answer to a client that has gone, and its error would only be logged.
    const reject = (error) => request.signal.aborted || answer.reject(error);
    res._answerTo({ resolve: answer.resolve, reject });
    request.signal.addEventListener("abort", () => socket.destroy(), { once: true });
    if (!this.emit("request", req, res)) answer.reject(new Error("The server has no listener for requests"));
    return answer.promise;
  }
}

const createServer = (options, listener) => new Server(options, listener);

return { Server, ServerResponse, createServer };
})();
