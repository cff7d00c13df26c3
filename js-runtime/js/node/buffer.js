// node:buffer: Buffer and its encodings.
(function () {
const { core } = __bootstrap;
const { Blob, File } = core.loadExtScript("ext:deno_web/09_file.js");
const { atob, btoa } = core.loadExtScript("ext:deno_web/05_base64.js");
const { TextDecoder } = core.loadExtScript("ext:deno_web/08_text_encoding.js");
const { installNumbers } = core.loadExtScript("ext:vitrine/node/buffer_numbers.js");

const kMaxLength = 2 ** 32;
const utf8 = new TextDecoder();
const NAMES = {
  __proto__: null, utf8: "utf8", "utf-8": "utf8", hex: "hex", base64: "base64", base64url: "base64url", latin1: "latin1", binary: "latin1",
  ascii: "ascii", utf16le: "utf16le", "utf-16le": "utf16le", ucs2: "utf16le", "ucs-2": "utf16le",
};

function encodingOf(name) {
  const encoding = NAMES[String(name ?? "utf8").toLowerCase()];
  if (encoding === undefined) throw new TypeError(`Unknown encoding: ${name}`);
  return encoding;
}

function fromUnits(text, size) {
  const bytes = new Uint8Array(text.length * size);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes[i * size] = unit;
    if (size === 2) bytes[i * 2 + 1] = unit >> 8;
  }
  return bytes;
}

function encode(text, encoding) {
  switch (encodingOf(encoding)) {
    case "utf8":
      return core.encode(text);
    case "hex":
      return Uint8Array.fromHex((/^(?:[0-9a-f]{2})*/i.exec(text))[0]);
    case "base64":
    case "base64url": {
      const clean = text.replace(/[^A-Za-z0-9+/_-]/g, "").replaceAll("-", "+").replaceAll("_", "/");
      return Uint8Array.fromBase64(clean.length % 4 === 1 ? clean.slice(0, -1) : clean);
    }
    case "utf16le":
      return fromUnits(text, 2);
    default:
      return fromUnits(text, 1);
  }
}

function decode(bytes, encoding) {
  switch (encodingOf(encoding)) {
    case "utf8":
      return utf8.decode(bytes);
    case "hex":
      return bytes.toHex();
    case "base64":
      return bytes.toBase64();
    case "base64url":
      return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
    case "utf16le":
      return units(bytes.length >> 1, (i) => bytes[i * 2] | (bytes[i * 2 + 1] << 8));
    case "ascii":
      return units(bytes.length, (i) => bytes[i] & 0x7f);
    default:
      return units(bytes.length, (i) => bytes[i]);
  }
}

function units(length, unit) {
  let text = "";
  for (let i = 0; i < length; i++) text += String.fromCharCode(unit(i));
  return text;
}

function asBuffer(bytes) {
  return new FastBuffer(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

class FastBuffer extends Uint8Array {
  toString(encoding = "utf8", start = 0, end = this.length) {
    return decode(super.subarray(start, end), encoding);
  }

  toLocaleString(encoding, start, end) {
    return this.toString(encoding, start, end);
  }

  toJSON() {
    return { type: "Buffer", data: [...this] };
  }

  equals(other) {
    return Buffer.compare(this, other) === 0;
  }

  compare(other) {
    return Buffer.compare(this, other);
  }

  slice(start, end) {
    return asBuffer(super.subarray(start, end));
  }

  subarray(start, end) {
    return asBuffer(super.subarray(start, end));
  }

  copy(target, targetStart = 0, start = 0, end = this.length) {
    const source = super.subarray(start, Math.min(end, start + Math.max(target.length - targetStart, 0)));
    target.set(source, targetStart);
    return source.length;
  }

  write(text, offset = 0, length = undefined, encoding = "utf8") {
    if (typeof offset === "string") [offset, encoding] = [0, offset];
    if (typeof length === "string") [length, encoding] = [undefined, length];
    const room = Math.min(length ?? Infinity, this.length - offset);
    let bytes = encode(text, encoding);
    if (bytes.length > room && encodingOf(encoding) === "utf8") {
      let end = room;
      while (end > 0 && (bytes[end] & 0xc0) === 0x80) end -= 1;
      bytes = bytes.subarray(0, end);
    }
    bytes = bytes.subarray(0, room);
    this.set(bytes, offset);
    return bytes.length;
  }

  fill(value, start = 0, end = this.length, encoding = "utf8") {
    if (typeof start === "string") [start, end, encoding] = [0, this.length, start];
    if (typeof value === "number") return super.fill(value, start, end);
    const bytes = typeof value === "string" ? encode(value, encoding) : value;
    if (bytes.length === 0) return super.fill(0, start, end);
    for (let i = start; i < end; i++) this[i] = bytes[(i - start) % bytes.length];
    return this;
  }

  indexOf(value, from = 0, encoding = "utf8") {
    if (typeof value === "number") return super.indexOf(value & 0xff, from);
    const bytes = typeof value === "string" ? encode(value, encoding) : value;
    if (from < 0) from = Math.max(this.length + from, 0);
    for (let i = from; i + bytes.length <= this.length; i++) {
      if (bytes.every((byte, j) => this[i + j] === byte)) return i;
    }
    return -1;
  }

  includes(value, from = 0, encoding = "utf8") {
    return this.indexOf(value, from, encoding) !== -1;
  }

  get parent() {
    return this.buffer;
  }
}
installNumbers(FastBuffer.prototype);

function Buffer(value, encodingOrOffset, length) {
  return typeof value === "number" ? Buffer.alloc(value) : Buffer.from(value, encodingOrOffset, length);
}
Buffer.prototype = FastBuffer.prototype;
Object.setPrototypeOf(Buffer, Uint8Array);
Object.defineProperty(FastBuffer.prototype, "constructor", { value: Buffer, writable: true, configurable: true });
// Methods of Uint8Array that make a new array of their own kind go through the class, not the function above.
Object.defineProperty(Buffer, Symbol.species, { get: () => FastBuffer });

Object.assign(Buffer, {
  poolSize: 8192,
  from(value, encodingOrOffset = undefined, length = undefined) {
    if (typeof value === "string") return asBuffer(encode(value, encodingOrOffset));
    if (core.isAnyArrayBuffer(value)) return new FastBuffer(value, encodingOrOffset, length);
    if (value?.type === "Buffer" && Array.isArray(value.data)) return asBuffer(Uint8Array.from(value.data));
    if (value !== null && typeof value === "object") {
      if (typeof value.length === "number" || typeof value[Symbol.iterator] === "function") return asBuffer(new Uint8Array(value));
      const primitive = value[Symbol.toPrimitive]?.("string") ?? value.valueOf?.();
      if (primitive !== value) return Buffer.from(primitive, encodingOrOffset, length);
    }
    throw new TypeError("Buffer.from takes a string, an array, an ArrayBuffer or a Buffer");
  },
  alloc(size, fill = undefined, encoding = undefined) {
    const buffer = new FastBuffer(size);
    return fill === undefined || fill === 0 ? buffer : buffer.fill(fill, 0, size, encoding);
  },
  allocUnsafe: (size) => new FastBuffer(size),
  allocUnsafeSlow: (size) => new FastBuffer(size),
  byteLength(value, encoding = "utf8") {
    return typeof value === "string" ? (encodingOf(encoding) === "utf8" ? core.byteLength(value) : encode(value, encoding).length) : value.byteLength;
  },
  concat(list, total = undefined) {
    const length = total ?? list.reduce((sum, item) => sum + item.length, 0);
    const buffer = new FastBuffer(length);
    let offset = 0;
    for (const item of list) {
      const piece = item.subarray(0, length - offset);
      buffer.set(piece, offset);
      offset += piece.length;
    }
    return buffer;
  },
  compare(left, right) {
    const length = Math.min(left.length, right.length);
    for (let i = 0; i < length; i++) {
      if (left[i] !== right[i]) return left[i] < right[i] ? -1 : 1;
    }
    return Math.sign(left.length - right.length);
  },
  isBuffer: (value) => value instanceof FastBuffer,
  isEncoding: (name) => typeof name === "string" && NAMES[name.toLowerCase()] !== undefined,
});

function isUtf8(bytes) {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

return { Blob, Buffer, File, atob, btoa, constants: { MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: 2 ** 29 - 24 }, isUtf8, kMaxLength };
})();
