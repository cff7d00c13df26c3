// Copyright 2018-2026 the Deno authors. MIT license.
(function() {
  const { core } = __bootstrap;
  const { destroy, destroyer } = core.loadExtScript("ext:deno_node/internal/streams/destroy.js");
  const finished = core.loadExtScript("ext:deno_node/internal/streams/end-of-stream.js").default;
  const {
    isDestroyed,
    isReadable,
    isReadableEnded,
    isWritable,
    isWritableEnded
  } = core.loadExtScript("ext:deno_node/internal/streams/utils.js");
  const { ReadableStream, WritableStream } = core.loadExtScript("ext:deno_node/stream/web.js");
  const {
    validateBoolean,
    validateObject,
    validateOneOf
  } = core.loadExtScript("ext:deno_node/internal/validators.js");
  const {
    kEmptyObject,
    normalizeEncoding
  } = core.loadExtScript("ext:deno_node/internal/util.js");
  const {
    AbortError,
    ERR_INVALID_ARG_VALUE,
    ERR_INVALID_ARG_TYPE
  } = core.loadExtScript("ext:deno_node/internal/errors.js");
  const lazyProcess = (() => core.loadExtScript("ext:vitrine/node/process.js"));
  const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.js");
  const { isAnyArrayBuffer } = core.loadExtScript("ext:deno_node/internal/util/types.js");
  const lazyStream = (() => core.loadExtScript("ext:deno_node/stream.js"));
  function isWritableStream(object) {
    return object instanceof WritableStream;
  }
  function isReadableStream(object) {
    return object instanceof ReadableStream;
  }
  function firstWritevError(error) {
    if (Array.isArray(error)) {
      return error.find((e) => e);
    }
    return error == null ? void 0 : error;
  }
  function newStreamReadableFromReadableStream(readableStream, options = kEmptyObject) {
    if (!isReadableStream(readableStream)) {
      throw new ERR_INVALID_ARG_TYPE(
        "readableStream",
        "ReadableStream",
        readableStream
      );
    }
    validateObject(options, "options");
    const {
      highWaterMark,
      encoding,
      objectMode = false,
      signal
    } = options;
    if (encoding !== void 0 && !Buffer.isEncoding(encoding)) {
      throw new ERR_INVALID_ARG_VALUE(encoding, "options.encoding");
    }
    validateBoolean(objectMode, "options.objectMode");
    const reader = readableStream.getReader();
    let closed = false;
    const readable = new (lazyStream()).Readable({
      objectMode,
      highWaterMark,
      encoding,
      signal,
      read() {
        reader.read().then(
          (chunk) => {
            if (chunk.done) {
              readable.push(null);
            } else {
              readable.push(chunk.value);
            }
          },
          (error) => destroy.call(readable, error)
        );
      },
      destroy(error, callback) {
        function done() {
          try {
            callback(error);
          } catch (error2) {
            lazyProcess().default.nextTick(() => {
              throw error2;
            });
          }
        }
        if (!closed) {
          reader.cancel(error).then(done, done);
          return;
        }
        done();
      }
    });
    reader.closed.then(
      () => {
        closed = true;
      },
      (error) => {
        closed = true;
        destroy.call(readable, error);
      }
    );
    return readable;
  }
  function newStreamWritableFromWritableStream(writableStream, options = kEmptyObject) {
    if (!isWritableStream(writableStream)) {
      throw new ERR_INVALID_ARG_TYPE(
        "writableStream",
        "WritableStream",
        writableStream
      );
    }
    validateObject(options, "options");
    const {
      highWaterMark,
      decodeStrings = true,
      objectMode = false,
      signal
    } = options;
    validateBoolean(objectMode, "options.objectMode");
    validateBoolean(decodeStrings, "options.decodeStrings");
    const writer = writableStream.getWriter();
    let closed = false;
    const writable = new (lazyStream()).Writable({
      highWaterMark,
      objectMode,
      decodeStrings,
      signal,
      writev(chunks, callback) {
        function done(error) {
          try {
            callback(firstWritevError(error));
          } catch (error2) {
            lazyProcess().default.nextTick(() => destroy.call(writable, error2));
          }
        }
        writer.ready.then(
          () => Promise.all(
            chunks.map((data) => writer.write(data.chunk))
          ).then(done, done),
          done
        ).catch(done);
      },
      write(chunk, encoding, callback) {
        if (typeof chunk === "string" && decodeStrings && !objectMode) {
          chunk = Buffer.from(chunk, encoding);
          chunk = new Uint8Array(
            chunk.buffer,
            chunk.byteOffset,
            chunk.byteLength
          );
        }
        function done(error) {
          try {
            callback(error);
          } catch (error2) {
            destroy.call(writable, error2);
          }
        }
        writer.ready.then(
          () => writer.write(chunk).then(done, done),
          done
        );
      },
      destroy(error, callback) {
        function done() {
          try {
            callback(error);
          } catch (error2) {
            lazyProcess().default.nextTick(() => {
              throw error2;
            });
          }
        }
        if (!closed) {
          if (error != null) {
            writer.abort(error).then(done, done);
          } else {
            writer.close().then(done, done);
          }
          return;
        }
        done();
      },
      final(callback) {
        function done(error) {
          try {
            callback(error);
          } catch (error2) {
            lazyProcess().default.nextTick(() => destroy.call(writable, error2));
          }
        }
        if (!closed) {
          writer.close().then(done, done);
        }
      }
    });
    writer.closed.then(
      () => {
        closed = true;
      },
      (error) => {
        closed = true;
        destroy.call(writable, error);
      }
    );
    return writable;
  }
  function newStreamDuplexFromReadableWritablePair(pair, options = kEmptyObject) {
    validateObject(pair, "pair");
    const {
      readable: readableStream,
      writable: writableStream
    } = pair;
    if (!isReadableStream(readableStream)) {
      throw new ERR_INVALID_ARG_TYPE(
        "pair.readable",
        "ReadableStream",
        readableStream
      );
    }
    if (!isWritableStream(writableStream)) {
      throw new ERR_INVALID_ARG_TYPE(
        "pair.writable",
        "WritableStream",
        writableStream
      );
    }
    validateObject(options, "options");
    const {
      allowHalfOpen = false,
      objectMode = false,
      encoding,
      decodeStrings = true,
      highWaterMark,
      signal
    } = options;
    validateBoolean(objectMode, "options.objectMode");
    if (encoding !== void 0 && !Buffer.isEncoding(encoding)) {
      throw new ERR_INVALID_ARG_VALUE(encoding, "options.encoding");
    }
    const writer = writableStream.getWriter();
    const reader = readableStream.getReader();
    let writableClosed = false;
    let readableClosed = false;
    const duplex = new (lazyStream()).Duplex({
      allowHalfOpen,
      highWaterMark,
      objectMode,
      encoding,
      decodeStrings,
      signal,
      writev(chunks, callback) {
        function done(error) {
          try {
            callback(firstWritevError(error));
          } catch (error2) {
            lazyProcess().default.nextTick(() => destroy.call(duplex, error2));
          }
        }
        writer.ready.then(
          () => Promise.all(
            chunks.map((data) => writer.write(data.chunk))
          ).then(done, done),
          done
        ).catch(done);
      },
      write(chunk, encoding2, callback) {
        if (typeof chunk === "string" && decodeStrings && !objectMode) {
          chunk = Buffer.from(chunk, encoding2);
          chunk = new Uint8Array(
            chunk.buffer,
            chunk.byteOffset,
            chunk.byteLength
          );
        }
        function done(error) {
          try {
            callback(error);
          } catch (error2) {
            destroy.call(duplex, error2);
          }
        }
        writer.ready.then(
          () => writer.write(chunk).then(done, done),
          done
        );
      },
      final(callback) {
        function done(error) {
          try {
            callback(error);
          } catch (error2) {
            lazyProcess().default.nextTick(() => destroy.call(duplex, error2));
          }
        }
        if (!writableClosed) {
          writer.close().then(done, done);
        }
      },
      read() {
        reader.read().then(
          (chunk) => {
            if (chunk.done) {
              duplex.push(null);
            } else {
              duplex.push(chunk.value);
            }
          },
          (error) => destroy.call(duplex, error)
        );
      },
      destroy(error, callback) {
        function done() {
          try {
            callback(error);
          } catch (error2) {
            lazyProcess().default.nextTick(() => {
              throw error2;
            });
          }
        }
        async function closeWriter() {
          if (!writableClosed) {
            await writer.abort(error);
          }
        }
        async function closeReader() {
          if (!readableClosed) {
            await reader.cancel(error);
          }
        }
        if (!writableClosed || !readableClosed) {
          Promise.all([
            closeWriter(),
            closeReader()
          ]).then(done, done);
          return;
        }
        done();
      }
    });
    writer.closed.then(
      () => {
        writableClosed = true;
      },
      (error) => {
        writableClosed = true;
        readableClosed = true;
        destroy.call(duplex, error);
      }
    );
    reader.closed.then(
      () => {
        readableClosed = true;
      },
      (error) => {
        writableClosed = true;
        readableClosed = true;
        destroy.call(duplex, error);
      }
    );
    return duplex;
  }
  function newReadableStreamFromStreamReadable(streamReadable, options = kEmptyObject) {
    if (typeof streamReadable?._readableState !== "object") {
      throw new ERR_INVALID_ARG_TYPE(
        "streamReadable",
        "stream.Readable",
        streamReadable
      );
    }
    validateObject(options, "options");
    if (options.type !== void 0) {
      validateOneOf(options.type, "options.type", ["bytes", void 0]);
    }
    if (isDestroyed(streamReadable) || !isReadable(streamReadable)) {
      const readable = new ReadableStream();
      readable.cancel();
      return readable;
    }
    const objectMode = streamReadable.readableObjectMode;
    const highWaterMark = streamReadable.readableHighWaterMark;
    const isByteStream = options?.type === "bytes";
    const evaluateStrategyOrFallback = (strategy2) => {
      if (isByteStream) {
        return { highWaterMark };
      }
      if (strategy2) {
        return strategy2;
      }
      if (objectMode) {
        return new CountQueuingStrategy({ highWaterMark });
      }
      return {
        highWaterMark,
        size(chunk) {
          return chunk.byteLength ?? chunk.length;
        }
      };
    };
    const strategy = evaluateStrategyOrFallback(options?.strategy);
    let controller;
    function onData(chunk) {
      if (Buffer.isBuffer(chunk) && !objectMode) {
        chunk = new Uint8Array(chunk);
      }
      controller.enqueue(chunk);
      if (controller.desiredSize <= 0) {
        streamReadable.pause();
      }
    }
    streamReadable.pause();
    let isCanceled = false;
    const cleanup = finished(streamReadable, { writable: false }, (error) => {
      if (error?.code === "ERR_STREAM_PREMATURE_CLOSE") {
        const err = new AbortError(void 0, { cause: error });
        error = err;
      }
      cleanup();
      streamReadable.on("error", () => {
      });
      if (error) {
        return controller.error(error);
      }
      if (isCanceled) {
        return;
      }
      controller.close();
    });
    streamReadable.on("data", onData);
    const underlyingSource = {
      start(c) {
        controller = c;
      },
      pull() {
        streamReadable.resume();
      },
      cancel(reason) {
        isCanceled = true;
        destroyer(streamReadable, reason);
      }
    };
    if (isByteStream) {
      underlyingSource.type = "bytes";
    }
    return new ReadableStream(underlyingSource, strategy);
  }
  function newWritableStreamFromStreamWritable(streamWritable) {
    const checkIfWritableOrOutgoingMessage = streamWritable && typeof streamWritable?.write === "function" && typeof streamWritable?.on === "function";
    if (!checkIfWritableOrOutgoingMessage) {
      throw new ERR_INVALID_ARG_TYPE(
        "streamWritable",
        "stream.Writable",
        streamWritable
      );
    }
    if (isDestroyed(streamWritable) || !isWritable(streamWritable)) {
      const writable = new WritableStream();
      writable.close();
      return writable;
    }
    const highWaterMark = streamWritable.writableHighWaterMark;
    const strategy = streamWritable.writableObjectMode ? new CountQueuingStrategy({ highWaterMark }) : { highWaterMark };
    let controller;
    let backpressurePromise;
    let closed;
    function onDrain() {
      if (backpressurePromise !== void 0) {
        backpressurePromise.resolve();
      }
    }
    const cleanup = finished(streamWritable, (error) => {
      if (error?.code === "ERR_STREAM_PREMATURE_CLOSE") {
        const err = new AbortError(void 0, { cause: error });
        error = err;
      }
      cleanup();
      streamWritable.on("error", () => {
      });
      if (error != null) {
        if (backpressurePromise !== void 0) {
          backpressurePromise.reject(error);
        }
        if (closed !== void 0) {
          closed.reject(error);
          closed = void 0;
        }
        controller.error(error);
        controller = void 0;
        return;
      }
      if (closed !== void 0) {
        closed.resolve();
        closed = void 0;
        return;
      }
      controller.error(new AbortError());
      controller = void 0;
    });
    streamWritable.on("drain", onDrain);
    return new WritableStream({
      start(c) {
        controller = c;
      },
      async write(chunk) {
        if (!streamWritable.writableObjectMode && isAnyArrayBuffer(chunk)) {
          chunk = new Uint8Array(chunk);
        }
        if (streamWritable.writableNeedDrain || !streamWritable.write(chunk)) {
          backpressurePromise = Promise.withResolvers();
          return backpressurePromise.promise.finally(() => {
            backpressurePromise = void 0;
          });
        }
      },
      abort(reason) {
        destroy.call(streamWritable, reason);
      },
      close() {
        if (closed === void 0 && !isWritableEnded(streamWritable)) {
          closed = Promise.withResolvers();
          streamWritable.end();
          return closed.promise;
        }
        controller = void 0;
        return Promise.resolve();
      }
    }, strategy);
  }
  let dep0201Warned = false;
  function newReadableWritablePairFromDuplex(duplex, options = kEmptyObject) {
    if (typeof duplex?._writableState !== "object" || typeof duplex?._readableState !== "object") {
      throw new ERR_INVALID_ARG_TYPE("duplex", "stream.Duplex", duplex);
    }
    if (isDestroyed(duplex)) {
      const writable2 = new WritableStream();
      const readable2 = new ReadableStream();
      writable2.close();
      readable2.cancel();
      return { readable: readable2, writable: writable2 };
    }
    const writable = isWritable(duplex) ? newWritableStreamFromStreamWritable(duplex) : new WritableStream();
    if (!isWritable(duplex)) {
      writable.close();
    }
    if (options.readableType == null && options.type != null) {
      if (!dep0201Warned) {
        dep0201Warned = true;
        lazyProcess().default.emitWarning(
          "Passing 'options.type' to Duplex.toWeb() is deprecated. To specify the ReadableStream type, use 'options.readableType'.",
          "DeprecationWarning",
          "DEP0201"
        );
      }
    }
    const readableType = options?.readableType || options?.type;
    const readableOptions = readableType ? { type: readableType } : kEmptyObject;
    const readable = isReadable(duplex) ? newReadableStreamFromStreamReadable(duplex, readableOptions) : new ReadableStream();
    if (!isReadable(duplex)) {
      readable.cancel();
    }
    return { writable, readable };
  }
  return {
    newReadableStreamFromStreamReadable,
    newWritableStreamFromStreamWritable,
    newStreamReadableFromReadableStream,
    newStreamWritableFromWritableStream,
    newStreamDuplexFromReadableWritablePair,
    newReadableWritablePairFromDuplex
  };
})();
