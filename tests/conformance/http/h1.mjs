// Runs the corpus of HTTP/1.1: bytes on a connection, and what comes of them.
import net from "node:net";

import chunks from "./h1/chunks.mjs";
import { SMUGGLED } from "./h1/bytes.mjs";
import connections from "./h1/connections.mjs";
import fields from "./h1/fields.mjs";
import files from "./h1/files.mjs";
import framing from "./h1/framing.mjs";
import requestLines from "./h1/request-lines.mjs";
import { fault, standing } from "./corpus.mjs";
import { Answers } from "./answers.mjs";

/** @typedef {import("./corpus.mjs").Case} Case */
/** @typedef {import("./targets.mjs").Target} Target */

/** @type {Case[]} */
export const CASES = [...requestLines, ...fields, ...framing, ...chunks, ...connections, ...files];

/** A case that takes longer has failed: the longest that a right one waits for is the host's patience with unread bodies, 2 s. */
const DEADLINE_MS = 8_000;
/** Where nothing may come, for how long nothing has to come. */
const SILENCE_MS = 300;

/** Asked afterwards, where the connection is still open: its answer has to be the next one. */
const PROBE = "GET /probe HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n";

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** @param {string} text @param {string} host */
function filled(text, host) {
  const smuggled = SMUGGLED.replace("{host}", host).length;
  const values = { host, HOST: host.toUpperCase(), smuggled, "smuggled:x": smuggled.toString(16) };
  return Buffer.from(
    text.replace(/\{(host|HOST|smuggled|smuggled:x)\}/g, (_, name) => values[name]),
    "latin1",
  );
}

/** What is wrong with the answer to one case. @param {Case} one @param {Target} target @returns {Promise<string | undefined>} */
export async function run(one, target) {
  await target.seen();
  const socket = net.connect({ port: target.port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  const answers = new Answers(socket, one.heads ?? []);
  try {
    await answers.connected;
    for (const part of [one.send].flat()) {
      if (typeof part === "number") {
        // The point of the case is that the rest comes late.
        await pause(part);
      } else {
        socket.write(filled(part, target.host));
      }
    }
    if (one.halfClose) {
      socket.end();
    }
    const end = await settled(one, answers, target);
    return fault(one, { answers: answers.all, end, seen: await target.seen() });
  } catch (error) {
    return error.message;
  } finally {
    socket.destroy();
  }
}

/** Waits until it is clear what came, and says how the connection is. @param {Case} one @param {Answers} answers @param {Target} target */
async function settled(one, answers, target) {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const stands = standing(
      one.want,
      answers.all.map(({ status }) => status),
    );
    if (answers.ended) {
      return "close";
    }
    if (stands === "wrong") {
      return "open";
    }
    if (stands === "right") {
      return one.halfClose || one.keepsBody ? "open" : probed(answers, target.host);
    }
    const patience = one.want.includes("open") && answers.all.length === 0 ? SILENCE_MS : deadline - Date.now();
    if (patience <= 0 || !(await answers.change(patience))) {
      return "open";
    }
  }
}

/** Whether the next answer is the one to the next request: takes it from what came, and says how the connection was before it. */
async function probed(answers, host) {
  const before = answers.all.length;
  answers.socket.write(filled(PROBE, host));
  while (!answers.ended && (await answers.change(DEADLINE_MS))) {
    if (answers.all.at(-1)?.body.includes("GET /probe") && answers.all.length === before + 1) {
      answers.all.pop();
      return "open";
    }
  }
  return answers.ended ? "close" : "open";
}
