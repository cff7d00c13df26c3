// Much of something at once: the connection ends for it, or it costs little, and the next client is served at once.
import {
  END_HEADERS,
  END_STREAM,
  GET,
  KINDS,
  MAX_CONCURRENT_STREAMS,
  data,
  frame,
  head,
  headers,
  ping,
  priority,
  request,
  reset,
  settings,
  windowUpdate,
} from "../frames.mjs";

/** @typedef {import("../h2.mjs").Case} Case */

const times = (count, make) => Array.from({ length: count }, (_, n) => make(n)).flat();
const ENDS = ["goaway ENHANCE_YOUR_CALM", "goaway PROTOCOL_ERROR", "goaway COMPRESSION_ERROR", "goaway FRAME_SIZE_ERROR", "close"];
const slow = (n) => headers(2 * n + 1, request("GET", "/slow"));
const open = frame(KINDS.HEADERS, END_STREAM, 1, "\x82");
const literal = `\x00\x01a\x7f\x80\x01${"b".repeat(255)}`.repeat(60);

/** A field of 4,000 octets that goes into the table, then a reference to it, 4,000 times. */
const BOMB = Buffer.concat([
  Buffer.from([0x82, 0x86, 0x84, 0x41, 9]),
  Buffer.from("localhost"),
  Buffer.from([0x40, 1, 0x61, 0x7f, 0xa1, 0x1e]),
  Buffer.alloc(4_000, "v"),
  Buffer.alloc(4_000, 0xbe),
]);

/** @type {Case[]} */
const CASES = [
  { name: "empty-continuations", rfc: "9113 10.5", send: [open, ...Array(4_000).fill(frame(KINDS.CONTINUATION, 0, 1))], want: ENDS },
  { name: "continuations-of-5-mb", rfc: "9113 10.5", send: [open, ...Array(320).fill(frame(KINDS.CONTINUATION, 0, 1, literal))], want: ENDS },
  { name: "hpack-bomb", rfc: "9113 10.5.1", send: [frame(KINDS.HEADERS, END_STREAM | END_HEADERS, 1, BOMB)], want: ["4xx", "reset", "goaway"] },
  { name: "rapid-resets", rfc: "9113 10.5", send: times(3_000, (n) => [slow(n), reset(2 * n + 1)]), want: ENDS },
  { name: "resets-by-window-updates", rfc: "9113 10.5", send: times(3_000, (n) => [slow(n), windowUpdate(2 * n + 1, 0)]), want: ENDS },
  { name: "settings", rfc: "9113 10.5", send: Array(20_000).fill(settings([MAX_CONCURRENT_STREAMS, 100])), want: ["bounded"] },
  { name: "settings-unread", rfc: "9113 10.5", unread: true, send: Array(100_000).fill(settings()), want: ["bounded"] },
  { name: "pings-unread", rfc: "9113 10.5", unread: true, send: Array(100_000).fill(ping()), want: ["bounded"] },
  { name: "empty-data", rfc: "9113 10.5", send: [head(1, request("POST", "/slow")), ...Array(20_000).fill(data(1, "", 0))], want: ["bounded"] },
  { name: "resets-of-a-closed-stream", rfc: "9113 10.5", send: [headers(1, GET), 300, ...Array(5_000).fill(reset(1))], want: ["bounded"] },
  {
    name: "priorities",
    rfc: "9113 10.5",
    send: [...times(20_000, (n) => priority(1 + 2 * (n % 500), 1 + 2 * ((n + 1) % 500))), headers(2_001, GET)],
    want: ["200", "goaway"],
    stream: 2_001,
  },
];

export default CASES.map((one) => ({ ...one, serves: true }));
