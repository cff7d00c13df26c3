// fetch: calls that the host's broker makes, the redirects that they lead to, and URLs that hold their own content.
(function () {
const { core, primordials } = __bootstrap;
const { op_cancel, op_fetch, op_fetch_drop, op_upload_end, op_upload_open, op_upload_send } = core.ops;
const {
  ArrayBufferIsView, ArrayIsArray, ArrayPrototypeFilter, ArrayPrototypeIndexOf, ArrayPrototypePush, ArrayPrototypeSplice, MathMin, MathTrunc, NumberIsNaN, PromisePrototypeThen, RegExpPrototypeExec, RegExpPrototypeTest, SafeRegExp, StringPrototypeIndexOf,
  StringPrototypeSlice, StringPrototypeStartsWith, StringPrototypeToLowerCase, TypeError, TypedArrayPrototypeGetByteLength,
} = primordials;
const { URL } = core.loadExtScript("ext:deno_web/00_url.js");
const { currentRequest, hostCall } = core.loadExtScript("ext:vitrine/runtime/bridge.js");
const { headersList, headersOf } = core.loadExtScript("ext:vitrine/web/headers.js");
const { notice } = core.loadExtScript("ext:vitrine/runtime/snapshot_guard.js");
const { Body, kBody, takeUpload } = core.loadExtScript("ext:vitrine/web/body.js");
const { urlOf } = core.loadExtScript("ext:vitrine/runtime/serve.js");
const { Request } = core.loadExtScript("ext:vitrine/web/request.js");
const { fetchedResponse } = core.loadExtScript("ext:vitrine/web/response.js");
const { Answer, Received } = core.loadExtScript("ext:vitrine/web/fetched_body.js");
const { decoded } = core.loadExtScript("ext:vitrine/web/content_coding.js");
const { STATUS_CODES } = core.loadExtScript("ext:vitrine/node/http_codes.js");

// Redirects that one call follows; the Fetch standard's number.
const REDIRECTS_MAX = 20;
// What a call sends unless the app says otherwise: some services refuse calls without it.
const DEFAULTS = ["accept", "*/*", "accept-language", "*", "user-agent", "Vitrine"];
const CODINGS = "gzip, deflate, br";
// Headers that describe a body; they go where it goes.
const OF_BODY = ["content-encoding", "content-language", "content-location", "content-type", "content-length"];
// Headers that are for one origin only.
const OF_ORIGIN = ["authorization", "cookie", "host", "proxy-authorization"];
const NUMBER = new SafeRegExp("^[0-9]+$");
const ASCII = new SafeRegExp("^[\\0-\\x7f]*$");

// What the host says of a call that it did not make, or that got no answer: how the text begins, and the code. What is refused by a rule has
// a code of its own, for to ask again changes nothing.
const CODES = [["egress denied:", "ERR_EGRESS_DENIED"], ["egress limit:", "ERR_EGRESS_LIMIT"], ["egress timed out:", "ETIMEDOUT"], ["egress failed:", "ECONNRESET"]];
const SYSTEM_CALL = new SafeRegExp("^egress failed: (connect|getaddrinfo|read|write) (E[A-Z_]+) ");

// The cache modes of the Fetch standard, as the host counts them.
const CACHE_MODES = ["default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"];
// What a call asks of the host's cache: mode, seconds (-1 where nothing is said), tags.
const NOT_CACHED = [1, -1, []];

// What an app says to the cache, as Next.js and Cloudflare's workers write it; null where it says nothing.
function cacheWish(mode, init) {
  const { next, cf } = init ?? {};
  if (mode === "default" && next === undefined && cf === undefined) return null;
  let seconds = cacheSeconds(next?.revalidate ?? cf?.cacheTtl);
  let chosen = ArrayPrototypeIndexOf(CACHE_MODES, mode);
  if (next?.revalidate === false && mode === "default") chosen = 4;
  if (seconds === 0) chosen = 1;
  // What is kept whatever its answer says has to be kept in the first place.
  if (chosen === 4 && seconds === -1) seconds = YEAR_S;
  return [chosen, seconds, [...cacheTags(next?.tags), ...cacheTags(cf?.cacheTags)]];
}

const YEAR_S = 365 * 24 * 3600;

function cacheSeconds(value) {
  if (typeof value !== "number" || NumberIsNaN(value)) return -1;
  return value <= 0 ? 0 : MathMin(MathTrunc(value) || 1, YEAR_S);
}

function cacheTags(tags) {
  return ArrayIsArray(tags) ? ArrayPrototypeFilter(tags, (tag) => typeof tag === "string" && tag !== "") : [];
}

// Gives the host's error the code that Node.js would give it.
function coded(error) {
  const { message } = error;
  const said = RegExpPrototypeExec(SYSTEM_CALL, message);
  if (said !== null) {
    error.syscall = said[1];
    error.code = said[2];
    return error;
  }
  for (let i = 0; i < CODES.length; i++) {
    if (StringPrototypeStartsWith(message, CODES[i][0])) error.code = CODES[i][1];
  }
  return error;
}

// A URL without its query, where keys of services stand.
function shown(url) {
  const at = StringPrototypeIndexOf(url, "?");
  return at === -1 ? url : StringPrototypeSlice(url, 0, at);
}

function failed(message, cause = undefined) {
  return new TypeError(`fetch failed: ${message}`, cause === undefined ? undefined : { cause });
}

function isRedirect(status) {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

async function fetch(input, init = undefined) {
  const request = new Request(input, init);
  const wish = cacheWish(request.cache, init);
  const url = withoutFragment(request.url);
  const signal = init?.signal !== undefined || input instanceof Request ? request.signal : null;
  if (signal?.aborted) {
    if (request.body !== null) PromisePrototypeThen(request.body.cancel(signal.reason), undefined, () => {});
    throw signal.reason;
  }
  if (StringPrototypeStartsWith(url, "http:") || StringPrototypeStartsWith(url, "https:")) return await call(request, signal, true, wish);
  if (StringPrototypeStartsWith(url, "data:")) return core.loadExtScript("ext:vitrine/web/local_urls.js").fetchData(request.method, url);
  if (StringPrototypeStartsWith(url, "blob:")) {
    const range = header(headersList(request.headers), "range");
    return core.loadExtScript("ext:vitrine/web/local_urls.js").fetchBlob(request.method, url, range);
  }
  throw failed(`${url} is not an http or https URL`);
}

// The call as it stands: nothing added, no redirect followed, and the answer as it came.
async function fetchAsIs(input, init) {
  return await call(new Request(input, { ...init, redirect: "manual" }), init.signal, false, NOT_CACHED);
}

async function call(request, signal, isWeb, wish) {
  notice("network");
  let { method, url } = request;
  const headers = headersList(request.headers);
  let body = request[kBody] === null ? null : takeUpload(request[kBody]);
  if (isWeb) addDefaults(headers);
  if (isWeb && method === "GET" && isUpgrade(headers)) return await openSocket(withoutFragment(url), headers, signal);
  setLength(headers, method, body);
  for (let redirects = 0;; redirects++) {
    url = withoutFragment(url);
    const { 0: status, 1: reason, 2: list, 3: number } = await hop(method, url, headers, body, signal, redirects > 0, wish);
    const next = isRedirect(status) && request.redirect !== "manual" ? redirected(request, status, url, list, body, redirects, number) : null;
    if (next === null) {
      const statusText = reason ?? STATUS_CODES[status] ?? "";
      const received = responseBody(method, status, list, number, signal, isWeb);
      return fetchedResponse(status, statusText, headersOf(list), received, url, redirects > 0);
    }
    op_fetch_drop(number);
    if (status === 303 ? method !== "GET" && method !== "HEAD" : method === "POST" && (status === 301 || status === 302)) {
      method = "GET";
      body = null;
      for (let i = 0; i < OF_BODY.length; i++) takeHeader(headers, OF_BODY[i]);
    }
    if (next.origin !== new URL(url).origin) {
      for (let i = 0; i < OF_ORIGIN.length; i++) takeHeader(headers, OF_ORIGIN[i]);
    }
    url = next.href;
  }
}

function isUpgrade(headers) {
  const upgrade = header(headers, "upgrade");
  return upgrade !== null && StringPrototypeToLowerCase(upgrade) === "websocket";
}

// A call that asks for a WebSocket: the answer has one where the server gives it, as in Cloudflare's workers. No redirect is followed.
async function openSocket(url, headers, signal) {
  signal?.throwIfAborted();
  const upload = op_upload_open();
  const start = (number) => op_fetch(number, currentRequest(), "GET", url, headers, upload, false, isOwn(url), true, null);
  try {
    const { 0: status, 1: reason, 2: list, 3: body } = signal === null ? await hostCall(start) : await signalledCall(signal, start);
    const statusText = reason ?? STATUS_CODES[status] ?? "";
    if (status !== 101) {
      op_upload_end(upload, true);
      return fetchedResponse(status, statusText, headersOf(list), responseBody("GET", status, list, body, signal, true), url, false);
    }
    const { fetched, headerOf } = core.loadExtScript("ext:vitrine/web/web_socket.js");
    const socket = fetched(body, upload, url, headerOf(list, "sec-websocket-protocol"));
    return fetchedResponse(status, statusText, headersOf(list), null, url, false, socket);
  } catch (error) {
    op_upload_end(upload, false);
    if (signal?.aborted) throw signal.reason;
    throw failed(error.message, coded(error));
  }
}

// Where an answer redirects its call to; null for one without a location, which is an answer like others.
function redirected(request, status, url, list, body, redirects, number) {
  const refuse = (message) => {
    op_fetch_drop(number);
    throw failed(message);
  };
  if (request.redirect === "error") refuse(`${shown(url)} redirects, and the redirect mode is "error"`);
  const location = header(list, "location");
  if (location === null) return null;
  let next;
  try {
    next = new URL(asUtf8(location), url);
  } catch {
    refuse(`${shown(url)} redirects to something that is no URL`);
  }
  if (next.protocol !== "http:" && next.protocol !== "https:") refuse(`${shown(url)} redirects to ${shown(next.href)}, which is not an http or https URL`);
  if (redirects === REDIRECTS_MAX) refuse(`${shown(request.url)} redirects more than ${REDIRECTS_MAX} times`);
  if (status !== 303 && body !== null && !body.isRepeatable) refuse(`${shown(url)} redirects, and a body that is a stream can't be sent again`);
  return next;
}

// Servers write addresses in UTF-8, also those that are to be escaped; a header's text has a character for each of its bytes.
function asUtf8(location) {
  if (RegExpPrototypeTest(ASCII, location)) return location;
  const { TextDecoder } = core.loadExtScript("ext:deno_web/08_text_encoding.js");
  return new TextDecoder().decode(core.loadExtScript("ext:vitrine/web/local_urls.js").bytesOf(location));
}

// One call of the host. Gives status, reason phrase, headers and the number of the answer's body.
async function hop(method, url, headers, body, signal, isRedirected, wish) {
  signal?.throwIfAborted();
  const upload = body === null ? null : startUpload(body, signal);
  const start = (number) => op_fetch(number, currentRequest(), method, url, headers, upload?.number ?? 0, isRedirected, isOwn(url), false, wish);
  try {
    return signal === null ? await hostCall(start) : await signalledCall(signal, start);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw failed(error.message, upload?.failure ?? coded(error));
  }
}

// Makes a call that `signal` gives up.
async function signalledCall(signal, start) {
  let number = 0;
  const give = () => op_cancel(number);
  signal.addEventListener("abort", give);
  try {
    return await hostCall((chosen) => {
      number = chosen;
      start(chosen);
    });
  } finally {
    signal.removeEventListener("abort", give);
  }
}

// Whether a URL is of the origin that the request which runs was sent to: the app answers it itself.
function isOwn(url) {
  const asked = urlOf(currentRequest());
  if (asked === undefined) return false;
  // Past `https://`, the first slash ends the origin.
  const end = StringPrototypeIndexOf(asked, "/", 8);
  return StringPrototypeStartsWith(url, StringPrototypeSlice(asked, 0, end + 1));
}

// Begins to send a body. `failure` becomes why it broke off.
function startUpload(body, signal) {
  const upload = { number: op_upload_open(), failure: undefined };
  const content = body.open();
  if (ArrayBufferIsView(content)) {
    const sent = hostCall((call) => op_upload_send(call, upload.number, content, currentRequest()));
    PromisePrototypeThen(sent, () => op_upload_end(upload.number, true), () => op_upload_end(upload.number, false));
  } else {
    PromisePrototypeThen(sendStream(upload, content, body.length, signal), undefined, (error) => {
      upload.failure = error;
      // A stream that breaks off ends the call: the bytes that it gave must not pass for the whole body.
      op_upload_end(upload.number, false);
    });
  }
  return upload;
}

async function sendStream(upload, stream, length, signal) {
  const reader = stream.getReader();
  const cancel = (reason) => PromisePrototypeThen(reader.cancel(reason), undefined, () => {});
  const give = () => cancel(signal.reason);
  signal?.addEventListener("abort", give);
  let sent = 0;
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (signal?.aborted) throw signal.reason;
      if (done) break;
      if (!ArrayBufferIsView(value)) throw new TypeError("The body's stream must give Uint8Array chunks");
      sent += TypedArrayPrototypeGetByteLength(value);
      if (length !== null && sent > length) throw new TypeError(`The body is longer than its content-length, ${length}`);
      if (!await hostCall((call) => op_upload_send(call, upload.number, value, currentRequest()))) {
        cancel(undefined);
        op_upload_end(upload.number, false);
        return;
      }
    }
    if (length !== null && sent < length) throw new TypeError(`The body is shorter than its content-length, ${length}`);
    op_upload_end(upload.number, true);
  } catch (error) {
    cancel(error);
    throw error;
  } finally {
    signal?.removeEventListener("abort", give);
  }
}

function responseBody(method, status, list, number, signal, isWeb) {
  if (method === "HEAD" || status === 204 || status === 205 || status === 304) {
    op_fetch_drop(number);
    return null;
  }
  const received = new Received(number, signal);
  return Body.of(new Answer(isWeb ? decoded(received, list) : received, signal));
}

function addDefaults(headers) {
  for (let i = 0; i < DEFAULTS.length; i += 2) {
    if (header(headers, DEFAULTS[i]) === null) ArrayPrototypePush(headers, DEFAULTS[i], DEFAULTS[i + 1]);
  }
  if (header(headers, "accept-encoding") === null) {
    // A part of coded content is no coded content.
    ArrayPrototypePush(headers, "accept-encoding", header(headers, "range") === null ? CODINGS : "identity");
  }
}

// Says how long the body is: some servers take no other. Of a stream only the app knows; what it says is checked while the body is sent.
function setLength(headers, method, body) {
  const given = header(headers, "content-length");
  takeHeader(headers, "content-length");
  let length = null;
  if (body === null) {
    if (method === "POST" || method === "PUT" || method === "PATCH") length = 0;
  } else if (body.length !== null) {
    length = body.length;
  } else if (given !== null) {
    if (!RegExpPrototypeTest(NUMBER, given)) throw failed(`the content-length ${given} is no number`);
    body.length = length = +given;
  }
  if (length !== null) ArrayPrototypePush(headers, "content-length", `${length}`);
}

function withoutFragment(url) {
  const at = StringPrototypeIndexOf(url, "#");
  return at === -1 ? url : StringPrototypeSlice(url, 0, at);
}

// The first value of this name, or null.
function header(list, name) {
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === name) return list[i + 1];
  }
  return null;
}

// Takes each header of this name out of the list.
function takeHeader(list, name) {
  for (let i = list.length - 2; i >= 0; i -= 2) {
    if (list[i] === name) ArrayPrototypeSplice(list, i, 2);
  }
}

return { fetch, fetchAsIs, isOwn };
})();
