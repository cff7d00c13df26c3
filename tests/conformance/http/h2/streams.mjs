// Streams from their first frame to their last: RFC 9113, sections 5 and 6, and what an answer is.
import {
  AUTHORITY,
  END_HEADERS,
  END_STREAM,
  GET,
  INITIAL_WINDOW_SIZE,
  KINDS,
  METHOD,
  PADDED,
  PATH,
  PRIORITY,
  SCHEME,
  data,
  frame,
  goaway,
  head,
  headers,
  number,
  priority,
  request,
  settings,
  windowUpdate,
} from "../frames.mjs";

/** @typedef {import("../h2.mjs").Case} Case */

/** Long enough for what was sent before to have its answer. */
const A_MOMENT_MS = 400;
const get = (path, ...more) => headers(1, request("GET", path, ...more));
const post = (path, ...more) => head(1, request("POST", path, ...more));

/** @type {Case[]} */
const ANSWERS = [
  { name: "get", rfc: "9113 8.1", send: [headers(1, GET)], want: ["200"] },
  { name: "post", rfc: "9113 8.1", send: [post("/"), data(1, "hel", 0), data(1, "lo")], want: ["200"], reads: "hello" },
  { name: "data-with-padding", rfc: "9113 6.1", send: [post("/"), data(1, `\x05hello${"\0".repeat(5)}`, END_STREAM | PADDED)], want: ["200"], reads: "hello" },
  { name: "head", rfc: "9110 9.3.2", send: [headers(1, request("HEAD", "/"))], want: ["200"], bytes: 0 },
  { name: "status-204", rfc: "9110 15.3.5", send: [get("/204")], want: ["204"], bytes: 0, fields: { "content-length": null } },
  { name: "cookies-become-one", rfc: "9113 8.2.3", send: [headers(1, [...GET, ["cookie", "a=1"], ["cookie", "b=2"]])], want: ["200"], contains: "a=1; b=2" },
  {
    name: "app-has-no-say-in-framing",
    rfc: "9113 8.2.2",
    send: [get("/framed")],
    want: ["200"],
    bytes: 5,
    fields: { connection: null, "transfer-encoding": null, "keep-alive": null, upgrade: null },
    of: "host",
  },
  { name: "expect-continue", rfc: "9110 10.1.1", send: [post("/", ["expect", "100-continue"]), A_MOMENT_MS, data(1, "hello")], want: ["200"], reads: "hello" },
  { name: "early-answer", rfc: "9113 8.1", send: [post("/early"), A_MOMENT_MS, data(1, "x".repeat(1_000), 0), headers(3, GET)], want: ["200"], stream: 3 },
  { name: "too-large", rfc: "9110 15.5.14", send: [post("/", ["content-length", "50000000"])], want: ["413"], of: "host" },
  {
    name: "next-after-too-large",
    rfc: "9113 5.1",
    send: [post("/", ["content-length", "50000000"]), A_MOMENT_MS, headers(3, GET)],
    want: ["200"],
    stream: 3,
    of: "host",
  },
  {
    name: "150-fields",
    rfc: "6585 5",
    send: [headers(1, [...GET, ...Array.from({ length: 150 }, (_, n) => [`x${n}`, "y"])])],
    want: ["431", "reset"],
    of: "host",
  },
  {
    name: "fields-of-70-kb",
    rfc: "6585 5",
    send: [
      { ...frame(KINDS.HEADERS, END_STREAM, 1), fields: [...GET, ["x", "a".repeat(14_000)]] },
      ...[1, 2, 3, 4].map((n) => ({ ...frame(KINDS.CONTINUATION, n === 4 ? END_HEADERS : 0, 1), fields: [[`x${n}`, "a".repeat(14_000)]] })),
    ],
    want: ["431", "reset", "goaway"],
    of: "host",
  },
  { name: "goaway-of-the-client", rfc: "9113 6.8", send: [get("/slow"), goaway()], want: ["200"] },
];

/** @type {Case[]} */
const STATES = [
  {
    name: "data-behind-the-end",
    rfc: "9113 5.1",
    send: [get("/slow"), data(1, "x")],
    want: ["reset STREAM_CLOSED", "goaway STREAM_CLOSED", "goaway PROTOCOL_ERROR"],
  },
  {
    name: "headers-behind-the-end",
    rfc: "9113 5.1",
    send: [get("/slow"), headers(1, GET)],
    want: ["reset STREAM_CLOSED", "goaway STREAM_CLOSED", "goaway PROTOCOL_ERROR"],
  },
  { name: "frame-unknown", rfc: "9113 4.1", send: [frame(0x99, 0xff, 0, "abc"), headers(1, GET)], want: ["200"] },
  { name: "flags-unknown", rfc: "9113 4.1", send: [headers(1, GET, END_STREAM | 0x40)], want: ["200"] },
  { name: "priority-on-itself", rfc: "9113 5.3.2", send: [priority(1, 1), headers(3, GET)], want: ["200", "goaway PROTOCOL_ERROR"], stream: 3 },
  {
    name: "headers-with-priority",
    rfc: "9113 6.2",
    send: [{ ...frame(KINDS.HEADERS, END_STREAM | END_HEADERS | PRIORITY, 1, Buffer.concat([number(0, 4), Buffer.from([5])])), fields: GET }],
    want: ["200"],
  },
  {
    name: "headers-with-priority-on-itself",
    rfc: "9113 5.3.2",
    send: [{ ...frame(KINDS.HEADERS, END_STREAM | END_HEADERS | PRIORITY, 1, Buffer.concat([number(1, 4), Buffer.from([5])])), fields: GET }],
    want: ["200", "malformed"],
  },
  {
    name: "headers-with-padding",
    rfc: "9113 6.2",
    send: [frame(KINDS.HEADERS, END_STREAM | END_HEADERS | PADDED, 1, "\x02\x82\x86\x84\x41\x09localhost\0\0")],
    want: ["200", "404"],
  },
  { name: "bit-31-is-ignored", rfc: "9113 4.1", send: [headers(1, [METHOD, SCHEME, AUTHORITY, PATH]), windowUpdate(0, 0x80000001)], want: ["200"] },
  {
    name: "streams-beyond-the-most",
    rfc: "9113 5.1.2",
    send: Array.from({ length: 130 }, (_, n) => head(2 * n + 1, request("POST", "/slow"))),
    want: ["reset REFUSED_STREAM", "reset PROTOCOL_ERROR", "goaway"],
    stream: 259,
    of: "host",
  },
  {
    name: "thousand-requests",
    rfc: "9113 5.1.1",
    send: Array.from({ length: 50 }, (_, round) => [
      ...Array.from({ length: 20 }, (_, n) => headers(2 * (20 * round + n) + 1, request("GET", "/204"))),
      { answered: 40 * round + 39 },
    ]).flat(),
    want: ["204"],
    stream: 1_999,
  },
];

/** @type {Case[]} */
const WINDOWS = [
  {
    name: "window-of-a-stream-beyond-2^31",
    rfc: "9113 6.9.1",
    send: [post("/"), windowUpdate(1, 0x7fffffff)],
    want: ["reset FLOW_CONTROL_ERROR", "goaway FLOW_CONTROL_ERROR"],
  },
  { name: "window-update-of-0-of-a-stream", rfc: "9113 6.9", send: [post("/"), windowUpdate(1, 0)], want: ["reset PROTOCOL_ERROR", "goaway PROTOCOL_ERROR"] },
  { name: "window-0", rfc: "9113 6.9", settings: [[INITIAL_WINDOW_SIZE, 0]], send: [get("/big")], want: ["held"], bytes: 0 },
  { name: "window-1", rfc: "9113 6.9", settings: [[INITIAL_WINDOW_SIZE, 1]], send: [headers(1, GET)], want: ["held"], bytes: 1 },
  {
    name: "window-1-then-more",
    rfc: "9113 6.9",
    settings: [[INITIAL_WINDOW_SIZE, 1]],
    send: [headers(1, GET), A_MOMENT_MS, windowUpdate(1, 100_000)],
    want: ["200"],
  },
  {
    name: "window-shrinks-below-0",
    rfc: "9113 6.9.2",
    settings: [[INITIAL_WINDOW_SIZE, 1_000]],
    send: [get("/big"), A_MOMENT_MS, settings([INITIAL_WINDOW_SIZE, 0]), windowUpdate(1, 500)],
    want: ["held"],
    bytes: 1_000,
  },
  {
    name: "window-0-holds-no-other",
    rfc: "9113 6.9",
    settings: [[INITIAL_WINDOW_SIZE, 0]],
    send: [get("/big"), headers(3, request("GET", "/204"))],
    want: ["204"],
    stream: 3,
  },
  // Behind so much that is not read any more the connection may be cut before its GOAWAY is read.
  {
    name: "data-beyond-the-window",
    rfc: "9113 6.9.1",
    send: [post("/slow"), ...Array(400).fill(data(1, "x".repeat(16_384), 0))],
    want: ["reset FLOW_CONTROL_ERROR", "goaway FLOW_CONTROL_ERROR", "close"],
    of: "host",
  },
];

export default [...ANSWERS, ...STATES, ...WINDOWS];
