// Bodies of requests and responses: what may be given as one, and the ways to read one.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayBufferIsView, ArrayBufferPrototypeSlice, ArrayPrototypePush, JSONParse, ObjectPrototypeIsPrototypeOf, PromisePrototypeThen,
  ObjectDefineProperties, ObjectGetOwnPropertyDescriptors, StringPrototypeStartsWith, StringPrototypeToLowerCase, Symbol, SymbolAsyncIterator,
  TypeError, TypedArrayPrototypeGetByteLength, TypedArrayPrototypeSet, TypedArrayPrototypeSlice, Uint8Array,
} = primordials;
const { URLSearchParams } = core.loadExtScript("ext:deno_web/00_url.js");
const { Blob } = core.loadExtScript("ext:deno_web/09_file.js");
const { ReadableStream, directText, isDirect, isDisturbed } = core.loadExtScript("ext:vitrine/web/stream.js");
const { FormData, encodeForm, parseForm } = core.loadExtScript("ext:vitrine/web/form_data.js");

const UTF8_TEXT = "text/plain;charset=UTF-8";

// One body: `content` is a string, bytes or a Blob while nothing has made a stream of it, `stream` the stream once there is one. What comes
// from the host is an `answer` first: most apps read all of it, and a stream costs more than that.
class Body {
  content;
  answer = null;
  #stream;
  used = false;
  type;

  constructor(content, stream, type) {
    this.content = content;
    this.#stream = stream;
    this.type = type;
  }

  static of(answer) {
    const body = new Body(null, null, null);
    body.answer = answer;
    return body;
  }

  get stream() {
    if (this.answer !== null) {
      this.#stream = this.answer.stream();
      this.answer = null;
    }
    return this.#stream;
  }

  set stream(stream) {
    this.#stream = stream;
  }

  // The same body in other hands; this one has been read then.
  moved() {
    const moved = new Body(this.content, this.#stream, this.type);
    moved.answer = this.answer;
    this.used = true;
    this.content = "";
    this.answer = this.#stream = null;
    return moved;
  }
}

function bytesOf(view) {
  if (ArrayBufferIsView(view)) {
    return TypedArrayPrototypeSlice(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  }
  return new Uint8Array(ArrayBufferPrototypeSlice(view, 0));
}

function isBlob(value) {
  return ObjectPrototypeIsPrototypeOf(Blob.prototype, value);
}

// The body that `init` stands for, or null.
function extractBody(init) {
  if (init === null || init === undefined) return null;
  if (typeof init === "string") return new Body(init, null, UTF8_TEXT);
  if (typeof init === "object") {
    if (ObjectPrototypeIsPrototypeOf(ReadableStream.prototype, init)) {
      if (init.locked || isDisturbed(init)) throw new TypeError("A body's stream must not be locked, or have been read from");
      return new Body(null, init, null);
    }
    if (ArrayBufferIsView(init) || core.isAnyArrayBuffer(init)) return new Body(bytesOf(init), null, null);
    if (isBlob(init)) return new Body(init, null, init.type || null);
    if (ObjectPrototypeIsPrototypeOf(URLSearchParams.prototype, init)) {
      return new Body(`${init}`, null, "application/x-www-form-urlencoded;charset=UTF-8");
    }
    if (ObjectPrototypeIsPrototypeOf(FormData.prototype, init)) {
      const { blob, type } = encodeForm(init);
      return new Body(blob, null, type);
    }
    // Not of the standard, but what Node.js, Deno and Bun take, and frameworks give where they see `process`.
    if (typeof init[SymbolAsyncIterator] === "function") return new Body(null, ReadableStream.from(init), null);
  }
  return new Body(`${init}`, null, UTF8_TEXT);
}

function unusable(body) {
  return body.used || (body.answer === null && body.stream !== null && (body.stream.locked || isDisturbed(body.stream)));
}

// From here on no other reader may lock the body.
function claim(body) {
  if (unusable(body)) throw new TypeError("The body has been read already");
  body.used = true;
}

// The body as a stream; made when first asked for.
function bodyStream(body) {
  if (body.used && (body.answer !== null || body.stream === null)) {
    body.answer = null;
    body.stream = lockedStream();
  } else if (body.stream === null) {
    body.stream = contentStream(body.content);
    body.content = null;
  }
  return body.stream;
}

// The stream of a body that was read as a whole.
function lockedStream() {
  const stream = new ReadableStream({ type: "bytes" });
  PromisePrototypeThen(stream.getReader().cancel(), undefined, () => {});
  return stream;
}

// The length of a body's text, bytes or Blob, in bytes.
function contentLength(content) {
  if (typeof content === "string") return TypedArrayPrototypeGetByteLength(core.encode(content));
  return isBlob(content) ? content.size : TypedArrayPrototypeGetByteLength(content);
}

// Makes a stream of a body's text, bytes or Blob.
function contentStream(content) {
  if (isBlob(content)) return content.stream();
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const bytes = typeof content === "string" ? core.encode(content) : content;
      if (TypedArrayPrototypeGetByteLength(bytes) !== 0) controller.enqueue(bytes);
      controller.close();
      controller.byobRequest?.respond(0);
    },
  }, { highWaterMark: 0 });
}

async function readAll(stream) {
  const reader = stream.getReader();
  const pieces = [];
  while (true) {
    const { done, value } = await reader.read();
    if (done) break;
    if (!ArrayBufferIsView(value)) throw new TypeError("A body's stream must give Uint8Array chunks");
    ArrayPrototypePush(pieces, value);
  }
  return joined(pieces);
}

// What the host has already is taken at once; mostly that is all.
async function readAnswer(answer) {
  const pieces = [];
  while (true) {
    const rest = answer.rest();
    if (rest !== null) {
      ArrayPrototypePush(pieces, rest);
      break;
    }
    const piece = await answer.next();
    if (piece === null) break;
    ArrayPrototypePush(pieces, piece);
  }
  return joined(pieces);
}

function joined(pieces) {
  if (pieces.length === 1) return pieces[0];
  let length = 0;
  for (let i = 0; i < pieces.length; i++) length += pieces[i].byteLength;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (let i = 0; i < pieces.length; i++) {
    TypedArrayPrototypeSet(bytes, pieces[i], offset);
    offset += pieces[i].byteLength;
  }
  return bytes;
}

// Takes the body: a string or a Blob when it is one, else all of its bytes.
async function takeContent(body) {
  if (body === null) return "";
  claim(body);
  if (body.answer !== null) return await readAnswer(body.answer);
  if (body.stream === null) return body.content;
  if (isDirect(body.stream)) return directText(body.stream);
  return await readAll(body.stream);
}

async function takeBytes(body) {
  const content = await takeContent(body);
  if (typeof content === "string") return core.encode(content);
  return isBlob(content) ? await content.bytes() : content;
}

async function takeText(body) {
  // What has come from the host as a whole needs no bytes in JavaScript on its way.
  if (body !== null && body.answer !== null) {
    claim(body);
    return body.answer.restText() ?? core.decode(await readAnswer(body.answer));
  }
  const content = await takeContent(body);
  if (typeof content === "string") return content;
  return isBlob(content) ? await content.text() : core.decode(content);
}

// A second body with the same content; both can be read.
function cloneBody(body) {
  if (body === null) return null;
  if (unusable(body)) throw new TypeError("The body has been read already");
  if (body.stream === null) {
    // A byte stream detaches the buffer of its caller, too.
    const content = ArrayBufferIsView(body.content) ? bytesOf(body.content) : body.content;
    return new Body(content, null, body.type);
  }
  const { 0: mine, 1: theirs } = body.stream.tee();
  body.stream = mine;
  return new Body(null, theirs, body.type);
}

// Takes the body to send it on. `open` gives its bytes, or a stream of them; more than once unless the body was a stream from the start.
// `length` is null for one that nobody knows the length of.
function takeUpload(body) {
  claim(body);
  const { content, stream } = body;
  if (stream !== null) return { length: null, isRepeatable: false, open: () => stream };
  if (isBlob(content)) return { length: content.size, isRepeatable: true, open: () => content.stream() };
  const bytes = typeof content === "string" ? core.encode(content) : content;
  return { length: TypedArrayPrototypeGetByteLength(bytes), isRepeatable: true, open: () => bytes };
}

async function takeForm(body, type) {
  const bytes = await takeBytes(body);
  const essence = StringPrototypeToLowerCase(type ?? "");
  if (StringPrototypeStartsWith(essence, "multipart/form-data")) return parseForm(bytes, type);
  if (StringPrototypeStartsWith(essence, "application/x-www-form-urlencoded")) {
    const form = new FormData();
    for (const { 0: name, 1: value } of new URLSearchParams(core.decode(bytes))) form.append(name, value);
    return form;
  }
  throw new TypeError(`formData: the content type is ${type === null ? "missing" : `"${type}"`}, not a form's`);
}

const kBody = Symbol("body");

// What Request and Response have to read their body by. Their instances have `[kBody]` and `headers`.
const readers = {
  get body() {
    return this[kBody] === null ? null : bodyStream(this[kBody]);
  },

  get bodyUsed() {
    const body = this[kBody];
    return body !== null && (body.used || (body.answer === null && body.stream !== null && isDisturbed(body.stream)));
  },

  text() {
    return takeText(this[kBody]);
  },

  async json() {
    return JSONParse(await takeText(this[kBody]));
  },

  async bytes() {
    return await takeBytes(this[kBody]);
  },

  async arrayBuffer() {
    const bytes = await takeBytes(this[kBody]);
    const { buffer } = bytes;
    return bytes.byteLength === buffer.byteLength ? buffer : ArrayBufferPrototypeSlice(buffer, bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  },

  async blob() {
    return new Blob([await takeContent(this[kBody])], { type: this.headers.get("content-type") ?? "" });
  },

  async formData() {
    return await takeForm(this[kBody], this.headers.get("content-type"));
  },
};

// Gives a class these readers, as members of its own.
function mixinBody(owner) {
  ObjectDefineProperties(owner.prototype, ObjectGetOwnPropertyDescriptors(readers));
}

return { Body, bodyStream, cloneBody, contentLength, contentStream, extractBody, kBody, mixinBody, takeUpload, unusable };
})();
