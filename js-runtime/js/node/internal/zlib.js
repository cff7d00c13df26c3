// The codecs as the script of `node:zlib` has them: each call works on the whole of what it is given, in steps of an op.
(function () {
const { core, primordials } = __bootstrap;
const { ArrayPrototypeIncludes, StringPrototypeReplace, TypedArrayPrototypeGetLength, Uint32Array, Uint8Array } = primordials;
const {
  op_zlib_brotli_decoder, op_zlib_brotli_encoder, op_zlib_close, op_zlib_crc32, op_zlib_flate, op_zlib_message, op_zlib_one_member,
  op_zlib_reset, op_zlib_set_level, op_zlib_step,
} = core.ops;
const { notice } = core.loadExtScript("ext:vitrine/runtime/snapshot_guard.js");
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.js");

const Z_NEED_DICT = 2;
const Z_BUF_ERROR = -5;
const Z_FINISH = 4;
const BROTLI_OPERATION_FINISH = 2;
// Number that a step answers with when all went well, or when there was not enough input or room: which of them it was, the caller knows.
const WELL = [0, 1, Z_BUF_ERROR];

// Bytes consumed, bytes produced, and whether there is more to do.
const progress = new Uint32Array(3);

class Codec {
  codec;
  hasDictionary = false;

  constructor() {
    // What it stands for lies in the worker, and would not be part of a snapshot.
    notice("feature", "a stream or call of node:zlib");
  }

  // The script calls back by itself; what Node.js leaves to another thread has been done by then.
  write(flush, input, inputStart, inputLength, output, outputStart, outputLength, state) {
    this.writeSync(flush, input, inputStart, inputLength, output, outputStart, outputLength, state);
  }

  // `state` becomes the room that is left, and the input that is.
  writeSync(flush, input, inputStart, inputLength, output, outputStart, outputLength, state) {
    input ??= new Uint8Array(0);
    let status;
    do {
      status = op_zlib_step(this.codec, flush, input, inputStart, inputLength, output, outputStart, outputLength, progress);
      inputStart += progress[0];
      inputLength -= progress[0];
      outputStart += progress[1];
      outputLength -= progress[1];
    } while (progress[2] === 1);
    if (TypedArrayPrototypeGetLength(state) < 2) return;
    state[0] = outputLength;
    state[1] = inputLength;
    this.check(status, flush, outputLength);
  }

  reset() {
    op_zlib_reset(this.codec);
    return 0;
  }

  close() {
    op_zlib_close(this.codec);
  }
}

class Zlib extends Codec {
  #mode;

  constructor(mode) {
    super();
    this.#mode = mode;
  }

  init(windowBits, level, memoryLevel, strategy, _callback, dictionary) {
    this.hasDictionary = dictionary !== undefined;
    this.codec = op_zlib_flate(this.#mode, level, windowBits, memoryLevel, strategy, dictionary);
    return 0;
  }

  params(level, _strategy) {
    op_zlib_set_level(this.codec, level);
  }

  setRejectGarbageAfterEnd(rejects) {
    if (rejects) op_zlib_one_member(this.codec);
  }

  check(status, flush, room) {
    const isCut = (status === 0 || status === Z_BUF_ERROR) && room !== 0 && flush === Z_FINISH;
    if (ArrayPrototypeIncludes(WELL, status) && !isCut) return;
    if (isCut) return this.onerror(op_zlib_message(this.codec) || "unexpected end of file", Z_BUF_ERROR);
    if (status === Z_NEED_DICT) return this.onerror(this.hasDictionary ? "Bad dictionary" : "Missing dictionary", status);
    this.onerror(op_zlib_message(this.codec) || "Zlib error", status);
  }
}

class BrotliEncoder extends Codec {
  init(parameters) {
    try {
      this.codec = op_zlib_brotli_encoder(parameters);
      return true;
    } catch {
      return false;
    }
  }

  check(status) {
    if (status < 0) this.onerror("Compression failed", status, "ERR_BROTLI_COMPRESSION_FAILED");
  }
}

class BrotliDecoder extends Codec {
  init() {
    this.codec = op_zlib_brotli_decoder();
    return true;
  }

  check(status, flush, room) {
    if (status === 0) {
      if (flush === BROTLI_OPERATION_FINISH && room !== 0) this.onerror("unexpected end of file", Z_BUF_ERROR, "Z_BUF_ERROR");
    } else if (status < 0) {
      const name = StringPrototypeReplace(op_zlib_message(this.codec), "BROTLI_DECODER", "");
      this.onerror("Decompression failed", status, `ERR_${name}`);
    }
  }
}

function crc32(data, start) {
  const bytes = typeof data === "string" ? Buffer.from(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return op_zlib_crc32(bytes, start);
}

return { BrotliDecoder, BrotliEncoder, Zlib, crc32 };
})();
