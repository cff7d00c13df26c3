// fetch, made by the host's broker.
(function () {
const { core, primordials } = __bootstrap;
const { op_cancel, op_fetch, op_fetch_drop, op_fetch_read, op_fetch_rest, op_fetch_rest_text, op_upload_end, op_upload_open, op_upload_send } = core.ops;
const {
  ArrayPrototypePush, ArrayPrototypeSplice, PromisePrototypeThen, StringPrototypeStartsWith, StringPrototypeToLowerCase, TypeError,
  TypedArrayPrototypeGetByteLength,
} = primordials;
const { currentRequest, hostCall } = core.loadExtScript("ext:vitrine/bridge.js");
const { headersList, headersOf } = core.loadExtScript("ext:vitrine/headers.js");
const { notice } = core.loadExtScript("ext:vitrine/module_scope.js");
const { Body, kBody, takeBytesOrStream } = core.loadExtScript("ext:vitrine/body.js");
const { Request } = core.loadExtScript("ext:vitrine/request.js");
const { fetchedResponse } = core.loadExtScript("ext:vitrine/response.js");
const { ReadableStream } = core.loadExtScript("ext:vitrine/stream.js");

function failed(error) {
  return new TypeError(`fetch failed: ${error.message}`, { cause: error });
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
  } catch (error) {
    throw signal.aborted ? signal.reason : failed(error);
  } finally {
    signal.removeEventListener("abort", give);
  }
}

async function send(upload, stream) {
  const reader = stream.getReader();
  let whole = false;
  try {
    while (true) {
      const { done, value } = await reader.read();
      whole = done;
      if (done) break;
      if (!await hostCall((call) => op_upload_send(call, upload, value, currentRequest()))) {
        await reader.cancel();
        break;
      }
    }
  } finally {
    // A stream that breaks off gives the call up: what came of it must not pass for all of it.
    op_upload_end(upload, whole);
  }
}

async function fetch(input, init = undefined) {
  notice("network");
  const request = new Request(input, init);
  if (!StringPrototypeStartsWith(request.url, "http:") && !StringPrototypeStartsWith(request.url, "https:")) {
    throw new TypeError(`fetch failed: ${request.url} is not an http or https URL`);
  }
  const signal = init?.signal !== undefined || input instanceof Request ? request.signal : null;
  signal?.throwIfAborted();
  let upload = 0;
  const content = request[kBody] === null ? null : takeBytesOrStream(request[kBody]);
  if (content !== null) {
    upload = op_upload_open();
    if (content.stream === undefined) {
      const sent = hostCall((call) => op_upload_send(call, upload, content.bytes, currentRequest()));
      PromisePrototypeThen(sent, () => op_upload_end(upload, true), () => op_upload_end(upload, false));
    } else {
      PromisePrototypeThen(send(upload, content.stream), undefined, () => {});
    }
  }
  const headers = headersList(request.headers);
  // The host takes it for the body's own length, as far as there is a body.
  takeHeader(headers, "content-length");
  if (content?.bytes !== undefined) ArrayPrototypePush(headers, "content-length", `${TypedArrayPrototypeGetByteLength(content.bytes)}`);
  const start = (number) =>
    op_fetch(number, currentRequest(), request.method, request.url, headers, upload, request.redirect === "follow");
  let head;
  if (signal !== null) {
    head = await signalledCall(signal, start);
  } else {
    try {
      head = await hostCall(start);
    } catch (error) {
      throw failed(error);
    }
  }
  const { 0: status, 1: list, 2: body } = head;
  if (request.redirect === "error" && status >= 300 && status <= 399 && status !== 304) {
    op_fetch_drop(body);
    throw new TypeError(`fetch failed: ${request.url} redirects, and the redirect mode is "error"`);
  }
  const received = responseBody(request, status, list, body, signal);
  return fetchedResponse(status, headersOf(list), received, request.url, false);
}

function responseBody(request, status, list, body, signal) {
  if (request.method === "HEAD" || status === 204 || status === 205 || status === 304) {
    op_fetch_drop(body);
    return null;
  }
  const answer = new Answer(body, signal);
  const coding = takeCoding(list);
  if (coding === null) return Body.of(answer);
  const { DecompressionStream } = core.loadExtScript("ext:deno_web/14_compression.js");
  return new Body(null, answer.stream().pipeThrough(new DecompressionStream(coding)), null);
}

// The body of an answer, of which the host gives one piece after the other.
class Answer {
  #body;
  #signal;

  constructor(body, signal) {
    this.#body = body;
    this.#signal = signal;
  }

  // All that is left, if the host has it. Null when it has not.
  rest() {
    this.#signal?.throwIfAborted();
    return op_fetch_rest(this.#body);
  }

  // The same as text.
  restText() {
    this.#signal?.throwIfAborted();
    return op_fetch_rest_text(this.#body);
  }

  // The next piece; null at the end.
  next() {
    const start = (number) => op_fetch_read(number, this.#body, currentRequest());
    return this.#signal === null ? hostCall(start) : signalledCall(this.#signal, start);
  }

  stream() {
    const signal = this.#signal;
    let abort;
    // A signal that outlives the answer must not keep it.
    const over = () => signal?.removeEventListener("abort", abort);
    return new ReadableStream({
      type: "bytes",
      start: (controller) => {
        abort = () => {
          over();
          op_fetch_drop(this.#body);
          controller.error(signal.reason);
        };
        signal?.addEventListener("abort", abort);
      },
      pull: async (controller) => {
        let piece = null;
        try {
          piece = await this.next();
        } catch (error) {
          over();
          throw error;
        }
        if (signal?.aborted) return;
        if (piece === null) {
          over();
          controller.close();
          controller.byobRequest?.respond(0);
        } else {
          controller.enqueue(piece);
        }
      },
      cancel: () => {
        over();
        op_fetch_drop(this.#body);
      },
    }, { highWaterMark: 0 });
  }
}

// The content coding to undo, or null. Its header and the length of the coded body are taken out of `list`: an app that passes the
// answer on would name a coding that its body does not have.
function takeCoding(list) {
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] !== "content-encoding") continue;
    const coding = codingNamed(StringPrototypeToLowerCase(list[i + 1]));
    if (coding === null) continue;
    ArrayPrototypeSplice(list, i, 2);
    takeHeader(list, "content-length");
    return coding;
  }
  return null;
}

// Takes each header of this name out of the list.
function takeHeader(list, name) {
  for (let i = list.length - 2; i >= 0; i -= 2) {
    if (list[i] === name) ArrayPrototypeSplice(list, i, 2);
  }
}

function codingNamed(name) {
  if (name === "gzip" || name === "x-gzip") return "gzip";
  return name === "deflate" ? "deflate" : null;
}

return { fetch };
})();
