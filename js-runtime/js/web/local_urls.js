// fetch of URLs that hold their content (data:), and of those that name a Blob of the app (blob:).
(function () {
const { core, primordials } = __bootstrap;
const {
  MathMax, MathMin, RegExpPrototypeExec, RegExpPrototypeTest, SafeRegExp, StringPrototypeCharCodeAt, StringPrototypeIndexOf,
  StringPrototypeReplace, StringPrototypeSlice, StringPrototypeStartsWith, TypeError, TypedArrayPrototypeSubarray, Uint8Array,
} = primordials;
const { parseMimeType, serializeMimeType } = core.loadExtScript("ext:deno_web/01_mimesniff.js");
const { atob } = core.loadExtScript("ext:deno_web/05_base64.js");
const { blobFromObjectUrl } = core.loadExtScript("ext:deno_web/09_file.js");
const { extractBody } = core.loadExtScript("ext:vitrine/web/body.js");
const { headersOf } = core.loadExtScript("ext:vitrine/web/headers.js");
const { fetchedResponse } = core.loadExtScript("ext:vitrine/web/response.js");

const DEFAULT_TYPE = "text/plain;charset=US-ASCII";
const RANGE = new SafeRegExp("^bytes[\\t ]*=[\\t ]*([0-9]*)[\\t ]*-[\\t ]*([0-9]*)$");
const BASE64 = new SafeRegExp("; *base64$", "i");
const EDGE_BLANKS = new SafeRegExp("^[\\t\\n\\f\\r ]+|[\\t\\n\\f\\r ]+$", "g");

function isHex(code) {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102);
}

function digit(code) {
  return code <= 57 ? code - 48 : (code & 0xdf) - 55;
}

// A URL is ASCII: each character is a byte, but for those that are written as %XX.
function percentDecoded(text) {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    let byte = StringPrototypeCharCodeAt(text, i);
    if (byte === 37 && i + 2 < text.length) {
      const high = StringPrototypeCharCodeAt(text, i + 1);
      const low = StringPrototypeCharCodeAt(text, i + 2);
      if (isHex(high) && isHex(low)) {
        byte = digit(high) * 16 + digit(low);
        i += 2;
      }
    }
    bytes[length++] = byte;
  }
  return TypedArrayPrototypeSubarray(bytes, 0, length);
}

function latin1(bytes) {
  const { TextDecoder } = core.loadExtScript("ext:deno_web/08_text_encoding.js");
  return new TextDecoder("x-user-defined").decode(bytes);
}

function bytesOf(binary) {
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = StringPrototypeCharCodeAt(binary, i);
  return bytes;
}

// Type and bytes of a data: URL.
function parseData(url) {
  const content = StringPrototypeSlice(url, "data:".length);
  const comma = StringPrototypeIndexOf(content, ",");
  if (comma === -1) throw new TypeError("fetch failed: the data: URL has no comma, after which its data begins");
  let type = StringPrototypeReplace(StringPrototypeSlice(content, 0, comma), EDGE_BLANKS, "");
  let bytes = percentDecoded(StringPrototypeSlice(content, comma + 1));
  if (RegExpPrototypeTest(BASE64, type)) {
    type = StringPrototypeReplace(type, BASE64, "");
    try {
      bytes = bytesOf(atob(latin1(bytes)));
    } catch (error) {
      throw new TypeError("fetch failed: the data: URL is not written in base64 as it says", { cause: error });
    }
  }
  if (StringPrototypeStartsWith(type, ";")) type = `text/plain${type}`;
  const parsed = parseMimeType(type);
  return { type: parsed === null ? DEFAULT_TYPE : serializeMimeType(parsed), bytes };
}

function response(method, url, list, content, status = 200, statusText = "OK") {
  const body = method === "HEAD" ? null : extractBody(content);
  return fetchedResponse(status, statusText, headersOf(list), body, url, false);
}

// Both take a URL without a fragment.
function fetchData(method, url) {
  const { type, bytes } = parseData(url);
  return response(method, url, ["content-type", type], bytes);
}

function fetchBlob(method, url, range) {
  if (method !== "GET") throw new TypeError(`fetch failed: a blob: URL can only be read by GET, not by ${method}`);
  const blob = blobFromObjectUrl(url);
  if (blob === null) throw new TypeError(`fetch failed: ${url} names no Blob, or was revoked`);
  if (range === null) return response(method, url, ["content-length", `${blob.size}`, "content-type", blob.type], blob);
  const { start, end } = partOf(range, blob.size);
  const list = ["content-length", `${end - start}`, "content-type", blob.type, "content-range", `bytes ${start}-${end - 1}/${blob.size}`];
  return response(method, url, list, blob.slice(start, end, blob.type), 206, "Partial Content");
}

// Where the part begins that a range header asks for, and where it has ended.
function partOf(range, size) {
  const found = RegExpPrototypeExec(RANGE, range);
  const first = found === null || found[1] === "" ? null : +found[1];
  const last = found === null || found[2] === "" ? null : +found[2];
  const isNone = (first === null && last === null) || (first !== null && (first >= size || (last !== null && last < first)));
  if (isNone) throw new TypeError(`fetch failed: the Blob has ${size} bytes, and no part ${range}`);
  if (first === null) return { start: MathMax(0, size - last), end: size };
  return { start: first, end: last === null ? size : MathMin(last + 1, size) };
}

return { bytesOf, fetchBlob, fetchData };
})();
