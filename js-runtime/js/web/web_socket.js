// The WebSocket class, of the app's own making or one end of a WebSocketPair. The host speaks the protocol; here are whole messages.
(function () {
const { core, primordials } = __bootstrap;
const { op_fetch, op_fetch_drop, op_socket_accept, op_socket_open, op_upload_end, op_upload_open } = core.ops;
const {
  ArrayBufferIsView, ArrayPrototypeIncludes, ArrayPrototypeJoin, ArrayPrototypePush, ObjectDefineProperty, ObjectPrototypeIsPrototypeOf,
  PromisePrototypeThen, PromiseResolve, RangeError, RegExpPrototypeTest, SafeRegExp, StringPrototypeSlice, Symbol, SymbolIterator, TypeError,
  Uint8Array,
} = primordials;
const { configureInterface, requiredArguments } = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const { URL } = core.loadExtScript("ext:deno_web/00_url.js");
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
const { CloseEvent, ErrorEvent, Event, EventTarget, MessageEvent, defineEventHandler, setIsTrusted } =
  core.loadExtScript("ext:deno_web/02_event.js");
const { currentRequest, hostCall, queueTask, runInContext } = core.loadExtScript("ext:vitrine/runtime/bridge.js");
const { notice } = core.loadExtScript("ext:vitrine/runtime/snapshot_guard.js");
const { isOwn } = core.loadExtScript("ext:vitrine/web/fetch.js");
const { BINARY, CLOSE, HostWay, NO_CODE, PeerWay, TEXT } = core.loadExtScript("ext:vitrine/web/web_socket_ways.js");

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;
// Code of an end without a close.
const ABNORMAL = 1006;
// Code of a close because of what went wrong elsewhere.
const FAILED = 1011;
const REASON_BYTES_MAX = 123;
const TOKEN = new SafeRegExp("^[!#$%&'*+\\-.^_`|~A-Za-z0-9]+$");
const PAIRED = Symbol("paired");

function invalid(name, message) {
  return new DOMException(`WebSocket: ${message}`, name);
}

function webSocketUrl(input) {
  let url;
  try {
    url = new URL(`${input}`);
  } catch {
    throw invalid("SyntaxError", `"${input}" is not an absolute URL`);
  }
  if (url.protocol === "http:") url.protocol = "ws:";
  if (url.protocol === "https:") url.protocol = "wss:";
  if (url.protocol !== "ws:" && url.protocol !== "wss:") throw invalid("SyntaxError", `${url.href} is not a ws or wss URL`);
  if (url.hash !== "" || url.href.at(-1) === "#") throw invalid("SyntaxError", `${url.href} has a fragment`);
  return url.href;
}

function protocolList(protocols) {
  const given = typeof protocols !== "string" && protocols?.[SymbolIterator] !== undefined ? [...protocols] : [protocols];
  const list = [];
  for (let i = 0; i < given.length; i++) {
    const protocol = `${given[i]}`;
    if (ArrayPrototypeIncludes(list, protocol) || !RegExpPrototypeTest(TOKEN, protocol)) throw invalid("SyntaxError", `"${protocol}" is no protocol, or is there twice`);
    ArrayPrototypePush(list, protocol);
  }
  return list;
}

function headerOf(list, name) {
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === name) return list[i + 1];
  }
  return "";
}

function isBlob(value) {
  if (value === null || typeof value !== "object" || ArrayBufferIsView(value)) return false;
  const { Blob } = core.loadExtScript("ext:deno_web/09_file.js");
  return ObjectPrototypeIsPrototypeOf(Blob.prototype, value);
}

function isBytes(value) {
  return ArrayBufferIsView(value) || core.isAnyArrayBuffer(value);
}

function bytesOf(data) {
  return ArrayBufferIsView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}

// Asks the host for a connection; gives it, and the protocol that was chosen.
async function connect(url, protocols) {
  const httpUrl = `http${StringPrototypeSlice(url, 2)}`;
  const headers = ["user-agent", "Vitrine"];
  if (protocols.length > 0) ArrayPrototypePush(headers, "sec-websocket-protocol", ArrayPrototypeJoin(protocols, ", "));
  const upload = op_upload_open();
  try {
    const { 0: status, 2: list, 3: body } = await hostCall((call) => {
      op_fetch(call, currentRequest(), "GET", httpUrl, headers, upload, false, isOwn(httpUrl), true);
    });
    const protocol = headerOf(list, "sec-websocket-protocol");
    if (status !== 101 || (protocol !== "" && !ArrayPrototypeIncludes(protocols, protocol))) {
      op_fetch_drop(body);
      throw new TypeError(status === 101 ? `it chose the protocol "${protocol}", which nobody asked for` : `it answered ${status}`);
    }
    const number = op_socket_open(body, upload);
    if (number <= 0) throw new TypeError("this isolate has as many WebSockets as it may");
    return { number, protocol };
  } catch (error) {
    op_upload_end(upload, false);
    throw error;
  }
}

// Passes on what one socket hears, until it has closed.
function pass(from, to) {
  from.addEventListener("message", ({ data }) => to.send(data));
  from.addEventListener("close", ({ code, reason }) => {
    if (code === NO_CODE) to.close();
    else to.close(code === ABNORMAL ? FAILED : code, reason);
  });
}

// An end of a pair that speaks with the other side of a socket.
function relay(socket) {
  const { 0: outer, 1: inner } = makePair();
  inner.accept();
  socket.accept();
  pass(socket, inner);
  pass(inner, socket);
  return outer;
}

let makePair;
let makeServer;
let fetched;
let upgrade;

class WebSocket extends EventTarget {
  #url = "";
  #state = CONNECTING;
  #protocol = "";
  #binaryType = "blob";
  // How messages leave it.
  #way = null;
  // One end of a pair hears nothing before the app accepts it; what came until then waits.
  #isAccepted = true;
  #early = [];
  // Whether it is an end that went into an answer.
  #isGiven = false;
  // Whether it is open only once its answer has gone out.
  #opensLater = false;
  #peer = null;
  // What is sent while a Blob is being read waits for that.
  #sending = null;
  #whenClosed = null;
  // Its events are of the code that opened or accepted it.
  #context = core.getAsyncContext();

  constructor(url, protocols = []) {
    if (url !== PAIRED) requiredArguments(arguments.length, 1, "WebSocket");
    super();
    if (url === PAIRED) {
      this.#state = OPEN;
      this.#isAccepted = false;
      this.#binaryType = "arraybuffer";
      return;
    }
    this.#url = webSocketUrl(url);
    const list = protocolList(protocols);
    notice("network");
    PromisePrototypeThen(connect(this.#url, list), (made) => this.#opened(made), (error) => this.#failed(error.message));
  }

  static {
    makePair = () => {
      const ends = [new WebSocket(PAIRED), new WebSocket(PAIRED)];
      for (let i = 0; i < 2; i++) {
        const other = ends[1 - i];
        ends[i].#peer = other;
        ends[i].#way = new PeerWay((kind, value) => other.#receiveSoon(kind, value));
      }
      return ends;
    };
    // The ends of a pair of which the second is open once the first has answered a request.
    makeServer = (protocol) => {
      const { 0: client, 1: server } = makePair();
      server.#isAccepted = server.#opensLater = true;
      server.#state = CONNECTING;
      server.#binaryType = "blob";
      server.#protocol = protocol;
      return { client, server };
    };
    // The socket that a call has opened. It hears nothing before the app accepts it, or answers with it.
    fetched = (body, upload, url, protocol) => {
      const socket = new WebSocket(PAIRED);
      const number = op_socket_open(body, upload);
      if (number <= 0) throw new TypeError("this isolate has as many WebSockets as it may");
      socket.#url = url;
      socket.#protocol = protocol;
      socket.#way = new HostWay(number);
      socket.#peer = socket;
      return socket;
    };
    // Answers a request with an end of a pair: the other one speaks with its client from now on. `closed` is called at the end; gives what
    // ends it.
    upgrade = (request, end, headers, closed) => {
      if (!(typeof end === "object" && end !== null && #peer in end) || end.#peer === null || end.#isAccepted || end.#isGiven) {
        throw new TypeError("The webSocket of a Response must be an end of a WebSocketPair that was neither accepted nor used");
      }
      const isFetched = end.#way instanceof HostWay;
      const number = op_socket_accept(request, headers);
      if (isFetched && (number === 0 || number === -2)) end.#way.end();
      if (number === 0) throw new TypeError("The handler answered with a WebSocket, and the request does not ask for one");
      if (number === -2) throw new TypeError("With limits.isolate_per_request there are no WebSockets: each would keep an isolate for itself");
      if (isFetched) end = relay(end);
      end.#isGiven = true;
      const server = end.#peer;
      server.#whenClosed = closed;
      // There is no place for it; the host says so.
      if (number < 0) {
        server.#finish(ABNORMAL, "", false);
        return undefined;
      }
      server.#way = new HostWay(number);
      if (server.#opensLater) queueTask(() => server.#opens(), []);
      const early = end.#early;
      end.#early = [];
      for (let i = 0; i < early.length; i++) {
        if (server.#way.send(early[i].kind, early[i].value) !== 2) continue;
        server.#giveUp();
        return undefined;
      }
      if (server.#isAccepted && !server.#opensLater) server.#listenInContext();
      return () => server.#finish(ABNORMAL, "", false);
    };
  }

  get url() {
    return this.#url;
  }

  get readyState() {
    return this.#state;
  }

  get bufferedAmount() {
    return this.#way?.waiting() ?? 0;
  }

  get extensions() {
    return "";
  }

  get protocol() {
    return this.#protocol;
  }

  get binaryType() {
    return this.#binaryType;
  }

  set binaryType(value) {
    if (value === "blob" || value === "arraybuffer") this.#binaryType = value;
  }

  // Of one end of a pair: its messages come from now on.
  accept() {
    if (this.#peer === null) throw new TypeError("Only an end of a WebSocketPair is accepted");
    if (this.#isGiven) throw new TypeError("This end of the WebSocketPair went into an answer; accept the other one");
    if (this.#isAccepted) return;
    this.#isAccepted = true;
    this.#context = core.getAsyncContext();
    if (this.#way instanceof HostWay) this.#listenInContext();
    const early = this.#early;
    this.#early = [];
    for (let i = 0; i < early.length; i++) this.#receiveSoon(early[i].kind, early[i].value);
  }

  send(data) {
    requiredArguments(arguments.length, 1, "WebSocket.send");
    if (this.#state === CONNECTING) throw invalid("InvalidStateError", "it is not open yet");
    if (this.#state !== OPEN) return;
    if (this.#sending === null && !isBlob(data)) {
      this.#deliver(data);
      return;
    }
    const before = this.#sending ?? PromiseResolve();
    const own = isBytes(data) ? new Uint8Array(bytesOf(data)) : isBlob(data) ? data : `${data}`;
    const sent = PromisePrototypeThen(before, async () => {
      const read = isBlob(own) ? new Uint8Array(await own.arrayBuffer()) : own;
      if (this.#state === OPEN) this.#deliver(read);
      if (this.#sending === sent) this.#sending = null;
    });
    this.#sending = sent;
  }

  #deliver(data) {
    const became = isBytes(data) ? this.#way.send(BINARY, bytesOf(data)) : this.#way.send(TEXT, `${data}`);
    if (became === 1) throw new RangeError("WebSocket: a message may have 1 MiB");
    if (became === 2) this.#giveUp();
  }

  // The other side takes nothing, and there is no room for more.
  #giveUp() {
    // What its listeners send is not sent.
    this.#state = CLOSING;
    this.#way.end(true);
    this.#failed("the other side takes no messages");
  }

  close(code = undefined, reason = undefined) {
    if (code !== undefined) {
      code = code & 0xffff;
      const isAllowed = code === 1000 || (code >= 3000 && code <= 4999);
      // Who serves may say what went wrong.
      const isServers = this.#peer !== null && code >= 1001 && code <= 1013 && code !== 1004 && code !== 1005 && code !== 1006;
      if (!isAllowed && !isServers) throw invalid("InvalidAccessError", `${code} is not 1000 or a code from 3000 to 4999`);
    }
    reason = reason === undefined ? "" : `${reason}`;
    if (core.encode(reason).byteLength > REASON_BYTES_MAX) throw invalid("SyntaxError", `the reason has more than ${REASON_BYTES_MAX} bytes`);
    if (this.#state === CLOSING || this.#state === CLOSED) return;
    if (this.#state === CONNECTING) {
      this.#state = CLOSING;
      return;
    }
    this.#state = CLOSING;
    const close = () => this.#way.send(CLOSE, [code ?? NO_CODE, reason]);
    if (this.#sending === null) close();
    else PromisePrototypeThen(this.#sending, close);
  }

  #opened({ number, protocol }) {
    this.#way = new HostWay(number);
    this.#protocol = protocol;
    this.#opens();
  }

  #opens() {
    // Its client has left before it was open.
    if (this.#state === CLOSED) return;
    if (this.#state === CLOSING) {
      // Closed before it was open.
      this.#way.end();
      this.#failed("it was closed before it was open");
      return;
    }
    this.#state = OPEN;
    this.#tell(new Event("open"));
    this.#listenInContext();
  }

  #failed(message) {
    this.#fail(message);
    this.#finish(ABNORMAL, "", false);
  }

  #fail(message) {
    if (this.#state === CLOSED) return;
    const error = new TypeError(`WebSocket: ${message}`);
    this.#tell(new ErrorEvent("error", { message: error.message, error }));
  }

  #listenInContext() {
    runInContext(this.#context, () => this.#listen(), undefined, []);
  }

  // Hears what the host gives, until the end.
  async #listen() {
    const way = this.#way;
    while (true) {
      const message = await way.next();
      if (message === null) break;
      this.#receive(message[0], message[1]);
      if (message[0] === CLOSE) return;
    }
    this.#finish(ABNORMAL, "", false);
  }

  // From the other end of the pair.
  #receiveSoon(kind, value) {
    if (this.#isAccepted) queueTask(() => this.#receive(kind, value), []);
    else ArrayPrototypePush(this.#early, { kind, value });
  }

  #receive(kind, value) {
    if (kind === CLOSE) {
      if (this.#state === OPEN && this.#way instanceof PeerWay) this.#way.send(CLOSE, value);
      this.#finish(value[0], value[1], value[0] !== ABNORMAL);
      return;
    }
    if (this.#state !== OPEN) return;
    let data = value;
    if (kind === BINARY) {
      data = value.buffer;
      if (this.#binaryType === "blob") data = new (core.loadExtScript("ext:deno_web/09_file.js").Blob)([value]);
    }
    this.#tell(new MessageEvent("message", { data, origin: this.#url }));
  }

  #finish(code, reason, wasClean) {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.#way?.end();
    this.#whenClosed?.();
    this.#tell(new CloseEvent("close", { code, reason, wasClean }));
  }

  #tell(event) {
    setIsTrusted(event, true);
    runInContext(this.#context, () => this.dispatchEvent(event), undefined, []);
  }
}
const STATES = { __proto__: null, CONNECTING, OPEN, CLOSING, CLOSED };
for (const name in STATES) {
  for (const object of [WebSocket, WebSocket.prototype]) {
    ObjectDefineProperty(object, name, { __proto__: null, value: STATES[name], enumerable: true });
  }
  // As Cloudflare has them, too.
  ObjectDefineProperty(WebSocket, `READY_STATE_${name}`, { __proto__: null, value: STATES[name] });
}
for (const name of ["open", "message", "error", "close"]) defineEventHandler(WebSocket.prototype, name);
configureInterface(WebSocket);
ObjectDefineProperty(WebSocket.prototype, core.hostObjectBrand, { __proto__: null, value: "WebSocket" });

// Two ends that speak with each other, as Cloudflare's workers have them.
class WebSocketPair {
  constructor() {
    const ends = makePair();
    this[0] = ends[0];
    this[1] = ends[1];
  }
}

return { WebSocket, WebSocketPair, fetched, headerOf, makeServer, upgrade };
})();
