// Errors of a connection: RFC 9113, sections 3 to 6, and RFC 7541. Each ends it with GOAWAY and the code that the document names.
import {
  ACK,
  ENABLE_PUSH,
  END_HEADERS,
  END_STREAM,
  GET,
  INITIAL_WINDOW_SIZE,
  KINDS,
  MAX_FRAME_SIZE,
  PADDED,
  PREFACE,
  data,
  frame,
  head,
  headers,
  number,
  ping,
  priority,
  request,
  reset,
  settings,
  windowUpdate,
} from "../frames.mjs";

/** @typedef {import("../h2.mjs").Case} Case */

/** @param {string} code @param {string[]} others @returns {(name: string, rfc: string, ...send: import("../frames.mjs").Frame[]) => Case} */
const ends =
  (code, ...others) =>
  (name, rfc, ...send) => ({ name, rfc, send, want: [`goaway ${code}`, ...others] });
const protocol = ends("PROTOCOL_ERROR");
const size = ends("FRAME_SIZE_ERROR");
const flow = ends("FLOW_CONTROL_ERROR");
const compression = ends("COMPRESSION_ERROR");
const block = (payload, flags = 0) => frame(KINDS.HEADERS, END_STREAM | END_HEADERS | flags, 1, Buffer.from(payload));

/** @type {Case[]} */
const PREFACES = [
  { name: "settings-missing-in-preface", rfc: "9113 3.4", raw: true, send: [PREFACE, ping()], want: ["goaway PROTOCOL_ERROR", "close"] },
  // Whoever can't tell what it is may close without GOAWAY, and a bad preface on this port is a bad request of HTTP/1.1.
  {
    name: "preface-cut",
    rfc: "9113 3.4",
    raw: true,
    send: [PREFACE.subarray(0, 18), Buffer.from("XX\r\n\r\n"), settings()],
    want: ["goaway PROTOCOL_ERROR", "close"],
  },
  { name: "preface-invalid", rfc: "9113 3.4", raw: true, send: [Buffer.from("INVALID CONNECTION PREFACE\r\n\r\n")], want: ["goaway PROTOCOL_ERROR", "close"] },
];

/** @type {Case[]} */
const SETTINGS = [
  size("settings-of-5", "9113 6.5", frame(KINDS.SETTINGS, 0, 0, Buffer.alloc(5))),
  protocol("settings-of-a-stream", "9113 6.5", frame(KINDS.SETTINGS, 0, 1)),
  size("settings-acknowledged-with-more", "9113 6.5", frame(KINDS.SETTINGS, ACK, 0, Buffer.alloc(6))),
  flow("settings-window-of-2^31", "9113 6.5.2", settings([INITIAL_WINDOW_SIZE, 2 ** 31])),
  protocol("settings-frames-of-100", "9113 6.5.2", settings([MAX_FRAME_SIZE, 100])),
  protocol("settings-frames-of-2^24", "9113 6.5.2", settings([MAX_FRAME_SIZE, 2 ** 24])),
  protocol("settings-push-2", "9113 6.5.2", settings([ENABLE_PUSH, 2])),
  { name: "settings-unknown", rfc: "9113 6.5.2", send: [settings([0xabcd, 5]), headers(1, GET)], want: ["200"] },
];

/** @type {Case[]} */
const SIZES = [
  size("ping-of-7", "9113 6.7", frame(KINDS.PING, 0, 0, "1234567")),
  size("reset-of-3", "9113 6.4", head(1, request("POST", "/")), frame(KINDS.RST_STREAM, 0, 1, Buffer.alloc(3))),
  size("window-update-of-3", "9113 6.9", frame(KINDS.WINDOW_UPDATE, 0, 0, Buffer.from([0, 0, 1]))),
  size("frame-of-20000", "9113 4.2", frame(KINDS.PING, 0, 0, Buffer.alloc(20_000))),
  size("headers-of-17000", "9113 4.2", block(Buffer.alloc(17_000, 0x82))),
  ends("FRAME_SIZE_ERROR", "reset FRAME_SIZE_ERROR")("priority-of-4", "9113 6.3", frame(KINDS.PRIORITY, 0, 1, Buffer.alloc(4))),
  protocol("padding-longer-than-frame", "9113 6.2", block([0xff, 0x82], PADDED)),
  protocol("padding-of-data-longer-than-frame", "9113 6.1", head(1, request("POST", "/")), data(1, "\xffx", END_STREAM | PADDED)),
];

/** @type {Case[]} */
const STREAMS = [
  protocol("ping-of-a-stream", "9113 6.7", frame(KINDS.PING, 0, 3, "12345678")),
  protocol("data-of-no-stream", "9113 6.1", data(0, "x")),
  ends("PROTOCOL_ERROR", "goaway STREAM_CLOSED")("data-of-an-idle-stream", "9113 5.1", data(1, "x")),
  protocol("headers-of-no-stream", "9113 6.2", headers(0, GET)),
  protocol("headers-of-an-even-stream", "9113 5.1.1", headers(2, GET)),
  ends("PROTOCOL_ERROR", "goaway STREAM_CLOSED")("headers-of-a-lower-stream", "9113 5.1.1", headers(5, GET), headers(3, GET)),
  protocol("push-promise", "9113 8.4", { ...frame(KINDS.PUSH_PROMISE, END_HEADERS, 1, number(2, 4)), fields: GET }),
  protocol("reset-of-an-idle-stream", "9113 6.4", reset(7)),
  protocol("reset-of-no-stream", "9113 6.4", reset(0)),
  protocol("priority-of-no-stream", "9113 6.3", priority(0, 1)),
  protocol("window-update-of-an-idle-stream", "9113 5.1", windowUpdate(7, 1)),
  protocol("goaway-of-a-stream", "9113 6.8", frame(KINDS.GOAWAY, 0, 1, Buffer.alloc(8))),
  protocol("window-update-of-0", "9113 6.9", windowUpdate(0, 0)),
  flow("window-beyond-2^31", "9113 6.9.1", windowUpdate(0, 0x7fffffff)),
];

/** @type {Case[]} */
const BLOCKS = [
  compression("index-beyond-the-table", "7541 2.3.3", block([0xff, 0xff, 0xff, 0x7f])),
  compression("index-0", "7541 6.1", block([0x80])),
  compression("huffman-with-the-end", "7541 5.2", block([0x82, 0x87, 0x84, 0x41, 0x84, 0xff, 0xff, 0xff, 0xff])),
  compression("huffman-with-long-padding", "7541 5.2", block([0x82, 0x87, 0x84, 0x41, 0x82, 0xff, 0xff])),
  compression("table-larger-than-allowed", "7541 4.2", block([0x3f, 0xe1, 0xff, 0x7f, 0x82, 0x86, 0x84])),
  compression("table-size-behind-fields", "7541 4.2", block([0x82, 0x86, 0x84, 0x20])),
  compression("block-cut", "7541 5.1", block([0x82, 0x86, 0x84, 0x41, 0x7f])),
  protocol("continuation-alone", "9113 6.10", { ...frame(KINDS.CONTINUATION, END_HEADERS, 1), fields: GET }),
  protocol("another-frame-among-continuations", "9113 6.2", frame(KINDS.HEADERS, END_STREAM, 1, "\x82"), ping()),
  protocol("continuation-of-another-stream", "9113 6.10", frame(KINDS.HEADERS, END_STREAM, 1, "\x82"), frame(KINDS.CONTINUATION, END_HEADERS, 3, "\x87\x84")),
  protocol("frame-unknown-among-continuations", "9113 5.5", frame(KINDS.HEADERS, END_STREAM, 1, "\x82"), frame(0x99, 0, 1, "x")),
];

export default [...PREFACES, ...SETTINGS, ...SIZES, ...STREAMS, ...BLOCKS];
