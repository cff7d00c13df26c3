// META: title=ECMA-429, the minimum common web API, of December 2025
// What has to be there, in which form, and one thing that each of it has to do.

const BODY = ["body", "bodyUsed", "arrayBuffer", "blob", "bytes", "formData", "json", "text"];
const ENTRIES = ["append", "delete", "get", "has", "set", "entries", "keys", "values", "forEach"];
const ADDRESS = ["protocol", "username", "password", "hostname", "port", "pathname", "search", "hash"];
const ENDS = ["readable", "writable"];

/** Members of each interface, and the length of its constructor if that is not 0. */
const INTERFACES = {
  AbortController: { members: ["abort", "signal"] },
  AbortSignal: { members: ["aborted", "reason", "onabort", "throwIfAborted"], illegal: true },
  Blob: { members: ["size", "type", "slice", "stream", "text", "arrayBuffer", "bytes"] },
  ByteLengthQueuingStrategy: { length: 1, members: ["highWaterMark", "size"] },
  CompressionStream: { length: 1, members: ENDS },
  CountQueuingStrategy: { length: 1, members: ["highWaterMark", "size"] },
  Crypto: { members: ["subtle", "getRandomValues", "randomUUID"], illegal: true },
  CryptoKey: { members: ["type", "extractable", "algorithm", "usages"], illegal: true },
  CustomEvent: { length: 1, members: ["detail"] },
  DecompressionStream: { length: 1, members: ENDS },
  DOMException: { members: ["name", "message", "code"] },
  ErrorEvent: { length: 1, members: ["message", "filename", "lineno", "colno", "error"] },
  Event: {
    length: 1,
    members: [
      ..."type target preventDefault stopPropagation stopImmediatePropagation composedPath bubbles cancelable".split(" "),
      ..."defaultPrevented composed isTrusted timeStamp eventPhase currentTarget srcElement cancelBubble returnValue".split(" "),
    ],
  },
  EventTarget: { members: ["addEventListener", "removeEventListener", "dispatchEvent"] },
  File: { length: 2, members: ["name", "lastModified"] },
  FormData: { members: [...ENTRIES, "getAll"] },
  Headers: { members: [...ENTRIES, "getSetCookie"] },
  MessageChannel: { members: ["port1", "port2"] },
  MessageEvent: { length: 1, members: ["data", "origin", "lastEventId", "source", "ports"] },
  MessagePort: { members: ["postMessage", "start", "close", "onmessage", "onmessageerror"], illegal: true },
  Performance: { members: ["now", "timeOrigin", "toJSON"], illegal: true },
  PromiseRejectionEvent: { length: 2, members: ["promise", "reason"] },
  ReadableByteStreamController: { members: ["byobRequest", "desiredSize", "close", "enqueue", "error"], illegal: true },
  ReadableStream: { members: ["locked", "cancel", "getReader", "pipeThrough", "pipeTo", "tee", "values"] },
  ReadableStreamBYOBReader: { length: 1, members: ["read", "releaseLock", "closed", "cancel"] },
  ReadableStreamBYOBRequest: { members: ["view", "respond", "respondWithNewView"], illegal: true },
  ReadableStreamDefaultController: { members: ["desiredSize", "close", "enqueue", "error"], illegal: true },
  ReadableStreamDefaultReader: { length: 1, members: ["read", "releaseLock", "closed", "cancel"] },
  Request: {
    length: 1,
    members: [
      ..."method url headers destination referrer referrerPolicy mode credentials cache redirect".split(" "),
      ..."integrity keepalive signal duplex clone".split(" "),
      ...BODY,
    ],
  },
  Response: { members: ["type", "url", "redirected", "status", "ok", "statusText", "headers", "clone", ...BODY] },
  SubtleCrypto: {
    members: "encrypt decrypt sign verify digest generateKey deriveKey deriveBits importKey exportKey wrapKey unwrapKey".split(" "),
    illegal: true,
  },
  TextDecoder: { members: ["encoding", "fatal", "ignoreBOM", "decode"] },
  TextDecoderStream: { members: ["encoding", "fatal", "ignoreBOM", ...ENDS] },
  TextEncoder: { members: ["encoding", "encode", "encodeInto"] },
  TextEncoderStream: { members: ["encoding", ...ENDS] },
  TransformStream: { members: ENDS },
  TransformStreamDefaultController: { members: ["desiredSize", "enqueue", "error", "terminate"], illegal: true },
  URL: { length: 1, members: ["href", "origin", "host", "searchParams", "toJSON", ...ADDRESS] },
  URLPattern: { members: ["test", "exec", "hasRegExpGroups", ...ADDRESS] },
  URLSearchParams: { members: ["size", "getAll", "sort", "toString", ...ENTRIES] },
  WritableStream: { members: ["locked", "abort", "close", "getWriter"] },
  WritableStreamDefaultController: { members: ["signal", "error"], illegal: true },
  WritableStreamDefaultWriter: { length: 1, members: ["closed", "desiredSize", "ready", "abort", "close", "releaseLock", "write"] },
};

/** The property that an object has or inherits. */
function descriptorOf(object, name) {
  for (let owner = object; owner !== null; owner = Object.getPrototypeOf(owner)) {
    const descriptor = Object.getOwnPropertyDescriptor(owner, name);
    if (descriptor !== undefined) {
      return descriptor;
    }
  }
  return undefined;
}

for (const [name, { length = 0, members, illegal = false }] of Object.entries(INTERFACES)) {
  const it = () => globalThis[name];
  test(() => assert_equals(typeof it(), "function"), `${name} is there`);
  test(() => {
    const { enumerable, configurable } = Object.getOwnPropertyDescriptor(globalThis, name);
    assert_array_equals([enumerable, configurable], [false, true]);
  }, `${name} is a property of the global`);
  test(() => assert_array_equals([it().name, it().length], [name, length]), `${name} has its name and length`);
  test(() => {
    assert_equals(it().prototype.constructor, it());
    const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(it().prototype, Symbol.toStringTag);
    assert_array_equals([value, writable, enumerable, configurable], [name, false, false, true]);
  }, `${name} has its tag`);
  test(() => {
    const missing = members.filter((member) => !(member in it().prototype));
    assert_array_equals(missing, []);
  }, `${name} has its members`);
  test(() => {
    const hidden = members.filter((member) => descriptorOf(it().prototype, member)?.enumerable === false);
    assert_array_equals(hidden, []);
  }, `${name} shows its members`);
  test(
    () => {
      assert_throws_js(TypeError, () => it()());
      if (illegal) {
        assert_throws_js(TypeError, () => new (it())());
      }
    },
    `${name} is not to be called${illegal ? ", nor constructed" : ""}`,
  );
}

const FUNCTIONS = {
  atob: 1,
  btoa: 1,
  clearInterval: 0,
  clearTimeout: 0,
  fetch: 1,
  queueMicrotask: 1,
  reportError: 1,
  setInterval: 1,
  setTimeout: 1,
  structuredClone: 1,
};
for (const [name, length] of Object.entries(FUNCTIONS)) {
  test(() => assert_array_equals([typeof globalThis[name], globalThis[name].length, globalThis[name].name], ["function", length, name]), `${name}() is there`);
  test(() => {
    const { enumerable, configurable } = descriptorOf(globalThis, name);
    assert_array_equals([enumerable, configurable], [true, true]);
  }, `${name}() is a property that shows`);
}

for (const name of ["onerror", "onrejectionhandled", "onunhandledrejection"]) {
  test(() => {
    const before = globalThis[name];
    const taken = [3, () => {}, {}].map((value) => [value, ((globalThis[name] = value), globalThis[name])]);
    globalThis[name] = before;
    assert_array_equals(
      taken.map(([value, now]) => now === (typeof value === "number" ? null : value)),
      [true, true, true],
    );
  }, `${name} takes functions and objects`);
}

test(() => assert_equals(self, globalThis), "self is the global");
test(() => assert_true(globalThis instanceof EventTarget), "the global is an EventTarget");
test(() => assert_true(typeof navigator.userAgent === "string" && navigator.userAgent !== ""), "navigator.userAgent");
test(() => assert_true(performance instanceof Performance && performance.now() > 0 && performance.timeOrigin > 1e12), "performance");
test(() => assert_true(crypto instanceof Crypto && crypto.subtle instanceof SubtleCrypto), "crypto");

const CONSOLE = "assert clear count countReset debug dir dirxml error group groupCollapsed groupEnd info log table time timeEnd timeLog trace warn";
CONSOLE.split(" ").forEach((name) => test(() => assert_equals(typeof console[name], "function"), `console.${name}`));

const WASM = "CompileError Exception Global Instance LinkError Memory Module RuntimeError Table Tag compile instantiate validate";
test(() => WASM.split(" ").forEach((name) => assert_equals(typeof WebAssembly[name], "function", name)), "WebAssembly has its members");
test(() => assert_equals(typeof WebAssembly.compileStreaming, "function"), "WebAssembly.compileStreaming");
test(() => assert_equals(typeof WebAssembly.instantiateStreaming, "function"), "WebAssembly.instantiateStreaming");
test(() => assert_equals(typeof WebAssembly.JSTag, "object"), "WebAssembly.JSTag");
