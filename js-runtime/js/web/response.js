// The Response class of the Fetch standard.
(function () {
const { core, primordials } = __bootstrap;
const { JSONStringify, Number, ObjectDefineProperty, ObjectPrototypeIsPrototypeOf, RangeError, RegExpPrototypeTest, SafeRegExp, String, TypeError } = primordials;
const { configureInterface, requiredArguments } = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const { URL } = core.loadExtScript("ext:deno_web/00_url.js");
const { Headers, headersCopy, makeImmutable } = core.loadExtScript("ext:vitrine/web/headers.js");
const { cloneBody, extractBody, kBody, mixinBody } = core.loadExtScript("ext:vitrine/web/body.js");

const FETCHED = { __proto__: null };
const REASON = new SafeRegExp("^[\\t\\x20-\\x7e\\x80-\\xff]*$");

function isNullBodyStatus(status) {
  return status === 101 || status === 204 || status === 205 || status === 304;
}

let fetchedResponse;

class Response {
  [kBody] = null;
  #status = 200;
  #statusText = "";
  #headers;
  #type = "default";
  #url = "";
  #redirected = false;
  #webSocket = null;

  constructor(body = null, init = undefined) {
    if (body === FETCHED) return;
    init ??= {};
    if (init.status !== undefined) {
      const status = Number(init.status);
      // As Cloudflare's workers answer a request that asks for a WebSocket.
      if (status === 101) this.#webSocket = init.webSocket ?? null;
      if (this.#webSocket === null && !(status >= 200 && status <= 599)) throw new RangeError(`Response: ${init.status} is not a status from 200 to 599`);
      this.#status = status | 0;
    }
    if (init.statusText !== undefined) {
      this.#statusText = String(init.statusText);
      if (!RegExpPrototypeTest(REASON, this.#statusText)) throw new TypeError("Response: the status text holds a forbidden character");
    }
    this.#headers = new Headers(init.headers);
    if (body === null || body === undefined) return;
    if (isNullBodyStatus(this.#status)) throw new TypeError(`Response: status ${this.#status} can't have a body`);
    const extracted = extractBody(body);
    this[kBody] = extracted;
    if (extracted.type !== null && !this.#headers.has("content-type")) this.#headers.set("content-type", extracted.type);
  }

  static {
    // The answer to a fetch.
    fetchedResponse = (status, statusText, headers, body, url, redirected, webSocket = null) => {
      const response = new Response(FETCHED);
      response.#status = status;
      response.#statusText = statusText;
      response.#headers = headers;
      makeImmutable(headers);
      response.#type = "basic";
      response.#url = url;
      response.#redirected = redirected;
      response.#webSocket = webSocket;
      response[kBody] = body;
      return response;
    };
  }

  static json(data, init = undefined) {
    requiredArguments(arguments.length, 1, "Response.json");
    const text = JSONStringify(data);
    if (text === undefined) throw new TypeError("Response.json: the data can't be written as JSON");
    const response = new Response(text, init);
    if (!new Headers(init?.headers).has("content-type")) response.#headers.set("content-type", "application/json");
    return response;
  }

  static redirect(url, status = 302) {
    requiredArguments(arguments.length, 1, "Response.redirect");
    const target = new URL(String(url));
    status = Number(status);
    if (status !== 301 && status !== 302 && status !== 303 && status !== 307 && status !== 308) {
      throw new RangeError(`Response.redirect: ${status} is not a redirect`);
    }
    const response = new Response(null, { status });
    response.#headers.set("location", target.href);
    makeImmutable(response.#headers);
    return response;
  }

  static error() {
    const response = new Response();
    response.#status = 0;
    response.#type = "error";
    makeImmutable(response.#headers);
    return response;
  }

  get status() {
    return this.#status;
  }

  get statusText() {
    return this.#statusText;
  }

  get ok() {
    return this.#status >= 200 && this.#status <= 299;
  }

  get headers() {
    return this.#headers;
  }

  get type() {
    return this.#type;
  }

  get url() {
    return this.#url;
  }

  get redirected() {
    return this.#redirected;
  }

  // The end of a WebSocketPair that goes to the client, or the socket that a call has opened; else null.
  get webSocket() {
    return this.#webSocket;
  }

  clone() {
    const copy = new Response(FETCHED);
    copy.#status = this.#status;
    copy.#statusText = this.#statusText;
    copy.#headers = headersCopy(this.#headers);
    copy.#type = this.#type;
    copy.#url = this.#url;
    copy.#redirected = this.#redirected;
    copy[kBody] = cloneBody(this[kBody]);
    return copy;
  }
}
mixinBody(Response);
configureInterface(Response);
// No clone is made of it.
ObjectDefineProperty(Response.prototype, core.hostObjectBrand, { __proto__: null, value: "Response" });

function isResponse(value) {
  return ObjectPrototypeIsPrototypeOf(Response.prototype, value);
}

return { Response, fetchedResponse, isResponse };
})();
