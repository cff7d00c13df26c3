// Copyright 2018-2026 the Deno authors. MIT license.
(function() {
const { core, internals, primordials } = __bootstrap;
const { pipelineImpl: pl } = core.loadExtScript("ext:deno_node/internal/streams/pipeline.js");

const {
  isIterable,
  isNodeStream,
  isWebStream
} = core.loadExtScript("ext:deno_node/internal/streams/utils.js");

const { finished } = core.loadExtScript("ext:deno_node/internal/streams/end-of-stream.js");
"use strict";
const {
  ArrayPrototypePop,
  Promise: Promise2
} = primordials;
function pipeline(...streams) {
  return new Promise2((resolve, reject) => {
    let signal;
    let end;
    const lastArg = streams[streams.length - 1];
    if (lastArg && typeof lastArg === "object" && !isNodeStream(lastArg) && !isIterable(lastArg) && !isWebStream(lastArg)) {
      const options = ArrayPrototypePop(streams);
      signal = options.signal;
      end = options.end;
    }
    pl(streams, (err, value) => {
      if (err) {
        reject(err);
      } else {
        resolve(value);
      }
    }, { signal, end });
  });
}
const _defaultExport1 = {
  finished,
  pipeline
};
var stdin_default = _defaultExport1;


return { default: stdin_default, finished, pipeline };
})();
