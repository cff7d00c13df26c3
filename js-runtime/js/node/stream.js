// node:stream: streams of Node.js with backpressure, as far as server builds use them.
(function () {
const { core } = __bootstrap;
const { EventEmitter } = core.loadExtScript("ext:vitrine/node/events.js");
const { Buffer } = core.loadExtScript("ext:vitrine/node/buffer.js");
const { Readable, errorOrDestroy, prematureClose } = core.loadExtScript("ext:vitrine/node/stream_readable.js");

// Bytes that a writable may hold before write() returns false.
const HIGH_WATER_MARK = 64 * 1024;

// What ends the readable side of a Transform.
const kFlush = Symbol("flush");

function initWritable(stream, options) {
  stream._writableState = {
    objectMode: options.objectMode ?? options.writableObjectMode ?? false,
    highWaterMark: options.highWaterMark ?? options.writableHighWaterMark ?? HIGH_WATER_MARK,
    decodeStrings: options.decodeStrings ?? true,
    queue: [],
    length: 0,
    corked: 0,
    writing: false,
    needDrain: false,
    ending: false,
    finished: false,
  };
  for (const name of ["write", "writev", "final", "destroy"]) {
    if (typeof options[name] === "function") stream[`_${name}`] = options[name];
  }
}

function sizeOf(state, chunk) {
  return state.objectMode ? 1 : chunk.length;
}

function advance(stream) {
  const state = stream._writableState;
  if (state.writing || state.corked > 0 || stream.destroyed) return;
  const next = state.queue.shift();
  if (next === undefined) return finish(stream);
  state.writing = true;
  let later = false;
  stream._write(next.chunk, next.encoding, (error) => {
    const done = () => {
      state.writing = false;
      state.length -= sizeOf(state, next.chunk);
      next.callback?.(error ?? null);
      if (error) return errorOrDestroy(stream, error);
      if (state.needDrain && state.length < state.highWaterMark && !state.ending) {
        state.needDrain = false;
        stream.emit("drain");
      }
      advance(stream);
    };
    // A write that completes at once must not finish the stream before its caller has returned.
    if (later) done();
    else queueMicrotask(done);
  });
  later = true;
}

function finish(stream) {
  const state = stream._writableState;
  if (!state.ending || state.finished) return;
  state.finished = true;
  const done = (error) => {
    if (error) return errorOrDestroy(stream, error);
    queueMicrotask(() => {
      stream.emit("finish");
      if (stream._readableState === undefined || stream._readableState.endEmitted) stream.destroy();
    });
  };
  const flush = (error) => {
    if (error || stream[kFlush] === undefined) return done(error);
    stream[kFlush](done);
  };
  if (typeof stream._final === "function") stream._final(flush);
  else flush();
}

const writable = {
  write(chunk, encoding, callback) {
    if (typeof encoding === "function") [encoding, callback] = [undefined, encoding];
    const state = this._writableState;
    if (state.ending) {
      errorOrDestroy(this, Object.assign(new Error("write after end"), { code: "ERR_STREAM_WRITE_AFTER_END" }));
      return false;
    }
    if (this.destroyed) return false;
    if (!state.objectMode && typeof chunk === "string" && state.decodeStrings) [chunk, encoding] = [Buffer.from(chunk, encoding), "buffer"];
    state.queue.push({ chunk, encoding: encoding ?? "utf8", callback });
    state.length += sizeOf(state, chunk);
    const room = state.length < state.highWaterMark;
    if (!room) state.needDrain = true;
    advance(this);
    return room;
  },
  end(chunk, encoding, callback) {
    if (typeof chunk === "function") [chunk, callback] = [undefined, chunk];
    if (typeof encoding === "function") [encoding, callback] = [undefined, encoding];
    if (chunk !== undefined && chunk !== null) this.write(chunk, encoding);
    if (callback !== undefined) this.once("finish", callback);
    this._writableState.ending = true;
    this._writableState.corked = 0;
    advance(this);
    return this;
  },
  cork() {
    this._writableState.corked += 1;
  },
  uncork() {
    this._writableState.corked = Math.max(this._writableState.corked - 1, 0);
    advance(this);
  },
  setDefaultEncoding() {
    return this;
  },
};

const writableProperties = {
  writable: { configurable: true, get() { return !this.destroyed && !this._writableState.ending; } },
  writableEnded: { configurable: true, get() { return this._writableState.ending; } },
  writableFinished: { configurable: true, get() { return this._writableState.finished; } },
  writableLength: { configurable: true, get() { return this._writableState.length; } },
  writableHighWaterMark: { configurable: true, get() { return this._writableState.highWaterMark; } },
  writableNeedDrain: { configurable: true, get() { return this._writableState.needDrain; } },
};

class Writable extends EventEmitter {
  destroyed = false;
  errored = null;

  constructor(options = {}) {
    super();
    initWritable(this, options);
  }

  _write(chunk, encoding, callback) {
    callback(new Error("A Writable must implement _write()"));
  }
}
Object.assign(Writable.prototype, writable, { destroy: Readable.prototype.destroy });
Object.defineProperties(Writable.prototype, writableProperties);

class Duplex extends Readable {
  constructor(options = {}) {
    super({ ...options, highWaterMark: options.highWaterMark ?? options.readableHighWaterMark, objectMode: options.objectMode ?? options.readableObjectMode });
    initWritable(this, options);
  }
}
Object.assign(Duplex.prototype, writable, { _write: Writable.prototype._write });
Object.defineProperties(Duplex.prototype, writableProperties);

class Transform extends Duplex {
  #resume = null;

  constructor(options = {}) {
    super(options);
    if (typeof options.transform === "function") this._transform = options.transform;
    if (typeof options.flush === "function") this._flush = options.flush;
  }

  _transform(chunk, encoding, callback) {
    callback(new Error("A Transform must implement _transform()"));
  }

  _write(chunk, encoding, callback) {
    this._transform(chunk, encoding, (error, result) => {
      if (error) return callback(error);
      if (result === undefined || result === null || this.push(result)) callback();
      else this.#resume = callback;
    });
  }

  // Apart from _final(), which belongs to the user of a Transform too.
  [kFlush](callback) {
    const done = (error, result) => {
      if (error) return callback(error);
      if (result !== undefined && result !== null) this.push(result);
      this.push(null);
      callback();
    };
    if (typeof this._flush === "function") this._flush(done);
    else done();
  }

  _read() {
    const resume = this.#resume;
    this.#resume = null;
    resume?.();
  }
}

class PassThrough extends Transform {
  _transform(chunk, encoding, callback) {
    callback(null, chunk);
  }
}

// Calls back once when a stream has ended, failed or was closed too early.
function finished(stream, options, callback) {
  if (typeof options === "function") [options, callback] = [{}, options];
  let called = false;
  const once = (error) => {
    if (called) return;
    called = true;
    queueMicrotask(() => callback(error));
  };
  const complete = () => {
    const reading = stream._readableState !== undefined && options.readable !== false && !stream._readableState.endEmitted;
    const writing = stream._writableState !== undefined && options.writable !== false && !stream._writableState.finished;
    return !reading && !writing;
  };
  const check = () => complete() && once();
  stream.on("end", check);
  stream.on("finish", check);
  stream.on("error", once);
  stream.on("close", () => once(complete() ? undefined : prematureClose()));
  if (stream.errored) once(stream.errored);
  return () => {
    called = true;
  };
}

function pipeline(...streams) {
  const callback = typeof streams.at(-1) === "function" ? streams.pop() : () => {};
  const list = streams.flat().map((stream) => (typeof stream.on === "function" ? stream : Readable.from(stream)));
  let failed = null;
  let open = list.length;
  list.forEach((stream, index) => {
    finished(stream, { readable: index < list.length - 1, writable: index > 0 }, (error) => {
      if (error && failed === null) {
        failed = error;
        for (const other of list) other.destroy(error);
      }
      open -= 1;
      if (open === 0) callback(failed ?? undefined);
    });
    if (index > 0) list[index - 1].pipe(stream);
  });
  return list.at(-1);
}

const promises = {
  finished: (stream, options = {}) => new Promise((resolve, reject) => finished(stream, options, (error) => (error ? reject(error) : resolve()))),
  pipeline: (...streams) => new Promise((resolve, reject) => pipeline(...streams, (error) => (error ? reject(error) : resolve()))),
};

// The oldest of streams: a function, since old code calls it on objects of its own.
function Stream() {
  EventEmitter.call(this);
}
Object.setPrototypeOf(Stream, EventEmitter);
Object.setPrototypeOf(Stream.prototype, EventEmitter.prototype);
const isStream = (value) => value instanceof Readable || value instanceof Writable || Object.prototype.isPrototypeOf.call(Stream.prototype, value);
Object.defineProperty(Stream, Symbol.hasInstance, { value: isStream });
Object.assign(Stream, { Duplex, PassThrough, Readable, Stream, Transform, Writable, finished, pipeline, promises });

return { default: Stream, Duplex, PassThrough, Readable, Stream, Transform, Writable, finished, pipeline, promises };
})();
