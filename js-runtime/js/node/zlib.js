// node:zlib. Zstandard is not among the codecs of the worker.
(function () {
const { core } = __bootstrap;
const { exportsOf } = core.loadExtScript("ext:vitrine/node/internal/exports.js");
const {
  ZstdCompress: _0, ZstdDecompress: _1, createZstdCompress: _2, createZstdDecompress: _3, zstdCompress: _4, zstdCompressSync: _5, zstdDecompress: _6,
  zstdDecompressSync: _7, ...zlib
} = core.loadExtScript("ext:deno_node/zlib.js");
return exportsOf("node:zlib", zlib);
})();
