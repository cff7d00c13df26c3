// node:stream/web: the streams that are globals too.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const streams = core.loadExtScript("ext:deno_web/06_streams.js");
const { ReadableStream } = core.loadExtScript("ext:vitrine/web/stream.js");
const { TextDecoderStream, TextEncoderStream } = core.loadExtScript("ext:deno_web/08_text_encoding.js");
const { CompressionStream, DecompressionStream } = core.loadExtScript("ext:deno_web/14_compression.js");
const {
  ByteLengthQueuingStrategy, CountQueuingStrategy, ReadableByteStreamController, ReadableStreamBYOBReader, ReadableStreamBYOBRequest,
  ReadableStreamDefaultController, ReadableStreamDefaultReader, TransformStream, TransformStreamDefaultController, WritableStream,
  WritableStreamDefaultController, WritableStreamDefaultWriter,
} = streams;
return exportsOf("node:stream/web", {
  ByteLengthQueuingStrategy, CompressionStream, CountQueuingStrategy, DecompressionStream, ReadableByteStreamController, ReadableStream,
  ReadableStreamBYOBReader, ReadableStreamBYOBRequest, ReadableStreamDefaultController, ReadableStreamDefaultReader, TextDecoderStream,
  TextEncoderStream, TransformStream, TransformStreamDefaultController, WritableStream, WritableStreamDefaultController,
  WritableStreamDefaultWriter,
});
})();
