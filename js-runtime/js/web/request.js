// The Request class of the Fetch standard, and requests as they come from the host.
(function () {
const { core, primordials } = __bootstrap;
const { Boolean, ObjectDefineProperty, ObjectPrototypeIsPrototypeOf, RegExpPrototypeTest, SafeRegExp, String, StringPrototypeToUpperCase, TypeError } = primordials;
const { configureInterface } = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const { URL } = core.loadExtScript("ext:deno_web/00_url.js");
const { AbortController, AbortSignal } = core.loadExtScript("ext:deno_web/03_abort_signal.js");
const { FROM_REQUEST, Headers, headersCopy } = core.loadExtScript("ext:vitrine/web/headers.js");
const { cloneBody, extractBody, kBody, mixinBody, unusable } = core.loadExtScript("ext:vitrine/web/body.js");

const STANDARD_METHOD = new SafeRegExp("^(?:delete|get|head|options|post|put)$", "i");
const METHOD = new SafeRegExp("^[!#$%&'*+\\-.^_`|~A-Za-z0-9]+$");
const FORBIDDEN_METHOD = new SafeRegExp("^(?:connect|trace|track)$", "i");
const FROM_HOST = { __proto__: null };
// What a browser would do with a request and a host has no use for: kept as it is given.
const CHOICES = {
  __proto__: null,
  cache: ["default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"],
  credentials: ["same-origin", "include", "omit"],
  duplex: ["half"],
  mode: ["cors", "no-cors", "same-origin"],
  priority: ["high", "low", "auto"],
  referrerPolicy: [
    "", "no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin", "origin-when-cross-origin",
    "strict-origin-when-cross-origin", "unsafe-url",
  ],
};

function checkedMethod(method) {
  method = String(method);
  if (!RegExpPrototypeTest(METHOD, method) || RegExpPrototypeTest(FORBIDDEN_METHOD, method)) {
    throw new TypeError(`Request: "${method}" is not a method that can be used`);
  }
  return RegExpPrototypeTest(STANDARD_METHOD, method) ? StringPrototypeToUpperCase(method) : method;
}

function choice(name, value, values, otherwise) {
  if (value === undefined) return otherwise;
  value = String(value);
  for (let i = 0; i < values.length; i++) {
    if (values[i] === value) return value;
  }
  throw new TypeError(`Request: "${value}" is not a ${name}`);
}

// The referrer as it is given back.
function referrer(given) {
  given = String(given);
  if (given === "") return "";
  const url = new URL(given);
  return url.protocol === "about:" && url.pathname === "client" ? "about:client" : url.href;
}

let hostRequest;
let abortRequest;

class Request {
  [kBody] = null;
  #method = "GET";
  #url;
  #headers;
  #redirect = "follow";
  // Made when the app asks for it: most pages never do.
  #controller = null;
  #signal = null;
  #aborted = null;
  // Null for a request that asks for nothing special, as those from the host do.
  #wishes = null;

  constructor(input, init = undefined) {
    if (input === FROM_HOST) return;
    const chosen = init !== undefined && init !== null;
    init ??= {};
    let body = null;
    let signal = null;
    if (ObjectPrototypeIsPrototypeOf(Request.prototype, input)) {
      this.#method = input.#method;
      this.#url = input.#url;
      this.#redirect = input.#redirect;
      this.#wishes = input.#wishes;
      this.#headers = new Headers(init.headers ?? input.#headers);
      signal = input.signal;
      if ((init.body === undefined || init.body === null) && input[kBody] !== null) {
        if (unusable(input[kBody])) throw new TypeError("Request: the body of the given request has been read already");
        body = input[kBody].moved();
      }
    } else {
      const url = new URL(String(input));
      if (url.username !== "" || url.password !== "") throw new TypeError("Request: the URL must not hold credentials");
      this.#url = url.href;
      this.#headers = new Headers(init.headers);
    }
    // Most calls choose nothing, and looking for each choice takes longer than the rest.
    if (chosen) this.#choose(init);
    if (init.signal !== undefined) signal = init.signal;
    if (signal !== null) this.#signal = AbortSignal.any([signal]);
    if (init.body !== undefined && init.body !== null) body = extractBody(init.body);
    if (body !== null && (this.#method === "GET" || this.#method === "HEAD")) {
      throw new TypeError(`Request: a ${this.#method} request can't have a body`);
    }
    if (body !== null && body.type !== null && !this.#headers.has("content-type")) {
      this.#headers.set("content-type", body.type);
    }
    this[kBody] = body;
  }

  #choose(init) {
    if (init.method !== undefined) this.#method = checkedMethod(init.method);
    this.#redirect = choice("redirect mode", init.redirect, ["follow", "error", "manual"], this.#redirect);
    for (const name in CHOICES) {
      if (init[name] !== undefined) this.#wishes = { ...this.#wishes, [name]: choice(name, init[name], CHOICES[name]) };
    }
    if (init.integrity !== undefined) this.#wishes = { ...this.#wishes, integrity: String(init.integrity) };
    if (init.keepalive !== undefined) this.#wishes = { ...this.#wishes, keepalive: Boolean(init.keepalive) };
    if (init.referrer !== undefined) this.#wishes = { ...this.#wishes, referrer: referrer(init.referrer) };
    if (init.window !== undefined && init.window !== null) throw new TypeError("Request: there is no window; it can only be null");
    if (this.#wishes?.cache === "only-if-cached" && this.#wishes.mode !== "same-origin") {
      throw new TypeError('Request: cache "only-if-cached" asks for mode "same-origin"');
    }
  }

  static {
    // A request that came from the host.
    hostRequest = (number, method, url, body, isNoted) => {
      const request = new Request(FROM_HOST);
      request.#method = method;
      request.#url = url;
      request.#headers = new Headers(FROM_REQUEST, number, isNoted);
      request[kBody] = body;
      return request;
    };
    abortRequest = (request, reason) => {
      request.#aborted = reason;
      request.#controller?.abort(reason);
    };
  }

  get method() {
    return this.#method;
  }

  get url() {
    return this.#url;
  }

  get headers() {
    return this.#headers;
  }

  get redirect() {
    return this.#redirect;
  }

  get signal() {
    if (this.#signal === null) {
      this.#controller = new AbortController();
      this.#signal = this.#controller.signal;
      if (this.#aborted !== null) this.#controller.abort(this.#aborted);
    }
    return this.#signal;
  }

  get destination() {
    return "";
  }

  get referrer() {
    return this.#wishes?.referrer ?? "about:client";
  }

  get referrerPolicy() {
    return this.#wishes?.referrerPolicy ?? "";
  }

  get mode() {
    return this.#wishes?.mode ?? "cors";
  }

  get credentials() {
    return this.#wishes?.credentials ?? "same-origin";
  }

  get cache() {
    return this.#wishes?.cache ?? "default";
  }

  get integrity() {
    return this.#wishes?.integrity ?? "";
  }

  get keepalive() {
    return this.#wishes?.keepalive ?? false;
  }

  get duplex() {
    return "half";
  }

  clone() {
    const copy = new Request(FROM_HOST);
    copy.#method = this.#method;
    copy.#url = this.#url;
    copy.#redirect = this.#redirect;
    copy.#wishes = this.#wishes;
    copy.#headers = headersCopy(this.#headers);
    copy.#signal = AbortSignal.any([this.signal]);
    copy[kBody] = cloneBody(this[kBody]);
    return copy;
  }
}
mixinBody(Request);
configureInterface(Request);
// No clone is made of it.
ObjectDefineProperty(Request.prototype, core.hostObjectBrand, { __proto__: null, value: "Request" });

return { Request, abortRequest, hostRequest };
})();
