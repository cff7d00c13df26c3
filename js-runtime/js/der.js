// The little of DER that keys are wrapped in.
(function () {
const { core } = __bootstrap;
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");

const INTEGER = 0x02, BIT_STRING = 0x03, OCTET_STRING = 0x04, NULL = 0x05, OBJECT_ID = 0x06, SEQUENCE = 0x30;

function joined(parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function write(tag, ...parts) {
  const content = joined(parts);
  const length = [];
  for (let rest = content.length; rest > 0; rest >>= 8) length.unshift(rest & 255);
  const head = content.length < 128 ? [tag, content.length] : [tag, 128 | length.length, ...length];
  return joined([head, content]);
}

// A number without a sign, its most significant byte first.
function unsigned(bytes) {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const digits = bytes.subarray(start);
  return write(INTEGER, digits[0] > 127 ? [0] : [], digits);
}

// What `bytes` begins with: its tag, its content, and what follows it.
function read(bytes) {
  let length = bytes[1];
  let start = 2;
  if (length > 127) {
    const size = length & 127;
    if (size < 1 || size > 4) throw new DOMException("A length in the key can't be read", "DataError");
    length = 0;
    for (; start < 2 + size; start++) length = length * 256 + bytes[start];
  }
  if (!(start + length <= bytes.length)) throw new DOMException("The key is cut off", "DataError");
  return { tag: bytes[0], content: bytes.subarray(start, start + length), rest: bytes.subarray(start + length) };
}

// The contents of everything in a sequence.
function items(bytes) {
  const found = [];
  for (let rest = bytes; rest.length > 0;) {
    const item = read(rest);
    found.push(item);
    rest = item.rest;
  }
  return found;
}

function contentOf(bytes, tag) {
  const item = read(bytes);
  if (item.tag !== tag) throw new DOMException("The key is not built as it should be", "DataError");
  return item.content;
}

return { BIT_STRING, INTEGER, NULL, OBJECT_ID, OCTET_STRING, SEQUENCE, contentOf, items, joined, unsigned, write };
})();
