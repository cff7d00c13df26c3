// Asks a worker on its own socket, as the host does: what a page takes without the edge. It speaks just enough of `js-runtime/wire`.
import { once } from "node:events";
import { connect } from "node:net";

const HEADER_BYTES = 12;
const HELLO = 1;
const REQUEST = 2;
const BODY = 5;
const DONE = 7;
const CREDIT = 9;

/** A worker that is silent for longer hangs. */
const SILENCE_MS = 30_000;

/** The version that this file speaks, and a hello begins with. */
export const PROTOCOL = 5;
/** Where the sender's side stands in a hello, behind the version, and the number that means the host. */
const PEER_AT = 1;
const HOST = 0;

/** @param {number} value @returns {number[]} Seven bits a byte, lowest first. */
export function varint(value) {
  const bytes = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

/** @param {Buffer} bytes @param {number} count @returns {number[]} The first numbers in it. */
export function varints(bytes, count) {
  const values = [];
  let at = 0;
  while (values.length < count) {
    let value = 0;
    let scale = 1;
    for (; bytes[at] > 0x7f; at += 1, scale *= 128) {
      value += (bytes[at] & 0x7f) * scale;
    }
    values.push(value + bytes[at] * scale);
    at += 1;
  }
  return values;
}

const text = (value) => Buffer.concat([Buffer.from(varint(Buffer.byteLength(value))), Buffer.from(value)]);

/** @param {number} kind @param {number} stream @param {Buffer} payload */
function frame(kind, stream, payload) {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(payload.length, 0);
  header.writeUInt8(kind, 4);
  header.writeUInt32LE(stream, 8);
  return Buffer.concat([header, payload]);
}

/** The end of the answer need not say what the render read. */
const NO_LEDGER = Buffer.from([0]);

/** @param {string} url */
function requestHead(url) {
  const headers = [text("host"), text(new URL(url).host)];
  // Neither a body nor an upgrade.
  const flags = Buffer.from([0, 0]);
  return Buffer.concat([text("GET"), text(url), Buffer.from(varint(1)), ...headers, flags, text("bench"), NO_LEDGER]);
}

export class WireClient {
  #socket;
  #bytes = Buffer.alloc(0);
  #stream = 0;

  /** @param {string} path The worker's socket for requests. @returns {Promise<WireClient>} One that has said hello. */
  static async open(path) {
    const client = new WireClient();
    client.#socket = connect(path);
    client.#socket.setTimeout(SILENCE_MS, () => client.#socket.destroy(new Error("the worker is silent")));
    // Whoever waits for the next frame sees it too.
    client.#socket.on("error", () => {});
    await once(client.#socket, "connect");
    const { kind, payload } = await client.#frame();
    if (kind !== HELLO) {
      throw new Error(`the worker at ${path} says no hello`);
    }
    if (payload[0] !== PROTOCOL) {
      throw new Error(`the worker speaks protocol ${payload[0]}, the bench ${PROTOCOL}`);
    }
    // It believes of itself what its host believes of it.
    payload[PEER_AT] = HOST;
    client.#socket.write(frame(HELLO, 0, payload));
    return client;
  }

  /**
   * Asks for a page and waits for all of it.
   *
   * @param {string} url
   * @returns {Promise<{ bytes: number, outcome: number, queueUs: number, renderUs: number }>} `outcome` 0 is a page.
   */
  async get(url) {
    this.#stream += 1;
    this.#socket.write(frame(REQUEST, this.#stream, requestHead(url)));
    for (let bytes = 0; ; ) {
      const { kind, payload } = await this.#frame();
      if (kind === BODY) {
        bytes += payload.length;
        this.#socket.write(frame(CREDIT, this.#stream, Buffer.from(varint(payload.length))));
      } else if (kind === DONE) {
        const [outcome, queueUs, renderUs] = varints(payload, 3);
        return { bytes, outcome, queueUs, renderUs };
      }
    }
  }

  close() {
    this.#socket.destroy();
  }

  async #frame() {
    await this.#fill(HEADER_BYTES);
    const end = HEADER_BYTES + this.#bytes.readUInt32LE(0);
    await this.#fill(end);
    const kind = this.#bytes.readUInt8(4);
    const payload = Buffer.from(this.#bytes.subarray(HEADER_BYTES, end));
    this.#bytes = this.#bytes.subarray(end);
    return { kind, payload };
  }

  async #fill(length) {
    while (this.#bytes.length < length) {
      const data = this.#socket.read();
      if (data !== null) {
        this.#bytes = Buffer.concat([this.#bytes, data]);
      } else if (this.#socket.readableEnded || this.#socket.destroyed) {
        throw new Error("the worker closed the connection");
      } else {
        await once(this.#socket, "readable");
      }
    }
  }
}
