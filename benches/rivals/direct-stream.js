// Node has no direct streams. This is one for react-dom's build that writes to them: what it writes between two flushes goes out as one chunk.

class DirectStream {
  #source;

  constructor(source) {
    this.#source = source;
  }

  /** Lets the source write into a response. @param {import("node:http").ServerResponse} response */
  pipe(response) {
    let text = "";
    response.once("close", () => response.writableFinished || this.#source.cancel(new Error("the client went away")));
    this.#source.pull({
      write(chunk) {
        text += chunk;
        return true;
      },
      flush() {
        if (text !== "") {
          response.write(text);
          text = "";
        }
      },
      end() {
        response.end(text);
      },
      error(error) {
        response.destroy(error);
      },
    });
  }
}

// The build makes react-dom ask for this one.
globalThis.DirectStream = DirectStream;
