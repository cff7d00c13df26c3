// Reads the answers on a connection of HTTP/1.1.

/** @typedef {import("./corpus.mjs").Answer} Answer */

const HEAD_END = "\r\n\r\n";

export class Answers {
  /** Those that are whole. @type {Answer[]} */
  all = [];
  ended = false;
  #rest = "";
  #finals = 0;
  #heads;
  #wake = () => {};

  /** @param {import("node:net").Socket} socket @param {number[]} heads Which answers have no body, whatever they declare. */
  constructor(socket, heads) {
    this.socket = socket;
    this.#heads = heads;
    socket.setEncoding("latin1");
    socket.on("data", (text) => {
      this.#rest += text;
      this.#read();
      this.#wake();
    });
    const end = () => {
      // The body of an answer without a length ends with the connection.
      this.#read(true);
      this.ended = true;
      this.#wake();
    };
    socket.on("end", end);
    socket.on("close", end);
    this.connected = new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    // How a connection was cut makes no difference.
    socket.on("error", () => {});
  }

  /** Whether something comes within this time, in milliseconds. */
  change(patience) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, patience, false);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  #read(isEnd = false) {
    for (let taken = this.#one(isEnd); taken !== undefined; taken = this.#one(isEnd)) {
      this.all.push(taken);
      this.#finals += taken.status >= 200 ? 1 : 0;
    }
  }

  /** @returns {Answer | undefined} */
  #one(isEnd) {
    const end = this.#rest.indexOf(HEAD_END);
    if (end < 0) {
      return undefined;
    }
    const [line, ...lines] = this.#rest.slice(0, end).split("\r\n");
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(line)?.[1] ?? Number.NaN);
    const fields = new Map(lines.map((field) => [field.slice(0, field.indexOf(":")).toLowerCase(), field.slice(field.indexOf(":") + 1).trim()]));
    const body = this.#body(status, fields, this.#rest.slice(end + HEAD_END.length), isEnd);
    if (body === undefined) {
      return undefined;
    }
    this.#rest = body.rest;
    return { status, fields, body: body.text };
  }

  /** @returns {{ text: string, rest: string } | undefined} */
  #body(status, fields, rest, isEnd) {
    if (status < 200 || status === 204 || status === 304 || this.#heads.includes(this.#finals)) {
      return { text: "", rest };
    }
    if (fields.get("transfer-encoding") === "chunked") {
      return unchunked(rest);
    }
    const length = fields.has("content-length") ? Number(fields.get("content-length")) : isEnd ? rest.length : Number.POSITIVE_INFINITY;
    return rest.length < length ? undefined : { text: rest.slice(0, length), rest: rest.slice(length) };
  }
}

/** @param {string} rest */
function unchunked(rest) {
  let text = "";
  for (let at = 0; ;) {
    const line = rest.indexOf("\r\n", at);
    const length = Number.parseInt(rest.slice(at, line), 16);
    const end = line + 2 + length + 2;
    if (line < 0 || Number.isNaN(length) || rest.length < end) {
      return undefined;
    }
    if (length === 0) {
      return { text, rest: rest.slice(end) };
    }
    text += rest.slice(line + 2, line + 2 + length);
    at = end;
  }
}
