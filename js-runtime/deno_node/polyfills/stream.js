// Copyright 2018-2026 the Deno authors. MIT license.
// Copyright Joyent, Inc. and other Node contributors.
//
// Permission is hereby granted, free of charge, to any person obtaining a
// copy of this software and associated documentation files (the
// "Software"), to deal in the Software without restriction, including
// without limitation the rights to use, copy, modify, merge, publish,
// distribute, sublicense, and/or sell copies of the Software, and to permit
// persons to whom the Software is furnished to do so, subject to the
// following conditions:
//
// The above copyright notice and this permission notice shall be included
// in all copies or substantial portions of the Software.
//
// THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS
// OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
// MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN
// NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
// DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
// OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE
// USE OR OTHER DEALINGS IN THE SOFTWARE.
(function() {
const { core, internals, primordials } = __bootstrap;
const {
  promiseReturningOperators,
  streamReturningOperators
} = core.loadExtScript("ext:deno_node/internal/streams/operators.js");
const { default: compose } = core.loadExtScript("ext:deno_node/internal/streams/compose.js");
const { pipeline } = core.loadExtScript("ext:deno_node/internal/streams/pipeline.js");
const promises = core.loadExtScript("ext:deno_node/stream/promises.js");
const { default: Readable } = core.loadExtScript("ext:deno_node/internal/streams/readable_esm.js");
const { default: Writable } = core.loadExtScript("ext:deno_node/internal/streams/writable_esm.js");
const { default: Duplex } = core.loadExtScript("ext:deno_node/internal/streams/duplex_esm.js");
const { default: Transform } = core.loadExtScript("ext:deno_node/internal/streams/transform_esm.js");
const { default: PassThrough } = core.loadExtScript("ext:deno_node/internal/streams/passthrough_esm.js");
const { default: duplexPair } = core.loadExtScript("ext:deno_node/internal/streams/duplexpair.js");

const {
  ObjectDefineProperty,
  ObjectKeys,
  ReflectApply
} = primordials;
const internalUtil = core.loadExtScript("ext:deno_node/internal/util.js");
const {
  promisify: { custom: customPromisify }
} = internalUtil;


const {
  getDefaultHighWaterMark,
  setDefaultHighWaterMark
} = core.loadExtScript("ext:deno_node/internal/streams/state.js");

const { destroyer } = core.loadExtScript("ext:deno_node/internal/streams/destroy.js");
const { eos } = core.loadExtScript("ext:deno_node/internal/streams/end-of-stream.js");
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.js");

const utils = core.loadExtScript("ext:deno_node/internal/streams/utils.js");
const {
  isArrayBufferView,
  isUint8Array
} = core.loadExtScript("ext:deno_node/internal/util/types.js");
const { Stream } = core.loadExtScript("ext:deno_node/internal/streams/legacy.js");






const { addAbortSignal } = core.loadExtScript("ext:deno_node/internal/streams/add-abort-signal.js");
const { ERR_ILLEGAL_CONSTRUCTOR } = core.loadExtScript("ext:deno_node/internal/errors.js");
Stream.isDestroyed = utils.isDestroyed;
Stream.isDisturbed = utils.isDisturbed;
Stream.isErrored = utils.isErrored;
Stream.isReadable = utils.isReadable;
Stream.isWritable = utils.isWritable;
Stream.Readable = Readable;
const streamKeys = ObjectKeys(streamReturningOperators);
for (let i = 0; i < streamKeys.length; i++) {
  let fn = function(...args) {
    if (new.target) {
      throw new ERR_ILLEGAL_CONSTRUCTOR();
    }
    return Stream.Readable.from(ReflectApply(op, this, args));
  };
  const key = streamKeys[i];
  const op = streamReturningOperators[key];
  ObjectDefineProperty(fn, "name", { __proto__: null, value: op.name });
  ObjectDefineProperty(fn, "length", { __proto__: null, value: op.length });
  ObjectDefineProperty(Stream.Readable.prototype, key, {
    __proto__: null,
    value: fn,
    enumerable: false,
    configurable: true,
    writable: true
  });
}
const promiseKeys = ObjectKeys(promiseReturningOperators);
for (let i = 0; i < promiseKeys.length; i++) {
  let fn = function(...args) {
    if (new.target) {
      throw new ERR_ILLEGAL_CONSTRUCTOR();
    }
    return ReflectApply(op, this, args);
  };
  const key = promiseKeys[i];
  const op = promiseReturningOperators[key];
  ObjectDefineProperty(fn, "name", { __proto__: null, value: op.name });
  ObjectDefineProperty(fn, "length", { __proto__: null, value: op.length });
  ObjectDefineProperty(Stream.Readable.prototype, key, {
    __proto__: null,
    value: fn,
    enumerable: false,
    configurable: true,
    writable: true
  });
}
Stream.Writable = Writable;
Stream.Duplex = Duplex;
Stream.Transform = Transform;
Stream.PassThrough = PassThrough;
Stream.duplexPair = duplexPair;
Stream.pipeline = pipeline;
Stream.addAbortSignal = addAbortSignal;
Stream.finished = eos;
Stream.destroy = destroyer;
Stream.compose = compose;
Stream.setDefaultHighWaterMark = setDefaultHighWaterMark;
Stream.getDefaultHighWaterMark = getDefaultHighWaterMark;
ObjectDefineProperty(Stream, "promises", {
  __proto__: null,
  configurable: true,
  enumerable: true,
  get() {
    return promises;
  }
});
ObjectDefineProperty(pipeline, customPromisify, {
  __proto__: null,
  enumerable: true,
  get() {
    return promises.pipeline;
  }
});
ObjectDefineProperty(eos, customPromisify, {
  __proto__: null,
  enumerable: true,
  get() {
    return promises.finished;
  }
});
Stream.Stream = Stream;
Stream._isArrayBufferView = isArrayBufferView;
Stream._isUint8Array = isUint8Array;
Stream._uint8ArrayToBuffer = function _uint8ArrayToBuffer(chunk) {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
};
const _isArrayBufferView = isArrayBufferView;
const _isUint8Array = Stream._isUint8Array;
const _uint8ArrayToBuffer2 = Stream._uint8ArrayToBuffer;
const isDisturbed = Stream.isDisturbed;
const isErrored = Stream.isErrored;
const finished = eos;
const isReadable = Stream.isReadable;
const isWritable = Stream.isWritable;
const isDestroyed = Stream.isDestroyed;
var stdin_default = Stream;


return { Duplex, PassThrough, Readable, Stream, Transform, Writable, _isArrayBufferView, _isUint8Array, _uint8ArrayToBuffer: _uint8ArrayToBuffer2, addAbortSignal, compose, default: stdin_default, destroy: destroyer, duplexPair, finished, getDefaultHighWaterMark, isDestroyed, isDisturbed, isErrored, isReadable, isWritable, pipeline, promises, setDefaultHighWaterMark };
})();
