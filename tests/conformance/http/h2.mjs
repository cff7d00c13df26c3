// Runs the corpus of HTTP/2: frames on a connection, and what comes of them.
import net from "node:net";

import connections from "./h2/connections.mjs";
import fields from "./h2/fields.mjs";
import floods from "./h2/floods.mjs";
import streams from "./h2/streams.mjs";
import { ACK, ERRORS, HEAD_BYTES, KINDS, PREFACE, bytesOf, frame, settings } from "./frames.mjs";
import { Decoder } from "./hpack.mjs";

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string} rfc The number of the document, and its section.
 * @property {(import("./frames.mjs").Frame | Buffer | number | { answered: number })[]} send Behind preface and settings; numbers are pauses in
 *   milliseconds, and what is behind a stream that is to be answered is sent then.
 * @property {string[]} want Any one of these: a status, `4xx`, `reset` or `goaway` with a code or without, `close` without a word, `malformed`
 *   (4xx, or PROTOCOL_ERROR of the stream or the connection), `held` (200, and the body waits for the client's window), or `bounded` (the host takes it or ends the
 *   connection).
 * @property {number} [stream] The one that is looked at, 1 by default.
 * @property {boolean} [raw] Nothing is sent before it.
 * @property {[number, number][]} [settings] Those of the client.
 * @property {boolean} [unread] The client reads nothing meanwhile.
 * @property {boolean} [serves] Afterwards the next client is answered at once.
 * @property {string} [reads] The body that the app reads.
 * @property {number} [bytes] Length of the answer's body.
 * @property {Record<string, null>} [fields] What the answer may not have.
 * @property {string} [contains] What the answer's body has to contain.
 * @property {string} [without] What it may not contain.
 * @property {"host"} [of] What it is about is the host's own, and nothing that Node.js and Deno have.
 */

/** @typedef {{ status?: number, fields: Map<string, string>, body: string, ended: boolean, reset?: string }} Stream */

/** @type {Case[]} */
export const CASES = [...fields, ...connections, ...streams, ...floods];

/** A case that takes longer has failed. */
const DEADLINE_MS = 5_000;
/** Where nothing more may come, for how long nothing has to come. */
const SILENCE_MS = 500;
/** How long the next client may wait. */
const PROMPT_MS = 3_000;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

class Connection {
  /** @type {Map<number, Stream>} */
  streams = new Map();
  /** @type {string | undefined} */
  goaway;
  ended = false;
  #decoder = new Decoder();
  #rest = Buffer.alloc(0);
  #wake = () => {};

  constructor(port) {
    this.socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.on("data", (bytes) => {
      this.#rest = Buffer.concat([this.#rest, bytes]);
      this.#read();
      this.#wake();
    });
    this.socket.on("close", () => {
      this.ended = true;
      this.#wake();
    });
    // How a connection was cut makes no difference.
    this.socket.on("error", () => {});
  }

  /** @param {number} stream @returns {Stream} */
  of(stream) {
    return this.streams.get(stream) ?? this.streams.set(stream, { fields: new Map(), body: "", ended: false }).get(stream);
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

  #read() {
    while (this.#rest.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < end) {
        return;
      }
      const [kind, flags] = [this.#rest[3], this.#rest[4]];
      this.#take(kind, flags, this.#rest.readUInt32BE(5) & 0x7fffffff, this.#rest.subarray(HEAD_BYTES, end));
      this.#rest = this.#rest.subarray(end);
    }
  }

  #take(kind, flags, number, payload) {
    const ends = (flags & 1) !== 0;
    if (kind === KINDS.HEADERS) {
      const stream = this.of(number);
      const fields = this.#decoder.fields(payload);
      const status = Number(fields.find(([name]) => name === ":status")?.[1] ?? stream.status);
      Object.assign(stream, status < 200 ? {} : { status, fields: new Map(fields), ended: ends });
    } else if (kind === KINDS.DATA) {
      this.of(number).body += payload.toString("latin1");
      this.of(number).ended = ends;
    } else if (kind === KINDS.RST_STREAM) {
      this.of(number).reset ??= ERRORS[payload.readUInt32BE(0)];
    } else if (kind === KINDS.GOAWAY) {
      // A host that leaves on its own says NO_ERROR first.
      this.goaway = ERRORS[payload.readUInt32BE(4)];
    } else if ((kind === KINDS.SETTINGS || kind === KINDS.PING) && !ends) {
      this.socket.write(bytesOf(frame(kind, ACK, 0, kind === KINDS.PING ? payload : ""), ""));
    }
  }
}

/** What is wrong with the answer to one case. @param {Case} one @param {import("./targets.mjs").Target} target @returns {Promise<string | undefined>} */
export async function run(one, target) {
  await target.seen();
  const connection = new Connection(target.port);
  try {
    await send(one, connection, target.host);
    const wrong = await settled(one, connection);
    const [seen] = await Promise.all([target.seen(), one.serves ? nextIsServed(target) : undefined]);
    const { status } = connection.of(one.stream ?? 1);
    return wrong ?? (status === 200 && one.reads !== undefined && seen[0]?.body !== one.reads ? `the app read ${JSON.stringify(seen[0]?.body)}` : undefined);
  } catch (error) {
    return error.message;
  } finally {
    connection.socket.destroy();
  }
}

async function send({ send: parts, raw, unread, settings: own = [] }, connection, host) {
  const { socket } = connection;
  if (unread) {
    socket.pause();
  }
  if (!raw) {
    socket.write(PREFACE);
    socket.write(bytesOf(settings(...own), host));
  }
  // Equal frames are encoded once, and all of a flood leaves as fast as it can.
  const known = new Map();
  socket.cork();
  for (const part of parts) {
    if (typeof part === "number") {
      socket.uncork();
      // The point of the case is that the rest comes later.
      await pause(part);
      socket.cork();
    } else if ("answered" in part) {
      socket.uncork();
      while (!connection.of(part.answered).ended && (await connection.change(DEADLINE_MS)));
      socket.cork();
    } else {
      const bytes = Buffer.isBuffer(part) ? part : (known.get(part) ?? known.set(part, bytesOf(part, host)).get(part));
      socket.write(bytes);
    }
  }
  socket.uncork();
}

/** Waits until what came is wanted, or can't become so any more. @param {Case} one @param {Connection} connection */
async function settled(one, connection) {
  const stream = connection.of(one.stream ?? 1);
  const deadline = Date.now() + DEADLINE_MS;
  if (one.want.includes("held") || one.want.includes("bounded")) {
    while (Date.now() < deadline && !connection.ended && (await connection.change(SILENCE_MS)));
  }
  while (!one.want.some((wanted) => isWanted(wanted, stream, connection))) {
    const patience = deadline - Date.now();
    const isOver = connection.ended || (stream.ended && !one.want.some((wanted) => /goaway|reset|close/.test(wanted)));
    if (isOver || patience <= 0) {
      return said(stream, connection);
    }
    await connection.change(patience);
  }
  return bodyFault(one, stream);
}

/** @param {string} wanted @param {Stream} stream @param {Connection} connection */
function isWanted(wanted, { status, ended, reset }, { goaway, ended: closed }) {
  const [word, code] = wanted.split(" ");
  const isError = ended && status >= 400 && status < 500;
  switch (word) {
    case "bounded":
      return true;
    case "held":
      return status === 200 && !ended;
    case "4xx":
      return isError;
    case "malformed":
      return isError || reset === "PROTOCOL_ERROR" || goaway === "PROTOCOL_ERROR";
    case "reset":
      return reset !== undefined && (code === undefined || reset === code);
    case "goaway":
      return goaway !== undefined && (code === undefined || goaway === code);
    case "close":
      return closed && goaway === undefined;
    default:
      return ended && status === Number(word);
  }
}

const said = ({ status, ended, reset }, { goaway, ended: closed }) =>
  [status && `${status}${ended ? "" : " not ended"}`, reset && `reset ${reset}`, goaway && `goaway ${goaway}`, closed ? "close" : "open"]
    .filter(Boolean)
    .join(", ");

/** @param {Case} one @param {Stream} stream */
function bodyFault({ bytes, contains, without, fields: banned = {} }, { body, fields: got }) {
  if (bytes !== undefined && body.length !== bytes) {
    return `a body of ${body.length} bytes`;
  }
  const field = Object.keys(banned).find((name) => got.has(name));
  if (field !== undefined) {
    return `${field}: ${got.get(field)}`;
  }
  const misses = contains !== undefined && !body.includes(contains);
  return misses || (without !== undefined && body.includes(without)) ? `the body ${body.slice(0, 200)}` : undefined;
}

async function nextIsServed(target) {
  const started = Date.now();
  await target.seen();
  if (Date.now() - started > PROMPT_MS) {
    throw new Error(`the next client waited ${Date.now() - started} ms`);
  }
}
