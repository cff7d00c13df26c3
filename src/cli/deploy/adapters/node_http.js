// Calls a handler that was written for Node's HTTP server, `(request, response) => …`, and answers with a Response.
import { EventEmitter } from "node:events";

/** What a handler asks of the connection: where the request came from, and when nobody waits any more. */
class Socket extends EventEmitter {
  destroyed = false;

  constructor(url, headers) {
    super();
    this.encrypted = url.protocol === "https:";
    this.remoteAddress = headers.get("x-forwarded-for")?.split(",")[0].trim();
  }

  destroy() {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit("close");
  }
}

class IncomingMessage extends EventEmitter {
  httpVersion = "1.1";
  httpVersionMajor = 1;
  httpVersionMinor = 1;
  complete = true;
  headers = {};
  rawHeaders = [];
  #body;

  constructor(request, url, body) {
    super();
    this.method = request.method;
    this.url = url.pathname + url.search;
    this.socket = this.connection = new Socket(url, request.headers);
    this.#body = body;
    for (const [name, value] of request.headers) {
      this.headers[name] = value;
      this.rawHeaders.push(name, value);
    }
    this.headers.host ??= url.host;
    // Whoever parses a body asks for its length first. One that came in chunks is here as a whole, too.
    if (body !== undefined && this.headers["content-length"] === undefined) {
      this.headers["content-length"] = String(body.byteLength);
      this.rawHeaders.push("content-length", this.headers["content-length"]);
    }
  }

  // Node has no field `body`: those that find one take it for what a parser made, and write it as JSON.
  async *[Symbol.asyncIterator]() {
    if (this.#body !== undefined) yield this.#body;
  }
}

/** Collects a head, then passes on a body piece by piece. */
class ServerResponse extends EventEmitter {
  statusCode = 200;
  statusMessage = "";
  headersSent = false;
  writableEnded = false;
  finished = false;
  destroyed = false;
  #headers = new Headers();
  #controller;
  #answer;

  constructor(req, answer) {
    super();
    this.req = req;
    this.socket = req.socket;
    this.#answer = answer;
  }

  setHeader(name, value) {
    this.#headers.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) this.#headers.append(name, String(one));
    return this;
  }

  appendHeader(name, value) {
    for (const one of Array.isArray(value) ? value : [value]) this.#headers.append(name, String(one));
    return this;
  }

  getHeader(name) {
    return this.#headers.get(name) ?? undefined;
  }

  getHeaderNames() {
    return [...new Set(this.#headers.keys())];
  }

  getHeaders() {
    return Object.fromEntries(this.#headers);
  }

  hasHeader(name) {
    return this.#headers.has(name);
  }

  removeHeader(name) {
    this.#headers.delete(name);
  }

  writeHead(status, message, headers) {
    const given = typeof message === "object" ? message : headers;
    this.statusCode = status;
    const pairs = Array.isArray(given) ? given.flatMap((_, index) => (index % 2 === 0 ? [given.slice(index, index + 2)] : [])) : Object.entries(given ?? {});
    for (const [name, value] of pairs) {
      if (value !== undefined) this.setHeader(name, value);
    }
    return this;
  }

  flushHeaders() {
    this.#begin(false);
  }

  write(chunk, encoding, callback) {
    this.#begin(false);
    if (!this.writableEnded && !this.destroyed) this.#controller?.enqueue(bytes(chunk, encoding));
    done(callback ?? encoding);
    return (this.#controller?.desiredSize ?? 1) > 0;
  }

  end(chunk, encoding, callback) {
    if (this.writableEnded) return this;
    const hasChunk = chunk !== undefined && chunk !== null && typeof chunk !== "function";
    this.#begin(!hasChunk);
    if (hasChunk && !this.destroyed) this.#controller?.enqueue(bytes(chunk, encoding));
    this.writableEnded = this.finished = true;
    if (!this.destroyed) this.#controller?.close();
    this.emit("finish");
    this.emit("close");
    done([chunk, encoding, callback].find((value) => typeof value === "function"));
    return this;
  }

  destroy(error) {
    if (this.destroyed) return this;
    this.destroyed = true;
    if (this.headersSent && !this.writableEnded) this.#controller?.error(error ?? new Error("The response was destroyed"));
    if (!this.headersSent) this.#answer.reject(error ?? new Error("The response was destroyed before its head"));
    this.req.socket.destroy();
    this.emit("close");
    return this;
  }

  get writable() {
    return !this.writableEnded && !this.destroyed;
  }

  #begin(isEmpty) {
    if (this.headersSent) return;
    this.headersSent = true;
    const hasBody = !isEmpty && this.req.method !== "HEAD" && ![101, 204, 205, 304].includes(this.statusCode);
    const source = {
      start: (controller) => (this.#controller = controller),
      pull: () => this.emit("drain"),
      cancel: (reason) => this.destroy(reason instanceof Error ? reason : undefined),
    };
    // These are the connection's own business.
    for (const name of ["connection", "keep-alive", "transfer-encoding"]) this.#headers.delete(name);
    const body = hasBody ? new ReadableStream(source) : null;
    this.#answer.resolve(new Response(body, { status: this.statusCode, headers: this.#headers }));
  }
}

function bytes(chunk, encoding) {
  return typeof chunk === "string" ? Buffer.from(chunk, typeof encoding === "string" ? encoding : "utf8") : chunk;
}

function done(callback) {
  if (typeof callback === "function") queueMicrotask(callback);
}

/**
 * @param {(request: object, response: object) => unknown} handler
 * @param {Request} request
 * @returns {Promise<Response>}
 */
export async function answerNode(handler, request) {
  const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
  const req = new IncomingMessage(request, new URL(request.url), body);
  const answer = Promise.withResolvers();
  const res = new ServerResponse(req, answer);
  request.signal.addEventListener("abort", () => res.destroy(request.signal.reason), { once: true });
  Promise.resolve(handler(req, res)).catch((error) => res.destroy(error));
  return answer.promise;
}
