// One keep-alive connection on the bare socket. A client with more to it would need as much of the machine as what is measured.
import { connect } from "node:net";

const END_OF_HEAD = "\r\n\r\n";
/** No page has this in its text. */
const LAST_CHUNK = "\r\n0\r\n\r\n";

/** A server that is silent for longer hangs, and what it was asked fails. */
const SILENCE_MS = 30_000;

/** Looks for the end of one HTTP answer in the pieces that arrive. */
export class Answer {
  #text = "";
  #bodyLength;
  #bodyAt;
  #length = 0;

  /** @param {string} piece One character a byte. @returns {boolean} Whether all of the answer is there. */
  push(piece) {
    this.#length += piece.length;
    // Of a body only what may be its end is kept.
    this.#text = this.#bodyAt === undefined ? this.#text + piece : (this.#text + piece).slice(-LAST_CHUNK.length);
    if (this.#bodyAt === undefined && !this.#readHead()) {
      return false;
    }
    return this.#bodyLength === undefined
      ? this.#text.endsWith(LAST_CHUNK)
      : this.#length >= this.#bodyAt + this.#bodyLength;
  }

  #readHead() {
    const end = this.#text.indexOf(END_OF_HEAD);
    if (end === -1) {
      return false;
    }
    this.status = Number(this.#text.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length));
    const length = /^content-length: (\d+)\r$/im.exec(this.#text.slice(0, end + 1))?.[1];
    this.#bodyLength = length === undefined ? undefined : Number(length);
    this.#bodyAt = end + END_OF_HEAD.length;
    return true;
  }
}

export class HttpConnection {
  #socket;
  #request;
  #answer;
  #settle;
  #broken;

  /** @param {URL} url What it asks for, again and again. */
  constructor(url) {
    this.#request = `GET ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\n\r\n`;
    this.#socket = connect(Number(url.port), url.hostname);
    this.#socket.setNoDelay(true);
    this.#socket.setEncoding("latin1");
    this.#socket.setTimeout(SILENCE_MS, () => this.#socket.destroy(new Error("the server is silent")));
    this.#socket.on("data", (piece) => this.#take(piece));
    this.#socket.on("error", (error) => this.#break(error));
    this.#socket.on("close", () => this.#break(new Error("the server closed the connection")));
  }

  /** One request at a time. @returns {Promise<void>} Resolves when all of the page is there; rejects if there is none. */
  get() {
    if (this.#broken !== undefined) {
      return Promise.reject(this.#broken);
    }
    this.#answer = new Answer();
    this.#socket.write(this.#request);
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  close() {
    this.#socket.destroy();
  }

  #take(piece) {
    if (this.#answer?.push(piece)) {
      const { status } = this.#answer;
      this.#answer = undefined;
      if (status === 200) {
        this.#settle.resolve();
      } else {
        this.#settle.reject(new Error(`answered with ${status}`));
      }
    }
  }

  #break(error) {
    this.#broken ??= error;
    this.#settle?.reject(this.#broken);
  }
}
