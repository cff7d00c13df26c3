// META: title=ECMA-429, the minimum common web API, of December 2025: what it does
// One thing that each part of it has to do.

// What is reported, and what nobody handles, is what some of them are about.
setup({ allow_uncaught_exception: true });

/** What takes longer has failed. */
const PATIENCE_MS = 3_000;

/** @param {string} name @param {() => unknown} work */
function does(name, work) {
  promise_test(async () => {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(reject, PATIENCE_MS, new Error("nothing came"));
    });
    await Promise.race([work(), late]);
    clearTimeout(timer);
  }, name);
}

const bytes = (text) => new TextEncoder().encode(text);
const textOf = (stream) => new Response(stream).text();
const once = (target, type) => new Promise((resolve) => target.addEventListener(type, (event) => (event.preventDefault(), resolve(event)), { once: true }));
/** What a call throws, or its promise rejects with. */
const thrown = async (call) => {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
};

does("signals are aborted by controllers, by others and by time", async () => {
  const controller = new AbortController();
  const any = AbortSignal.any([controller.signal]);
  controller.abort("x");
  assert_equals(any.reason, "x");
  assert_true(AbortSignal.abort().aborted);
  const late = AbortSignal.timeout(5);
  await new Promise((resolve) => (late.onabort = resolve));
  assert_equals(late.reason.name, "TimeoutError");
});
does("listeners are called in their order, once, until their signal", () => {
  const [target, order, controller] = [new EventTarget(), [], new AbortController()];
  target.addEventListener("a", () => order.push(1), { once: true });
  target.addEventListener("a", () => order.push(2), { signal: controller.signal });
  target.dispatchEvent(new Event("a"));
  controller.abort();
  target.dispatchEvent(new Event("a"));
  assert_array_equals(order, [1, 2]);
});
does("events carry what they are made with", () => {
  assert_equals(new CustomEvent("a", { detail: 5 }).detail, 5);
  const { message, lineno } = new ErrorEvent("e", { message: "m", lineno: 3 });
  assert_array_equals([message, lineno], ["m", 3]);
});
does("ports pass messages", async () => {
  const { port1, port2 } = new MessageChannel();
  const message = new Promise((resolve) => (port2.onmessage = ({ data }) => resolve(data)));
  port1.postMessage({ a: [1, new Map([[1, 2]])] });
  assert_equals((await message).a[1].get(1), 2);
  port1.close();
});
does("ports transfer buffers", async () => {
  const { port1, port2 } = new MessageChannel();
  const message = new Promise((resolve) => (port2.onmessage = ({ data }) => resolve(data)));
  const buffer = new ArrayBuffer(8);
  port1.postMessage(buffer, [buffer]);
  assert_array_equals([buffer.byteLength, (await message).byteLength], [0, 8]);
  port1.close();
});
does("rejections that nobody handles are told, and those that somebody handles late", async () => {
  const told = once(globalThis, "unhandledrejection");
  const rejected = Promise.reject(new Error("late"));
  const { reason, promise } = await told;
  assert_array_equals([reason.message, promise], ["late", rejected]);
  const handled = once(globalThis, "rejectionhandled");
  rejected.catch(() => {});
  await handled;
});
does("reportError() is an error event", async () => {
  const told = once(globalThis, "error");
  reportError(new RangeError("reported"));
  assert_equals((await told).error.message, "reported");
});
does("DOMExceptions are errors with codes", () => {
  assert_array_equals([new DOMException("m", "AbortError").code, DOMException.DATA_CLONE_ERR], [20, 25]);
  assert_true(new DOMException() instanceof Error && typeof new DOMException("x").stack === "string");
});
does("headers are sorted, joined, and cookies are not", () => {
  const headers = new Headers([
    ["b", "1"],
    ["a", "2"],
    ["set-cookie", "x=1"],
    ["set-cookie", "y=2"],
    ["B", "3"],
  ]);
  assert_equals(JSON.stringify([...headers]), '[["a","2"],["b","1, 3"],["set-cookie","x=1"],["set-cookie","y=2"]]');
  assert_array_equals(headers.getSetCookie(), ["x=1", "y=2"]);
});
does("requests are cloned with their bodies", async () => {
  const request = new Request("http://x/", { method: "POST", body: "hello" });
  const clone = request.clone();
  assert_array_equals([await request.text(), await clone.text(), request.bodyUsed], ["hello", "hello", true]);
});
does("requests that are none are refused", () => {
  for (const [url, init] of [
    ["http://x/", { method: "TRACE" }],
    ["http://x/", { body: "x" }],
    ["http://u:p@x/", {}],
  ]) {
    assert_throws_js(TypeError, () => new Request(url, init));
  }
});
does("a stream as a body wants duplex", () => assert_throws_js(TypeError, () => new Request("http://x/", { method: "POST", body: new ReadableStream() })));
does("answers are made of JSON, redirects and errors", async () => {
  assert_equals((await Response.json({ a: 1 }).json()).a, 1);
  assert_equals(Response.redirect("http://x/y", 307).headers.get("location"), "http://x/y");
  assert_equals(Response.error().type, "error");
});
does("headers of errors and redirects are not to be changed", () => {
  for (const answer of [Response.error(), Response.redirect("http://x/")]) {
    assert_throws_js(TypeError, () => answer.headers.set("a", "b"));
  }
});
does("bodies are read as bytes, blobs and forms", async () => {
  assert_equals((await new Response("ab").bytes())[1], 98);
  assert_equals((await new Response("ab", { headers: { "content-type": "text/x" } }).blob()).type, "text/x");
  const form = new FormData();
  form.append("a", "1");
  form.append("f", new File(["z"], "n.txt", { type: "text/plain" }));
  const read = await new Response(form).formData();
  assert_array_equals([read.get("a"), await read.get("f").text(), read.get("f").name], ["1", "z", "n.txt"]);
});
does("forms of browsers are read", async () => {
  const part = (head, body) => `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`;
  const body = `${part('name="a%22b"', "v")}${part('name="f"; filename="é.txt"', "x")}--b--\r\n`;
  const form = await new Response(body, { headers: { "content-type": "multipart/form-data; boundary=b" } }).formData();
  assert_equals(form.get("f").name, "é.txt");
});
does("forms in addresses are read", async () => {
  const type = { "content-type": "application/x-www-form-urlencoded" };
  const form = await new Response("a=1+2&b=%C3%A9", { headers: type }).formData();
  assert_array_equals([form.get("a"), form.get("b")], ["1 2", "é"]);
});
does("blobs are joined, cut and read", async () => {
  const blob = new Blob(["abc", bytes("def"), new Blob(["g"])], { type: "Text/PLAIN" });
  const read = [blob.size, blob.type, await blob.slice(1, 4, "x/y").text(), await textOf(blob.stream())];
  assert_array_equals(read, [7, "text/plain", "bcd", "abcdefg"]);
});
does("files are blobs with a name and a time", () => {
  const file = new File(["a"], "n", { lastModified: 5 });
  assert_array_equals([file.name, file.lastModified, file.size, file instanceof Blob], ["n", 5, 1, true]);
});
for (const format of ["gzip", "deflate", "deflate-raw"]) {
  does(`${format} there and back`, async () => {
    const text = "hello".repeat(1_000);
    const there = new Blob([text]).stream().pipeThrough(new CompressionStream(format));
    assert_equals(await textOf(there.pipeThrough(new DecompressionStream(format))), text);
  });
}
does("what is not compressed can't be unpacked", async () => {
  const unpacked = () => textOf(new Blob(["junk"]).stream().pipeThrough(new DecompressionStream("gzip")));
  assert_true((await thrown(unpacked)) instanceof TypeError);
});
does("streams are made of iterables, read by loops, and doubled", async () => {
  const branches = ReadableStream.from(["a", "b"]).tee();
  const read = [];
  for (const branch of branches) {
    for await (const chunk of branch) {
      read.push(chunk);
    }
  }
  assert_array_equals(read, ["a", "b", "a", "b"]);
});
does("streams of bytes fill buffers", async () => {
  const stream = new ReadableStream({ type: "bytes", pull: (controller) => (controller.enqueue(bytes("hello")), controller.close()) });
  const { value } = await stream.getReader({ mode: "byob" }).read(new Uint8Array(3));
  assert_equals(value.byteLength, 3);
});
does("streams are piped through others", async () => {
  const louder = new TransformStream({ transform: (chunk, controller) => controller.enqueue(chunk.toUpperCase()) });
  assert_equals(await textOf(ReadableStream.from(["a", "b"]).pipeThrough(louder).pipeThrough(new TextEncoderStream())), "AB");
});
does("a stream that is aborted tells its sink", async () => {
  let signal;
  await new WritableStream({ start: (controller) => void ({ signal } = controller) }).abort("r");
  assert_true(signal.aborted);
});
does("texts are read by their encodings", () => {
  const encodings = [
    ["utf-16le", [65, 0], "A"],
    ["windows-1252", [0x80], "€"],
    ["shift_jis", [0x82, 0xa0], "あ"],
    ["gbk", [0xc4, 0xe3], "你"],
    ["euc-kr", [0xb0, 0xa1], "가"],
    ["iso-8859-2", [0xb1], "ą"],
    ["koi8-r", [0xc1], "а"],
    ["big5", [0xa7, 0x41], "你"],
  ];
  encodings.forEach(([label, octets, text]) => assert_equals(new TextDecoder(label).decode(new Uint8Array(octets)), text, label));
});
does("texts are read in pieces, without their mark, or not at all", () => {
  assert_throws_js(TypeError, () => new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([0xff])));
  const decoder = new TextDecoder();
  assert_equals(decoder.decode(new Uint8Array([0xe2, 0x82]), { stream: true }) + decoder.decode(new Uint8Array([0xac])), "€");
  assert_equals(new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 65])), "A");
});
does("addresses are resolved, and their parameters written", () => {
  const url = new URL("../b?x=1#f", "http://exämple.com:80/a/c/");
  assert_equals(url.href, "http://xn--exmple-cua.com/a/b?x=1#f");
  url.searchParams.append("y", "a b");
  assert_array_equals([url.search, URL.canParse("http://x"), URL.parse("nope")], ["?x=1&y=a+b", true, null]);
});
does("patterns of addresses name their parts", () => {
  assert_equals(new URLPattern({ pathname: "/a/:id" }).exec("http://x/a/5").pathname.groups.id, "5");
});
does("blobs have addresses", () => {
  const url = URL.createObjectURL(new Blob(["a"]));
  assert_true(url.startsWith("blob:"));
  URL.revokeObjectURL(url);
});
does("random values are of integers, and not too many", async () => {
  assert_equals(crypto.randomUUID().length, 36);
  const error = await thrown(() => crypto.getRandomValues(new Uint8Array(65_537)));
  assert_equals(error.name, "QuotaExceededError");
  assert_throws_dom("TypeMismatchError", () => crypto.getRandomValues(new Float32Array(1)));
});
for (const [algorithm, length] of [
  ["SHA-1", 20],
  ["SHA-256", 32],
  ["SHA-384", 48],
  ["SHA-512", 64],
]) {
  does(`digests of ${algorithm}`, async () => assert_equals((await crypto.subtle.digest(algorithm, bytes("a"))).byteLength, length));
}

const RSA = { modulusLength: 2_048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" };
const KEYS = [
  [{ name: "AES-GCM", length: 256 }, ["encrypt", "decrypt"]],
  [{ name: "AES-CBC", length: 128 }, ["encrypt", "decrypt"]],
  [{ name: "AES-CTR", length: 128 }, ["encrypt", "decrypt"]],
  [{ name: "AES-KW", length: 128 }, ["wrapKey", "unwrapKey"]],
  [{ name: "HMAC", hash: "SHA-256" }, ["sign", "verify"]],
  [{ name: "ECDSA", namedCurve: "P-256" }, ["sign", "verify"]],
  [{ name: "ECDSA", namedCurve: "P-384" }, ["sign", "verify"]],
  [{ name: "ECDSA", namedCurve: "P-521" }, ["sign", "verify"]],
  [{ name: "ECDH", namedCurve: "P-256" }, ["deriveBits"]],
  [{ name: "Ed25519" }, ["sign", "verify"]],
  [{ name: "X25519" }, ["deriveBits"]],
  [{ name: "RSA-PSS", ...RSA }, ["sign", "verify"]],
  [{ name: "RSASSA-PKCS1-v1_5", ...RSA }, ["sign", "verify"]],
  [{ name: "RSA-OAEP", ...RSA }, ["encrypt", "decrypt"]],
];
for (const [algorithm, usages] of KEYS) {
  does(`keys of ${algorithm.name} ${algorithm.namedCurve ?? ""}`.trim(), async () => {
    const key = await crypto.subtle.generateKey(algorithm, true, usages);
    assert_true((key.publicKey ?? key) instanceof CryptoKey);
  });
}
does("keys are derived", async () => {
  const salt = bytes("s");
  for (const [name, parameters] of [
    ["PBKDF2", { salt, iterations: 10 }],
    ["HKDF", { salt, info: bytes("") }],
  ]) {
    const key = await crypto.subtle.importKey("raw", bytes("p"), name, false, ["deriveBits"]);
    const bits = await crypto.subtle.deriveBits({ name, hash: "SHA-256", ...parameters }, key, 256);
    assert_equals(bits.byteLength, 32, name);
  }
});
does("values are cloned with their kinds and circles", () => {
  const value = { time: new Date(1), pattern: /a/g, map: new Map([[1, new Set([2])]]), error: new RangeError("x"), octets: new Uint8Array([1]), large: 5n };
  value.self = value;
  const clone = structuredClone(value);
  assert_array_equals([clone.self, clone.error instanceof RangeError, clone.map.get(1).has(2)], [clone, true, true]);
  assert_throws_dom("DataCloneError", () => structuredClone(() => {}));
});
does("blobs, files and exceptions are cloned", async () => {
  const cloned = [structuredClone(new File(["a"], "n")).name, structuredClone(new DOMException("m", "AbortError")).name];
  assert_array_equals([await structuredClone(new Blob(["a"])).text(), ...cloned], ["a", "n", "AbortError"]);
});
does("streams are transferred", async () => {
  const stream = ReadableStream.from(["a"]);
  const { value } = await structuredClone(stream, { transfer: [stream] })
    .getReader()
    .read();
  assert_equals(value, "a");
});
does("timers have their order and their arguments, and numbers", async () => {
  const order = [];
  await new Promise((resolve) => {
    setTimeout((text) => order.push(text), 0, "timer");
    queueMicrotask(() => order.push("microtask"));
    const interval = setInterval(() => {
      order.push("interval");
      clearInterval(interval);
      resolve();
    }, 5);
  });
  assert_array_equals(order, ["microtask", "timer", "interval"]);
  assert_equals(typeof setTimeout(() => {}, 0), "number");
});
does("Base64 there and back", () => {
  assert_equals(btoa("\xff"), "/w==");
  assert_throws_dom("InvalidCharacterError", () => btoa("\u0100"));
  assert_throws_dom("InvalidCharacterError", () => atob("a"));
});
does("fetch() reads addresses that are data", async () => assert_equals(await (await fetch("data:text/plain,hi%20there")).text(), "hi there"));
does("fetch() reads addresses of blobs", async () => {
  assert_equals(await (await fetch(URL.createObjectURL(new Blob(["bb"], { type: "text/x" })))).text(), "bb");
});
does("fetch() refuses what it does not know, and what is aborted", async () => {
  assert_true((await thrown(() => fetch("nope:x"))) instanceof TypeError);
  assert_equals((await thrown(() => fetch("http://127.0.0.1:1/", { signal: AbortSignal.abort() }))).name, "AbortError");
});
does("WebAssembly is compiled, also as it comes", async () => {
  const module = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
  assert_true(WebAssembly.validate(module) && (await WebAssembly.compile(module)) instanceof WebAssembly.Module);
  const answer = new Response(module, { headers: { "content-type": "application/wasm" } });
  assert_true((await WebAssembly.instantiateStreaming(answer)).instance instanceof WebAssembly.Instance);
  assert_true((await thrown(() => WebAssembly.compileStreaming(new Response(module)))) instanceof TypeError);
});
does("times are marked and measured", () => {
  performance.mark("a");
  assert_true(performance.measure("b", "a").duration >= 0);
  assert_equals(performance.getEntriesByName("b").length, 1);
});
