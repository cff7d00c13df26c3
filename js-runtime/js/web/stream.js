// ReadableStream, with the source type "direct" that React's server.bun build writes to: the source is given a sink and
// pushes strings into it, so no chunk becomes bytes, or an object, before the page does.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayBufferIsView, ObjectDefineProperty, ObjectPrototypeIsPrototypeOf, ObjectSetPrototypeOf,
  Promise, ReflectConstruct, Symbol, SymbolAsyncIterator, TypeError, Uint8Array,
} = primordials;
const streams = core.loadExtScript("ext:deno_web/06_streams.js");
const Base = streams.ReadableStream;
const kDisturbed = Symbol("disturbed");

let isDirect;
let takeDirect;

// A stream of the type "direct": its source and nothing more, until somebody asks for what only a stream has. Most are the body of an
// answer and never asked; the machinery of a stream takes longer than a small page.
class DirectStream {
  #source;
  #stream = null;

  constructor(source) {
    this.#source = source;
  }

  static {
    isDirect = (stream) => #source in stream && stream.#source !== null;
    // Takes the source out of a direct stream; the stream is locked from then on.
    takeDirect = (stream) => {
      const source = stream.#source;
      stream.#source = null;
      return source;
    };
  }

  #whole() {
    if (this.#stream === null) {
      const isTaken = this.#source === null;
      this.#stream = new Base(isTaken ? undefined : bytesSource(takeDirect(this)), { highWaterMark: 0 });
      if (isTaken) this.#stream.getReader();
    }
    return this.#stream;
  }

  get locked() {
    return this.#stream === null ? this.#source === null : this.#stream.locked;
  }

  get [kDisturbed]() {
    return this.#stream === null ? this.#source === null : streams.isReadableStreamDisturbed(this.#stream);
  }

  cancel(reason = undefined) {
    return this.#whole().cancel(reason);
  }

  getReader(options = undefined) {
    return this.#whole().getReader(options);
  }

  pipeThrough(transform, options = undefined) {
    return this.#whole().pipeThrough(transform, options);
  }

  pipeTo(destination, options = undefined) {
    return this.#whole().pipeTo(destination, options);
  }

  tee() {
    return this.#whole().tee();
  }

  values(options = undefined) {
    return this.#whole().values(options);
  }

  [SymbolAsyncIterator](options = undefined) {
    return this.#whole().values(options);
  }
}
delete DirectStream.prototype.constructor;
ObjectSetPrototypeOf(DirectStream.prototype, Base.prototype);

function ReadableStream(source = undefined, strategy = undefined) {
  if (new.target === undefined) throw new TypeError("ReadableStream is a constructor: use new");
  if (source === null || typeof source !== "object" || source.type !== "direct") {
    return ReflectConstruct(Base, arguments, new.target);
  }
  if (new.target === ReadableStream) return new DirectStream(source);
  return ReflectConstruct(Base, [bytesSource(source), { highWaterMark: 0 }], new.target);
}
// Streams that the platform makes (pipeThrough, tee, blobs) are of the same class.
ReadableStream.prototype = Base.prototype;
ObjectSetPrototypeOf(ReadableStream, Base);
const statics = {
  from(iterable) {
    // It counts what it is given.
    return arguments.length === 0 ? Base.from() : Base.from(iterable);
  },
};
ObjectDefineProperty(ReadableStream, "from", { __proto__: null, value: statics.from, writable: true, enumerable: true, configurable: true });
ObjectDefineProperty(Base.prototype, "constructor", { __proto__: null, value: ReadableStream, writable: true, configurable: true });

// Runs a direct source against `write`, `flush` and `finish`; `resume` continues a source that was told to wait.
// A source whose pull is synchronous (React's) waits after a falsy write and is pulled again; an asynchronous one ends
// its stream by returning.
function runDirect(source, write, flush, finish) {
  let ended = false;
  let asynchronous = false;
  const end = (error, failed) => {
    if (ended) return;
    ended = true;
    finish(error, failed);
  };
  const sink = {
    write: (chunk) => (ended ? 0 : write(chunk)),
    flush: () => (ended ? 0 : flush()),
    end: () => end(undefined, false),
    close: (error) => end(error, error !== undefined),
    error: (error) => end(error, true),
  };
  const pull = () => {
    if (ended || asynchronous) return;
    try {
      const result = source.pull(sink);
      if (result !== null && typeof result === "object" && typeof result.then === "function") {
        asynchronous = true;
        result.then(() => end(undefined, false), (error) => end(error, true));
      }
    } catch (error) {
      end(error, true);
    }
  };
  return { resume: pull, cancel: (reason) => {
    ended = true;
    source.cancel?.(reason);
  } };
}

// A direct source as a byte source, for code that reads the stream with a reader.
function bytesSource(direct) {
  let run = null;
  return {
    type: "bytes",
    pull(controller) {
      if (run !== null) return run.resume();
      let text = "";
      const push = () => {
        if (text !== "") controller.enqueue(core.encode(text));
        text = "";
        return controller.desiredSize > 0 ? 1 : 0;
      };
      const write = (chunk) => {
        if (typeof chunk === "string") {
          text += chunk;
          return chunk.length || 1;
        }
        push();
        if (chunk.byteLength !== 0) controller.enqueue(new Uint8Array(viewBytes(chunk)));
        return chunk.byteLength || 1;
      };
      run = runDirect(direct, write, push, (error, failed) => {
        if (failed) return controller.error(error);
        push();
        controller.close();
        controller.byobRequest?.respond(0);
      });
      run.resume();
      push();
    },
    cancel(reason) {
      if (run !== null) run.cancel(reason);
      else direct.cancel?.(reason);
    },
  };
}

function viewBytes(chunk) {
  return ArrayBufferIsView(chunk) ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength) : new Uint8Array(chunk);
}

// Everything a direct stream gives, as one string when it gives only strings.
function directText(stream) {
  const source = takeDirect(stream);
  return new Promise((resolve, reject) => {
    let text = "";
    const { TextDecoder } = core.loadExtScript("ext:deno_web/08_text_encoding.js");
    const write = (chunk) => {
      text += typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk);
      return 1;
    };
    runDirect(source, write, () => 1, (error, failed) => (failed ? reject(error) : resolve(text))).resume();
  });
}

function isDisturbed(stream) {
  return stream[kDisturbed] ?? streams.isReadableStreamDisturbed(stream);
}

function isStream(value) {
  return ObjectPrototypeIsPrototypeOf(Base.prototype, value);
}

return { ReadableStream, directText, isDirect, isStream, runDirect, takeDirect, viewBytes, isDisturbed };
})();
