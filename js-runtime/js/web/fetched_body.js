// The body of an answer to a call of fetch, of which the host gives one piece after the other.
(function () {
const { core, primordials } = __bootstrap;
const { op_cancel, op_fetch_drop, op_fetch_read, op_fetch_rest, op_fetch_rest_text } = core.ops;
const { TypeError } = primordials;
const { currentRequest, hostCall } = core.loadExtScript("ext:vitrine/runtime/bridge.js");
const { ReadableStream } = core.loadExtScript("ext:vitrine/web/stream.js");

// What comes from the host.
class Received {
  #number;
  #signal;
  #abandon = null;

  constructor(number, signal) {
    this.#number = number;
    this.#signal = signal;
    if (signal !== null) {
      // Also of an answer that nobody reads; what listens keeps no more than a number.
      const abandon = () => op_fetch_drop(number);
      signal.addEventListener("abort", abandon);
      this.#abandon = abandon;
    }
  }

  // All that is left, if the host has it. Null when it has not.
  rest() {
    return this.#ended(op_fetch_rest(this.#number));
  }

  // The same as text.
  restText() {
    return this.#ended(op_fetch_rest_text(this.#number));
  }

  // The next piece; null at the end.
  next() {
    const start = (call) => op_fetch_read(call, this.#number, currentRequest());
    if (this.#signal === null) return hostCall(start);
    return this.#signalled(start);
  }

  async #signalled(start) {
    let call = 0;
    const give = () => op_cancel(call);
    this.#signal.addEventListener("abort", give);
    try {
      const piece = await hostCall((number) => {
        call = number;
        start(number);
      });
      if (piece === null) this.#ended(true);
      return piece;
    } finally {
      this.#signal.removeEventListener("abort", give);
    }
  }

  drop() {
    this.#ended(true);
    op_fetch_drop(this.#number);
  }

  // A signal that outlives the answer must not keep what it listens with.
  #ended(content) {
    if (content !== null) this.#signal?.removeEventListener("abort", this.#abandon);
    return content;
  }
}

// What an app reads: `source` until its end, or until `signal` is aborted.
class Answer {
  #source;
  #signal;
  constructor(source, signal) {
    this.#source = source;
    this.#signal = signal;
  }

  rest() {
    this.#signal?.throwIfAborted();
    return this.#source.rest();
  }

  restText() {
    this.#signal?.throwIfAborted();
    return this.#source.restText();
  }

  async next() {
    try {
      this.#signal?.throwIfAborted();
      return await this.#source.next();
    } catch (error) {
      if (this.#signal?.aborted) throw this.#signal.reason;
      throw new TypeError(`The answer's body could not be read: ${error.message}`, { cause: error });
    }
  }

  stream() {
    const signal = this.#signal;
    let abort;
    // A signal that outlives the answer must not keep it.
    const over = () => signal?.removeEventListener("abort", abort);
    return new ReadableStream({
      type: "bytes",
      start: (controller) => {
        abort = () => {
          over();
          this.#source.drop();
          controller.error(signal.reason);
        };
        signal?.addEventListener("abort", abort);
      },
      pull: async (controller) => {
        let piece = null;
        try {
          piece = await this.next();
        } catch (error) {
          over();
          throw error;
        }
        if (signal?.aborted) return;
        if (piece === null) {
          over();
          controller.close();
          controller.byobRequest?.respond(0);
        } else {
          controller.enqueue(piece);
        }
      },
      cancel: () => {
        over();
        this.#source.drop();
      },
    }, { highWaterMark: 0 });
  }
}

return { Answer, Received };
})();
