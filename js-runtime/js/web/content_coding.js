// Content codings of answers, undone piece by piece: by ops of the isolate, so that their CPU time and memory are the app's own.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypePush, ArrayPrototypeSplice, MathMax, MathMin, StringPrototypeSplit, StringPrototypeToLowerCase, StringPrototypeTrim, TypeError,
  TypedArrayPrototypeGetByteLength, TypedArrayPrototypeSlice, TypedArrayPrototypeSubarray, Uint32Array, Uint8Array,
} = primordials;
const { op_zlib_brotli_decoder, op_zlib_close, op_zlib_flate, op_zlib_step } = core.ops;

// Codings of one answer: the number that other clients take, too.
const CODINGS_MAX = 5;
// Bytes of a decoded piece, at most and at least.
const PIECE_BYTES_MAX = 64 * 1024;
const PIECE_BYTES_MIN = 4 * 1024;

// Numbers of zlib.
const INFLATE = 2;
const GUNZIP = 4;
const INFLATE_RAW = 6;
const WINDOW_BITS = 15;
const SYNC_FLUSH = 2;
const OK = 0;
const END = 1;
const BUFFER_ERROR = -5;

const NOTHING = new Uint8Array(0);
// Bytes consumed, bytes produced, and whether there is more to do.
const progress = new Uint32Array(3);

function decoder(coding, firstByte) {
  if (coding === "br") return op_zlib_brotli_decoder();
  if (coding === "gzip") return op_zlib_flate(GUNZIP, -1, WINDOW_BITS, 8, 0, null);
  // "deflate" has the header of zlib, but for servers that leave it out.
  return op_zlib_flate((firstByte & 0x0f) === 8 ? INFLATE : INFLATE_RAW, -1, WINDOW_BITS, 8, 0, null);
}

// What `source` gives, without `coding`.
class Decoded {
  #source;
  #coding;
  #codec = null;
  #input = NOTHING;
  #start = 0;
  // The last step filled its piece: there may be more without more input.
  #wasFull = false;
  #status = OK;
  #isSourceOver = false;
  // All is decoded: what the source still gives is read, so that its connection is free again, and is no data.
  #isWhole = false;

  constructor(source, coding) {
    this.#source = source;
    this.#coding = coding;
  }

  // Nothing is known to be all that is left.
  rest() {
    return null;
  }

  restText() {
    return null;
  }

  async next() {
    while (true) {
      if (this.#isWhole || (!this.#wasFull && this.#start === TypedArrayPrototypeGetByteLength(this.#input))) {
        const input = await this.#more();
        if (input === null) return this.#finish();
        this.#input = input;
        this.#start = 0;
        continue;
      }
      const piece = this.#step();
      if (piece !== null) return piece;
    }
  }

  drop() {
    this.#close();
    this.#source.drop();
  }

  // The next piece of the source. Mostly the host has all of it, which takes no call then.
  async #more() {
    if (this.#isSourceOver) return null;
    const rest = this.#source.rest();
    if (rest === null) return await this.#source.next();
    this.#isSourceOver = true;
    return rest;
  }

  #step() {
    const left = TypedArrayPrototypeGetByteLength(this.#input) - this.#start;
    this.#codec ??= decoder(this.#coding, this.#input[this.#start]);
    const room = this.#wasFull ? PIECE_BYTES_MAX : MathMin(PIECE_BYTES_MAX, MathMax(PIECE_BYTES_MIN, 4 * left));
    const piece = new Uint8Array(room);
    this.#status = op_zlib_step(this.#codec, SYNC_FLUSH, this.#input, this.#start, left, piece, 0, room, progress);
    const { 0: consumed, 1: produced } = progress;
    this.#start += consumed;
    this.#wasFull = produced === room;
    const isWell = this.#status === OK || this.#status === END || this.#status === BUFFER_ERROR;
    const isStuck = consumed === 0 && produced === 0 && left > 0 && this.#status !== END;
    if (!isWell || isStuck) {
      this.drop();
      throw new TypeError(`its content is no ${this.#coding} data`);
    }
    // A gzip file may have another member, which a step goes on with.
    if (this.#status === END && (this.#coding !== "gzip" || consumed < left)) this.#isWhole = true;
    if (produced === 0) return null;
    return produced > room / 2 ? TypedArrayPrototypeSubarray(piece, 0, produced) : TypedArrayPrototypeSlice(piece, 0, produced);
  }

  #finish() {
    const isCut = this.#codec !== null && this.#status !== END;
    this.#isSourceOver = true;
    this.#close();
    if (isCut) throw new TypeError(`its ${this.#coding} data breaks off`);
    return null;
  }

  #close() {
    if (this.#codec !== null) op_zlib_close(this.#codec);
    this.#codec = null;
  }
}

// `source` without the codings that the headers of its answer name. Their header and the length of the coded body are taken out of `list`:
// an app that passes the answer on would name codings that its body does not have. All stay if one of them is not known.
function decoded(source, list) {
  const codings = codingsOf(list);
  if (codings.length === 0) return source;
  for (let i = list.length - 2; i >= 0; i -= 2) {
    if (list[i] === "content-encoding" || list[i] === "content-length") ArrayPrototypeSplice(list, i, 2);
  }
  for (let i = codings.length - 1; i >= 0; i--) source = new Decoded(source, codings[i]);
  return source;
}

// The codings in the order in which they were applied; none if one of them is not known.
function codingsOf(list) {
  const codings = [];
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] !== "content-encoding") continue;
    const names = StringPrototypeSplit(StringPrototypeToLowerCase(list[i + 1]), ",");
    for (let n = 0; n < names.length; n++) {
      const name = StringPrototypeTrim(names[n]);
      if (name === "" || name === "identity") continue;
      if (name === "gzip" || name === "x-gzip") ArrayPrototypePush(codings, "gzip");
      else if (name === "deflate" || name === "br") ArrayPrototypePush(codings, name);
      else return [];
    }
  }
  return codings.length > CODINGS_MAX ? [] : codings;
}

return { decoded };
})();
