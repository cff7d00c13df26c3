// One example of each name that the minimum common web API of WinterTC lists. Each gives true, or what it found instead.
const text = (bytes) => new TextDecoder().decode(bytes);
const bytes = (string) => new TextEncoder().encode(string);
const read = (stream) => new Response(stream).text();
const streamOf = (...chunks) => new ReadableStream({ start(controller) { chunks.forEach((chunk) => controller.enqueue(chunk)); controller.close(); } });
const thrown = (action) => { try { action(); } catch (error) { return error; } };
const next = (start) => new Promise(start);
// (module (func (export "f") (result i32) i32.const 42))
const WASM = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 6, 1, 4, 0, 65, 42, 11]);
const wasmResponse = () => new Response(WASM, { headers: { "content-type": "application/wasm" } });

const examples = {
  AbortController() {
    const controller = new AbortController();
    controller.abort("why");
    return controller.signal.aborted && controller.signal.reason === "why";
  },
  async AbortSignal() {
    const timeout = AbortSignal.timeout(1);
    await next((resolve) => timeout.addEventListener("abort", resolve));
    return AbortSignal.any([timeout]).reason.name === "TimeoutError" && AbortSignal.abort().aborted && thrown(() => new AbortSignal()) instanceof TypeError;
  },
  Blob: async () => (await new Blob(["ab", bytes("cd")], { type: "text/plain" }).slice(1, 3).text()) === "bc",
  ByteLengthQueuingStrategy: () => new ByteLengthQueuingStrategy({ highWaterMark: 9 }).size(bytes("abc")) === 3,
  async CompressionStream() {
    const gzip = await new Response(streamOf(bytes("a".repeat(999))).pipeThrough(new CompressionStream("gzip"))).bytes();
    return gzip[0] === 0x1f && gzip.length < 99;
  },
  CountQueuingStrategy: () => new CountQueuingStrategy({ highWaterMark: 9 }).size("anything") === 1,
  Crypto: () => crypto instanceof Crypto && /^[0-9a-f-]{36}$/.test(crypto.randomUUID()) && crypto.getRandomValues(new Uint8Array(16)).some((byte) => byte !== 0),
  async CryptoKey() {
    const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 128 }, false, ["encrypt"]);
    return key instanceof CryptoKey && key.type === "secret" && key.usages.join() === "encrypt" && !key.extractable;
  },
  CustomEvent: () => new CustomEvent("a", { detail: 7 }).detail === 7 && String(new CustomEvent("a")) === "[object CustomEvent]",
  async DecompressionStream() {
    const there = streamOf(bytes("abc")).pipeThrough(new CompressionStream("deflate"));
    return (await read(there.pipeThrough(new DecompressionStream("deflate")))) === "abc";
  },
  DOMException: () => new DOMException("m", "DataCloneError").code === 25 && new DOMException() instanceof Error,
  ErrorEvent: () => new ErrorEvent("error", { message: "m", lineno: 3 }).lineno === 3,
  Event() {
    const event = new Event("a", { cancelable: true });
    event.preventDefault();
    return event.defaultPrevented && event.type === "a" && !event.isTrusted;
  },
  EventTarget() {
    const target = new EventTarget();
    let count = 0;
    target.addEventListener("a", () => count++, { once: true });
    target.dispatchEvent(new Event("a"));
    target.dispatchEvent(new Event("a"));
    return count === 1;
  },
  File: () => new File(["a"], "n.txt", { lastModified: 5 }).lastModified === 5 && new File([], "n") instanceof Blob,
  async FormData() {
    const form = new FormData();
    form.append("a", "1");
    form.append("f", new Blob(["x"]), "x.txt");
    const back = await new Response(form).formData();
    return back.get("a") === "1" && back.get("f").name === "x.txt";
  },
  Headers() {
    const headers = new Headers([["a", "1"], ["A", "2"], ["set-cookie", "x"], ["set-cookie", "y"]]);
    return headers.get("a") === "1, 2" && headers.getSetCookie().join() === "x,y" && [...headers].length === 3;
  },
  async MessageChannel() {
    const { port1, port2 } = new MessageChannel();
    const got = next((resolve) => (port2.onmessage = resolve));
    port1.postMessage({ date: new Date(5) });
    const { data } = await got;
    port1.close();
    return data.date.getTime() === 5;
  },
  MessageEvent: () => new MessageEvent("message", { data: 1, origin: "o" }).origin === "o",
  MessagePort: () => new MessageChannel().port1 instanceof MessagePort && thrown(() => new MessagePort()) instanceof TypeError,
  Performance() {
    performance.mark("a");
    return performance instanceof Performance && performance.getEntriesByName("a").length > 0;
  },
  PromiseRejectionEvent: () => new PromiseRejectionEvent("unhandledrejection", { promise: Promise.resolve(), reason: 1 }).reason === 1,
  async ReadableByteStreamController() {
    let right;
    const stream = new ReadableStream({ type: "bytes", start(controller) { right = controller instanceof ReadableByteStreamController; controller.enqueue(bytes("a")); controller.close(); } });
    return right && (await read(stream)) === "a";
  },
  async ReadableStream() {
    const [left, right] = streamOf("a", "b").tee();
    const found = [];
    for await (const chunk of left) found.push(chunk);
    return found.join("") + (await Array.fromAsync(ReadableStream.from(right))).join("") === "abab";
  },
  async ReadableStreamBYOBReader() {
    const reader = new Blob(["abc"]).stream().getReader({ mode: "byob" });
    const { value } = await reader.read(new Uint8Array(2));
    return reader instanceof ReadableStreamBYOBReader && text(value) === "ab";
  },
  async ReadableStreamBYOBRequest() {
    let right;
    const stream = new ReadableStream({ type: "bytes", pull(controller) { right = controller.byobRequest instanceof ReadableStreamBYOBRequest; controller.byobRequest.view[0] = 65; controller.byobRequest.respond(1); } });
    const { value } = await stream.getReader({ mode: "byob" }).read(new Uint8Array(4));
    return right && value.length === 1 && value[0] === 65;
  },
  ReadableStreamDefaultController() {
    let right;
    new ReadableStream({ start(controller) { right = controller instanceof ReadableStreamDefaultController && controller.desiredSize === 1; } });
    return right;
  },
  async ReadableStreamDefaultReader() {
    const stream = streamOf("a");
    const reader = stream.getReader();
    return reader instanceof ReadableStreamDefaultReader && stream.locked && (await reader.read()).value === "a" && (await reader.read()).done;
  },
  async Request() {
    const request = new Request("https://x.example/a?b", { method: "post", body: new URLSearchParams({ a: "1" }), cache: "no-store", keepalive: true });
    const copy = request.clone();
    return request.method === "POST" && copy.cache === "no-store" && copy.keepalive && (await request.text()) === "a=1" && (await copy.formData()).get("a") === "1";
  },
  async Response() {
    const response = Response.json({ a: 1 }, { status: 201 });
    return response.ok && (await response.clone().json()).a === 1 && Response.redirect("https://x.example/", 303).headers.get("location") === "https://x.example/" && Response.error().type === "error";
  },
  async SubtleCrypto() {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes("abc")));
    return crypto.subtle instanceof SubtleCrypto && digest[0] === 0xba && digest[31] === 0xad;
  },
  TextDecoder: () => new TextDecoder("utf-16le").decode(Uint8Array.of(65, 0)) === "A" && thrown(() => new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.of(255))) instanceof TypeError,
  TextDecoderStream: async () => (await Array.fromAsync(streamOf(Uint8Array.of(226, 130), Uint8Array.of(172)).pipeThrough(new TextDecoderStream()))).join("") === "\u20ac",
  TextEncoder: () => new TextEncoder().encodeInto("\u20ac", new Uint8Array(2)).read === 0 && bytes("\u20ac").length === 3,
  TextEncoderStream: async () => text(await new Response(streamOf("\ud83d", "\ude00").pipeThrough(new TextEncoderStream())).bytes()) === "\u{1f600}",
  TransformStream: async () => (await Array.fromAsync(streamOf(1, 2).pipeThrough(new TransformStream({ transform: (n, controller) => controller.enqueue(n * 2) })))).join() === "2,4",
  TransformStreamDefaultController() {
    let right;
    new TransformStream({ start(controller) { right = controller instanceof TransformStreamDefaultController; } });
    return right;
  },
  URL: () => new URL("../a?b=c#d", "https://x.example/y/z").href === "https://x.example/a?b=c#d" && URL.canParse("a:b") && URL.parse("no") === null,
  URLPattern: () => new URLPattern({ pathname: "/notes/:slug" }).exec("https://x.example/notes/tea").pathname.groups.slug === "tea",
  URLSearchParams() {
    const query = new URLSearchParams("b=2&a=1&a=3");
    query.sort();
    return query.toString() === "a=1&a=3&b=2" && query.size === 3 && query.has("a", "3");
  },
  "WebAssembly.Exception": () => new WebAssembly.Exception(new WebAssembly.Tag({ parameters: ["i32"] }), [1]) instanceof WebAssembly.Exception,
  "WebAssembly.Global": () => new WebAssembly.Global({ value: "i32", mutable: true }, 4).value === 4,
  "WebAssembly.Instance": () => new WebAssembly.Instance(new WebAssembly.Module(WASM)).exports.f() === 42,
  "WebAssembly.Memory": () => new WebAssembly.Memory({ initial: 1 }).buffer.byteLength === 65536,
  "WebAssembly.Module": () => WebAssembly.Module.exports(new WebAssembly.Module(WASM))[0].name === "f",
  "WebAssembly.Table": () => new WebAssembly.Table({ element: "anyfunc", initial: 2 }).length === 2,
  "WebAssembly.Tag": () => new WebAssembly.Tag({ parameters: [] }) instanceof WebAssembly.Tag,
  "WebAssembly.CompileError": () => thrown(() => new WebAssembly.Module(Uint8Array.of(1))) instanceof WebAssembly.CompileError,
  "WebAssembly.LinkError": () => new WebAssembly.LinkError("m") instanceof Error,
  "WebAssembly.RuntimeError": () => new WebAssembly.RuntimeError("m") instanceof Error,
  "WebAssembly.compile": async () => (await WebAssembly.compile(WASM)) instanceof WebAssembly.Module,
  "WebAssembly.compileStreaming": async () => (await WebAssembly.compileStreaming(wasmResponse())) instanceof WebAssembly.Module,
  "WebAssembly.instantiate": async () => (await WebAssembly.instantiate(WASM)).instance.exports.f() === 42,
  "WebAssembly.instantiateStreaming": async () => (await WebAssembly.instantiateStreaming(Promise.resolve(wasmResponse()))).instance.exports.f() === 42,
  "WebAssembly.validate": () => WebAssembly.validate(WASM) && !WebAssembly.validate(Uint8Array.of(1)),
  async WritableStream() {
    const got = [];
    await streamOf("a", "b").pipeTo(new WritableStream({ write(chunk) { got.push(chunk); } }));
    return got.join("") === "ab";
  },
  WritableStreamDefaultController() {
    let right;
    new WritableStream({ start(controller) { right = controller instanceof WritableStreamDefaultController && controller.signal instanceof AbortSignal; } });
    return right;
  },
  async WritableStreamDefaultWriter() {
    const writer = new WritableStream().getWriter();
    await writer.write("a");
    await writer.close();
    return writer instanceof WritableStreamDefaultWriter;
  },
  atob: () => atob("4pyTIMOgIGxh").length === 9 && thrown(() => atob("%")).name === "InvalidCharacterError",
  btoa: () => btoa("\xff") === "/w==" && thrown(() => btoa("\u20ac")).name === "InvalidCharacterError",
  clearInterval() {
    clearInterval(setInterval(() => {}, 5));
    return true;
  },
  async clearTimeout() {
    let fired = false;
    clearTimeout(setTimeout(() => (fired = true), 1));
    await next((resolve) => setTimeout(resolve, 10));
    return !fired;
  },
  console: () => ["assert", "clear", "count", "countReset", "debug", "dir", "dirxml", "error", "group", "groupCollapsed", "groupEnd", "info", "log", "table", "time", "timeEnd", "timeLog", "trace", "warn"].every((name) => typeof console[name] === "function"),
  crypto: () => Object.prototype.toString.call(crypto) === "[object Crypto]",
  fetch: async () => (await fetch("gopher://x.example/").catch((error) => error)) instanceof TypeError,
  globalThis: () => globalThis.globalThis === globalThis,
  "navigator.userAgent": () => /^Vitrine/.test(navigator.userAgent),
  async onerror() {
    const got = next((resolve) => {
      onerror = (...parts) => {
        resolve(parts);
        return true;
      };
    });
    setTimeout(() => {
      throw new RangeError("from a timer");
    });
    const [message, , line, , error] = await got;
    onerror = null;
    return /from a timer/.test(message) && line > 0 && error instanceof RangeError;
  },
  async onunhandledrejection() {
    const got = next((resolve) => {
      onunhandledrejection = (event) => {
        event.preventDefault();
        resolve(event);
      };
    });
    const promise = Promise.reject(new RangeError("nobody"));
    const event = await got;
    onunhandledrejection = null;
    return event.promise === promise && event.reason.message === "nobody";
  },
  onrejectionhandled() {
    onrejectionhandled = 5;
    return onrejectionhandled === null && "onrejectionhandled" in globalThis;
  },
  async "performance.now"() {
    const before = performance.now();
    await next((resolve) => setTimeout(resolve, 5));
    return performance.now() - before >= 4;
  },
  "performance.timeOrigin": () => Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 1000,
  async queueMicrotask() {
    const order = [];
    queueMicrotask(() => order.push("microtask"));
    order.push("now");
    await null;
    return order.join() === "now,microtask";
  },
  reportError() {
    let seen;
    const listener = (event) => {
      seen = event.error;
      event.preventDefault();
    };
    addEventListener("error", listener);
    reportError(new RangeError("told"));
    removeEventListener("error", listener);
    return seen.message === "told";
  },
  self: () => self === globalThis,
  async setInterval() {
    let count = 0;
    await next((resolve) => {
      const timer = setInterval(() => ++count === 3 && (clearInterval(timer), resolve()), 1);
    });
    return count === 3;
  },
  setTimeout: async () => (await next((resolve) => setTimeout(resolve, 1, "argument"))) === "argument",
  structuredClone() {
    const given = { map: new Map([[1, new Set([2n])]]), error: new RangeError("m"), list: [, 1] };
    given.self = given;
    const copy = structuredClone(given);
    return copy.self === copy && copy.map.get(1).has(2n) && copy.error instanceof RangeError && !(0 in copy.list) && thrown(() => structuredClone(() => {})).name === "DataCloneError";
  },
};

/** The name of each example with what it found, if that is not true. */
async function run() {
  const wrong = {};
  for (const [name, example] of Object.entries(examples)) {
    const late = next((resolve) => setTimeout(resolve, 2000, "it does not end"));
    const found = await Promise.race([Promise.resolve().then(example).catch((error) => `${error}`), late]);
    if (found !== true) wrong[name] = `${found}`;
  }
  return { names: Object.keys(examples), wrong };
}

export default async () => Response.json(await run());
