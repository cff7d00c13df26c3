// The readable half of node:stream.
(function () {
const { core } = __bootstrap;
const { EventEmitter } = core.loadExtScript("ext:vitrine/node/events.js");
const { Buffer } = core.loadExtScript("ext:vitrine/node/buffer.js");
const { ReadableStream } = core.loadExtScript("ext:vitrine/stream.js");

// Bytes that a readable reads ahead.
const HIGH_WATER_MARK = 64 * 1024;

function errorOrDestroy(stream, error) {
  if (!stream.destroyed) stream.destroy(error);
}

function prematureClose() {
  return Object.assign(new Error("Premature close"), { code: "ERR_STREAM_PREMATURE_CLOSE" });
}

function sizeOf(state, chunk) {
  return state.objectMode ? 1 : chunk.length;
}

// Gives what is buffered to "data" listeners and asks for more, for as long as somebody listens.
function flow(stream) {
  const state = stream._readableState;
  while (state.flowing && state.buffer.length > 0 && !stream.destroyed) {
    const chunk = state.buffer.shift();
    state.length -= sizeOf(state, chunk);
    emitData(stream, state.decoder === null ? chunk : state.decoder.decode(chunk, { stream: true }));
  }
  // What is destroyed does not end any more: whoever hears of an end takes what came before it for all.
  if (stream.destroyed) return;
  if (state.buffer.length === 0 && state.ended) return endReadable(stream);
  if (state.flowing || state.wanted) ask(stream);
}

// A character that has not come as a whole is no text yet.
function emitData(stream, chunk) {
  if (chunk !== "" || stream._readableState.objectMode) stream.emit("data", chunk);
}

function ask(stream) {
  const state = stream._readableState;
  if (state.reading || state.ended || stream.destroyed || state.length >= state.highWaterMark) return;
  state.reading = true;
  try {
    stream._read(state.highWaterMark);
  } catch (error) {
    errorOrDestroy(stream, error);
  }
}

function endReadable(stream) {
  const state = stream._readableState;
  if (state.endEmitted || !(state.flowing || state.wanted)) return;
  state.endEmitted = true;
  if (state.flowing && state.decoder !== null) emitData(stream, state.decoder.decode());
  queueMicrotask(() => {
    stream.emit("end");
    if (stream._writableState === undefined || stream._writableState.finished) stream.destroy();
  });
}

function schedule(stream) {
  const state = stream._readableState;
  if (state.scheduled) return;
  state.scheduled = true;
  queueMicrotask(() => {
    state.scheduled = false;
    if (state.wanted && (state.buffer.length > 0 || state.ended)) stream.emit("readable");
    flow(stream);
  });
}

// Somebody listens: that is what makes a stream go.
function listened(stream, name) {
  if (name === "data") stream.resume();
  if (name === "readable") {
    stream._readableState.wanted = true;
    schedule(stream);
  }
}

class Readable extends EventEmitter {
  destroyed = false;
  errored = null;

  constructor(options = {}) {
    super();
    this._readableState = {
      objectMode: options.objectMode ?? false,
      highWaterMark: options.highWaterMark ?? (options.objectMode ? 16 : HIGH_WATER_MARK),
      buffer: [],
      length: 0,
      decoder: null,
      flowing: false,
      // Somebody reads by hand: "readable" events and read().
      wanted: false,
      reading: false,
      ended: false,
      endEmitted: false,
      scheduled: false,
    };
    if (typeof options.read === "function") this._read = options.read;
    if (typeof options.destroy === "function") this._destroy = options.destroy;
  }

  static from(iterable, options = {}) {
    const single = typeof iterable === "string" || iterable instanceof Uint8Array;
    const items = single ? [iterable] : iterable;
    const iterator = items[Symbol.asyncIterator]?.() ?? items[Symbol.iterator]();
    return new Readable({
      objectMode: true,
      ...options,
      read() {
        Promise.resolve(iterator.next()).then(({ done, value }) => this.push(done ? null : value), (error) => this.destroy(error));
      },
      destroy(error, callback) {
        Promise.resolve(iterator.return?.()).then(() => callback(error), callback);
      },
    });
  }

  static fromWeb(stream, options = {}) {
    return Readable.from(stream, { objectMode: false, ...options });
  }

  static toWeb(readable) {
    const iterator = readable[Symbol.asyncIterator]();
    return new ReadableStream({
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(typeof value === "string" ? core.encode(value) : value);
      },
      cancel: (reason) => readable.destroy(reason),
    });
  }

  _read() {
    throw new Error("A Readable must implement _read()");
  }

  push(chunk, encoding = undefined) {
    const state = this._readableState;
    if (this.destroyed) return false;
    state.reading = false;
    if (chunk === null) {
      state.ended = true;
    } else {
      if (state.ended) {
        errorOrDestroy(this, Object.assign(new Error("push after EOF"), { code: "ERR_STREAM_PUSH_AFTER_EOF" }));
        return false;
      }
      if (!state.objectMode && typeof chunk === "string") chunk = Buffer.from(chunk, encoding);
      state.buffer.push(chunk);
      state.length += sizeOf(state, chunk);
    }
    schedule(this);
    return state.length < state.highWaterMark;
  }

  read() {
    const state = this._readableState;
    state.wanted = true;
    if (state.buffer.length === 0) {
      schedule(this);
      return null;
    }
    const chunk = state.objectMode || state.buffer.length === 1 ? state.buffer.shift() : Buffer.concat(state.buffer.splice(0));
    state.length -= sizeOf(state, chunk);
    schedule(this);
    return state.decoder === null ? chunk : state.decoder.decode(chunk, { stream: true });
  }

  on(name, listener) {
    super.on(name, listener);
    listened(this, name);
    return this;
  }

  addListener(name, listener) {
    return this.on(name, listener);
  }

  once(name, listener) {
    super.once(name, listener);
    listened(this, name);
    return this;
  }

  resume() {
    this._readableState.flowing = true;
    schedule(this);
    return this;
  }

  pause() {
    this._readableState.flowing = false;
    return this;
  }

  isPaused() {
    return !this._readableState.flowing;
  }

  setEncoding(encoding) {
    const { TextDecoder } = core.loadExtScript("ext:deno_web/08_text_encoding.js");
    this._readableState.decoder = new TextDecoder(encoding);
    return this;
  }

  pipe(destination, options = {}) {
    this.on("data", (chunk) => {
      if (destination.write(chunk) === false) {
        this.pause();
        destination.once("drain", () => this.resume());
      }
    });
    if (options.end !== false) this.once("end", () => destination.end());
    destination.emit("pipe", this);
    return destination;
  }

  unpipe() {
    this.removeAllListeners("data");
    this.pause();
    return this;
  }

  destroy(error = undefined) {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.errored = error ?? null;
    const done = (failure) => queueMicrotask(() => {
      if (failure) this.emit("error", failure);
      this.emit("close");
    });
    if (typeof this._destroy === "function") this._destroy(error ?? null, (failure) => done(failure ?? error));
    else done(error);
    return this;
  }

  get readable() {
    return !this.destroyed && !this._readableState.endEmitted;
  }

  get readableEnded() {
    return this._readableState.endEmitted;
  }

  get readableFlowing() {
    return this._readableState.flowing;
  }

  get readableHighWaterMark() {
    return this._readableState.highWaterMark;
  }

  get readableLength() {
    return this._readableState.length;
  }

  async *[Symbol.asyncIterator]() {
    let failure = null;
    let wake = () => {};
    this.on("error", (error) => {
      failure = error;
      wake();
    });
    for (const name of ["readable", "end", "close"]) this.on(name, () => wake());
    try {
      while (true) {
        if (failure !== null) throw failure;
        const chunk = this.destroyed ? null : this.read();
        if (chunk !== null) {
          yield chunk;
        } else if (this._readableState.endEmitted) {
          return;
        } else if (this.destroyed) {
          // An error may have been told before anybody listened here.
          throw this.errored ?? prematureClose();
        } else {
          await new Promise((resolve) => wake = resolve);
        }
      }
    } finally {
      this.destroy();
    }
  }
}

return { Readable, errorOrDestroy, prematureClose };
})();
