// One request, from its head to the end of its answer.
(function () {
const { core, primordials } = __bootstrap;
const { getAsyncContext, setAsyncContext } = core;
const {
  op_answer_bytes, op_answer_end, op_answer_fail, op_answer_head, op_answer_page, op_answer_text, op_body_read,
} = core.ops;
const {
  ArrayBufferIsView, ArrayPrototypePush, ObjectFreeze, Promise, PromisePrototypeThen, PromiseResolve, SafeArrayIterator, String,
  StringPrototypeStartsWith, SymbolFor, TypeError,
} = primordials;
const { collectTicks, hostCall, requestVariable, runInContext, runTicks } = core.loadExtScript("ext:vitrine/runtime/bridge.js");
const { Headers, headersList } = core.loadExtScript("ext:vitrine/web/headers.js");
const { Context } = core.loadExtScript("ext:vitrine/runtime/context.js");
const { turnOn } = core.loadExtScript("ext:vitrine/runtime/ledger.js");
const { Body, contentLength, contentStream, extractBody, kBody, unusable } = core.loadExtScript("ext:vitrine/web/body.js");
const { abortRequest, hostRequest } = core.loadExtScript("ext:vitrine/web/request.js");
const { isResponse } = core.loadExtScript("ext:vitrine/web/response.js");
const listening = core.loadExtScript("ext:vitrine/node/http_listening.js");
const { ReadableStream, isDirect, isStream, runDirect, takeDirect, viewBytes } = core.loadExtScript("ext:vitrine/web/stream.js");

// Text that a sink keeps before it hands it over without being asked to flush, in UTF-16 units. V8 makes one string of it then, so what
// comes in pieces of this size is never copied for that; and one of 128 KiB or more would be allocated among the old objects, which
// only a full collection frees.
const HELD_TEXT_MAX = 8 * 1024;

// Requests that have begun and not ended. They are few, and a Map would keep pages alive: see Waiting.
const running = [];
let handler = null;
let environment = null;
let isRender = false;

// Takes the environment: names and values in turn.
function takeEnvironment(values) {
  const env = {};
  for (let i = 0; i < values.length; i += 2) env[values[i]] = values[i + 1];
  environment = ObjectFreeze(env);
  return env;
}

// Takes the app's entry point. Returns what is wrong with it, or undefined.
function configure(exports, contract) {
  isRender = contract === "render";
  let entry = exports?.default;
  // A CommonJS bundle that an ES module wrapper put one level down.
  if (entry?.default !== undefined && typeof entry.fetch !== "function" && typeof entry !== "function") entry = entry.default;
  if (isRender) {
    const render = exports?.render ?? entry?.render;
    if (typeof render !== "function") return `it must export a function named render; it exports ${listExports(exports)}`;
    handler = (request) => render(request);
    return undefined;
  }
  if (typeof entry?.fetch === "function") {
    handler = (request, env, ctx) => entry.fetch(request, env, ctx);
  } else if (typeof entry === "function" && listening.server === null) {
    handler = (request, env, ctx) => entry(request, env, ctx);
  } else if (listening.hasServer) {
    handler = answerListening;
  } else {
    return `its default export must be { fetch(request, env, ctx) } or a function, or a server of node:http must listen; it exports ${listExports(exports)}`;
  }
  return undefined;
}

// A program that listens exports nothing. Most begin to listen once they have connected to something.
async function answerListening(request) {
  const server = listening.server ?? await listening.first;
  return server[SymbolFor("vitrine.fetch")](request);
}

function listExports(exports) {
  const names = exports === null || exports === undefined ? [] : Object.keys(exports);
  if (names.length === 0) return "nothing";
  return names.map((name) => `${name} (${describe(exports[name])})`).join(", ");
}

function describe(value) {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  return value.constructor?.name ?? "an object without a prototype";
}

function runningIndex(number) {
  for (let i = 0; i < running.length; i++) {
    if (running[i].number === number) return i;
  }
  return -1;
}

// The URL that a request was sent to; undefined once it is over.
function urlOf(number) {
  const index = runningIndex(number);
  return index === -1 ? undefined : running[index].url;
}

function isRunning(number) {
  return runningIndex(number) !== -1;
}

// Takes a request off the list; returns its entry.
function ended(number) {
  const index = runningIndex(number);
  if (index === -1) return undefined;
  const entry = running[index];
  running[index] = running[running.length - 1];
  running.length -= 1;
  return entry;
}

function begin(number, method, url, hasBody, isNoted) {
  const previous = getAsyncContext();
  // What an app enters for good (`enterWith`) is for the rest of its own request, not for the next visitor's.
  setAsyncContext(undefined);
  requestVariable.enter(number);
  const body = hasBody ? new Body(null, requestStream(number), null) : null;
  if (isNoted) turnOn();
  const request = hostRequest(number, method, url, body, isNoted);
  const entry = { number, url, request, context: getAsyncContext(), drained: null, cancel: null };
  ArrayPrototypePush(running, entry);
  collectTicks();
  try {
    const result = handler(request, environment, new Context(number, request));
    entry.context = getAsyncContext();
    if (result !== null && typeof result === "object" && typeof result.then === "function") {
      PromisePrototypeThen(PromiseResolve(result), (value) => answer(number, entry, value), (error) => fail(number, error));
    } else {
      answer(number, entry, result);
    }
  } catch (error) {
    fail(number, error);
  } finally {
    runTicks();
    setAsyncContext(previous);
  }
}

function fail(number, error) {
  ended(number);
  op_answer_fail(number, error, false);
}

// The app's handler returned something that is no response: its globals may be broken.
function failWrongType(number, message) {
  ended(number);
  op_answer_fail(number, new TypeError(message), true);
}

// The request's body, pulled from the host piece by piece.
function requestStream(number) {
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const piece = await hostCall((call) => op_body_read(call, number));
      if (piece === null) {
        controller.close();
        controller.byobRequest?.respond(0);
      } else {
        controller.enqueue(piece);
      }
    },
  }, { highWaterMark: 0 });
}

function answer(number, entry, value) {
  if (!isRunning(number)) return;
  try {
    if (isResponse(value)) {
      const body = value[kBody] === undefined ? extractBody(value.body) : value[kBody];
      if (value.status === 0) throw new TypeError("The handler returned Response.error(), which is not an answer");
      if (body !== null && unusable(body)) throw new TypeError("The body of the Response has been read already");
      if (body !== null) body.used = true;
      if (value.status === 101) {
        const { upgrade } = core.loadExtScript("ext:vitrine/web/web_socket.js");
        entry.cancel = upgrade(number, value.webSocket, headersList(value.headers), () => ended(number));
        return;
      }
      send(number, entry, value.status, headersList(value.headers), body);
    } else if (isRender) {
      answerRender(number, entry, value);
    } else {
      failWrongType(number, `The handler must return a Response; it returned ${describe(value)}`);
    }
  } catch (error) {
    fail(number, error);
  }
}

// The render contract: a string, a stream, or { status, headers, body }.
function answerRender(number, entry, value) {
  let parts = value;
  if (typeof value === "string" || isStream(value)) {
    parts = { body: value };
  } else if (value === null || typeof value !== "object" || !("body" in value || "status" in value || "headers" in value)) {
    failWrongType(number, `render must return a string, a ReadableStream or { status, headers, body }; it returned ${describe(value)}`);
    return;
  }
  const status = parts.status === undefined ? 200 : parts.status | 0;
  if (status < 200 || status > 599) throw new TypeError(`render returned the status ${String(parts.status)}, not one from 200 to 599`);
  const headers = new Headers(parts.headers ?? undefined);
  const body = extractBody(parts.body);
  if (body !== null && !headers.has("content-type")) {
    headers.set("content-type", typeof parts.body === "string" || isStream(parts.body) ? "text/html;charset=UTF-8" : body.type ?? "application/octet-stream");
  }
  send(number, entry, status, headersList(headers), body);
}

function send(number, entry, status, headers, body) {
  if (entry.request.method === "HEAD" || body === null) {
    if (body !== null) headers = withLength(headers, body);
    if (body !== null && body.stream !== null) PromisePrototypeThen(body.stream.cancel(), undefined, () => {});
    op_answer_page(number, status, headers, "");
    ended(number);
  } else if (body.stream === null) {
    if (typeof body.content === "string") {
      op_answer_page(number, status, headers, body.content);
    } else if (!ArrayBufferIsView(body.content)) {
      sendStream(number, entry, status, headers, contentStream(body.content));
      return;
    } else {
      op_answer_head(number, status, headers);
      op_answer_bytes(number, body.content);
      op_answer_end(number);
    }
    ended(number);
  } else if (isDirect(body.stream)) {
    sendDirect(number, entry, status, headers, takeDirect(body.stream));
  } else {
    sendStream(number, entry, status, headers, body.stream);
  }
}

// The headers of an answer to HEAD, with the length that its body would have, if that is known.
function withLength(headers, body) {
  const length = body.stream === null ? contentLength(body.content) : null;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === "content-length") return headers;
  }
  return length === null ? headers : [...new SafeArrayIterator(headers), "content-length", `${length}`];
}

// A direct source writes into a rope; the host takes it flush by flush, and a page that is complete at its first flush
// goes out as a whole.
function sendDirect(number, entry, status, headers, source) {
  let text = "";
  let begun = false;
  let blocked = false;
  let drained = null;
  const push = () => {
    if (text === "") return;
    if (!begun) {
      begun = true;
      op_answer_head(number, status, headers);
    }
    blocked = !op_answer_text(number, text);
    text = "";
  };
  const write = (chunk) => {
    if (typeof chunk === "string") {
      if (chunk.length > HELD_TEXT_MAX) push();
      text += chunk;
      if (text.length > HELD_TEXT_MAX) push();
      return blocked ? 0 : chunk.length || 1;
    }
    push();
    if (!begun) {
      begun = true;
      op_answer_head(number, status, headers);
    }
    blocked = !op_answer_bytes(number, viewBytes(chunk));
    return blocked ? 0 : chunk.byteLength || 1;
  };
  let flushing = false;
  const flush = () => {
    if (pulling) {
      flushing = true;
    } else {
      push();
    }
    if (!blocked) return 1;
    return new Promise((resolve) => drained = resolve);
  };
  const finish = (error, failed) => {
    if (failed) {
      push();
      fail(number, error);
      return;
    }
    if (begun) {
      push();
      op_answer_end(number);
    } else {
      // Its own flush may be waiting for the end of this pull.
      const page = text;
      text = "";
      op_answer_page(number, status, headers, page);
    }
    ended(number);
  };
  const run = runDirect(source, write, flush, finish);
  entry.cancel = run.cancel;
  let pulling = false;
  const resume = () => {
    pulling = true;
    run.resume();
    pulling = false;
    if (flushing) push();
    flushing = false;
  };
  // Named first: a function literal that is assigned to a property is old from birth, and would keep its page.
  const resumed = () => {
    blocked = false;
    if (drained !== null) drained();
    drained = null;
    resume();
  };
  entry.drained = resumed;
  resume();
}

async function sendStream(number, entry, status, headers, stream) {
  const reader = stream.getReader();
  const cancel = (reason) => PromisePrototypeThen(reader.cancel(reason), undefined, () => {});
  entry.cancel = cancel;
  // A client of an event stream waits for the head before it is connected; the first part of a page may still fail.
  let begun = isEventStream(headers);
  if (begun) op_answer_head(number, status, headers);
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (!isRunning(number)) return;
      if (!begun) {
        begun = true;
        op_answer_head(number, status, headers);
      }
      if (done) break;
      let room;
      if (typeof value === "string") {
        room = op_answer_text(number, value);
      } else if (ArrayBufferIsView(value)) {
        room = op_answer_bytes(number, viewBytes(value));
      } else {
        throw new TypeError(`The body's stream must give Uint8Array chunks; it gave ${describe(value)}`);
      }
      if (!room) await new Promise((resolve) => entry.drained = resolve);
    }
    ended(number);
    op_answer_end(number);
  } catch (error) {
    entry.cancel?.(error);
    fail(number, error);
  }
}

function isEventStream(headers) {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === "content-type") return StringPrototypeStartsWith(headers[i + 1], "text/event-stream");
  }
  return false;
}

// The host takes bytes again.
function drained(number) {
  const index = runningIndex(number);
  if (index === -1) return;
  const { context, drained } = running[index];
  if (drained !== null) runInContext(context, drained, undefined, []);
}

// The answer is no longer awaited.
function abort(number, message) {
  const entry = ended(number);
  if (entry === undefined) return;
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  const reason = new DOMException(message, "AbortError");
  runInContext(entry.context, () => {
    abortRequest(entry.request, reason);
    entry.cancel?.(reason);
  }, undefined, []);
}

return { abort, begin, configure, drained, takeEnvironment, urlOf };
})();
