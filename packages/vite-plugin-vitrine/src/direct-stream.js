/** Where react-dom makes the stream that it writes strings to. */
const DIRECT_STREAM = /\bnew ReadableStream\((\s*)\{(\s*)type: "direct",/g;

/**
 * The stream of a Vitrine isolate, or where the runtime knows none of that type (a test in Node.js), a standard one of the same bytes.
 * React goes on when `write` gives something true, so a standard one holds a page that is not read yet whole.
 */
const DIRECT_STREAM_FUNCTION = `
function directStream(source, strategy) {
  try {
    return new ReadableStream(source, strategy);
  } catch (error) {
    // A runtime that does not know the type says so with a TypeError.
    if (!(error instanceof TypeError)) throw error;
    var encoder = new TextEncoder();
    var text = "";
    var sink;
    return new ReadableStream({
      start: function (controller) {
        sink = {
          write: function (chunk) {
            if (typeof chunk === "string") text += chunk;
            else {
              sink.flush();
              controller.enqueue(chunk);
            }
            return 1;
          },
          flush: function () {
            if (text !== "") controller.enqueue(encoder.encode(text));
            text = "";
          },
          end: function () {
            sink.flush();
            controller.close();
          },
          close: function () {
            sink.end();
          },
          error: function (reason) {
            controller.error(reason);
          }
        };
      },
      pull: function () {
        return source.pull(sink);
      },
      cancel: function (reason) {
        return source.cancel(reason);
      }
    }, { highWaterMark: 0 });
  }
}
`;

/**
 * @param {string} code Source of react-dom's server build for direct streams.
 * @returns {string} The same, whose pages can be read in Node.js as well.
 */
export function withStandardStreams(code) {
  const text = code.replace(DIRECT_STREAM, 'directStream($1{$2type: "direct",');
  return text === code ? code : text + DIRECT_STREAM_FUNCTION;
}
