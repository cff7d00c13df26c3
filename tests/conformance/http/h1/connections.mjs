// Connections and answers: RFC 9112, section 9, RFC 9110, sections 6 to 10.
import { HOST, NEXT, get, head, post } from "./bytes.mjs";

/** @typedef {import("../corpus.mjs").Case} Case */

const expecting = (expectation, path = "/p", version = "HTTP/1.1") => head(`POST ${path} ${version}`, HOST, `Expect: ${expectation}`, "Content-Length: 5");
const line = (text) => head(`${text} HTTP/1.1`, HOST);

/** @type {Case[]} */
const ORDER = [
  {
    name: "pipeline",
    rfc: "9112 9.3.2",
    send: line("GET /1") + head("POST /2 HTTP/1.1", HOST, "Content-Length: 3") + "abc" + line("GET /3"),
    want: ["200 200 200"],
    sees: ["GET /1", "POST /2", "GET /3"],
  },
  { name: "pipeline-with-an-error", rfc: "9112 9.3.2", send: `${line("GET /1")}BAD\r\n\r\n${line("GET /smuggled")}`, want: ["200 400 close"] },
  { name: "pipeline-behind-close", rfc: "9112 9.6", send: get("Connection: close") + line("GET /smuggled"), want: ["200 close"] },
  { name: "half-close", rfc: "9112 9.6", send: line("GET /hc"), halfClose: true, want: ["200 close"] },
  { name: "half-close-with-a-body", rfc: "9112 9.6", send: post(["Content-Length: 5"], "hello"), halfClose: true, want: ["200 close"], reads: "hello" },
  { name: "half-close-before-a-slow-answer", rfc: "9112 9.6", send: line("GET /slow"), halfClose: true, want: ["200 close", "close"] },
];

/** @type {Case[]} */
const EXPECTATIONS = [
  { name: "expect-continue", rfc: "9110 10.1.1", send: [expecting("100-continue"), 300, "hello"], want: ["100 200"], reads: "hello" },
  { name: "expect-continue-in-mixed-case", rfc: "9110 10.1.1", send: [expecting("100-Continue"), 300, "hello"], want: ["100 200"], reads: "hello" },
  { name: "expect-continue-without-body", rfc: "9110 10.1.1", send: get("Expect: 100-continue"), want: ["200", "100 200"] },
  { name: "expect-continue-early-answer", rfc: "9110 10.1.1", send: expecting("100-continue", "/early"), want: ["200", "100 200"], keepsBody: true },
  { name: "expect-something-else", rfc: "9110 10.1.1", send: get("Expect: 200-ok"), want: ["200", "417"] },
  { name: "expect-continue-http-1.0", rfc: "9110 10.1.1", send: [expecting("100-continue", "/p", "HTTP/1.0"), 300, "hello"], want: ["200"], reads: "hello" },
  {
    name: "expect-continue-too-large",
    rfc: "9110 10.1.1",
    send: post(["Expect: 100-continue", "Content-Length: 50000000"], ""),
    want: ["413"],
    of: "host",
    keepsBody: true,
  },
  { name: "too-large", rfc: "9110 15.5.14", send: post(["Content-Length: 50000000"], "x".repeat(1_000)), want: ["413"], of: "host", keepsBody: true },
];

/** @type {Case[]} */
const UPGRADES = [
  { name: "upgrade-h2c", rfc: "9113 3.1", send: get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"), want: ["200"] },
  {
    name: "upgrade-h2c-with-a-body",
    rfc: "9113 3.1",
    send: post(["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__", "Content-Length: 5"], "hello"),
    want: ["200"],
    reads: "hello",
  },
  {
    name: "upgrade-websocket-that-the-app-does-not-take",
    rfc: "6455 4.2.2",
    send: get("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
    want: ["200", "error"],
  },
];

/** @type {Case[]} */
const ANSWERS = [
  { name: "head", rfc: "9110 9.3.2", send: line("HEAD /") + NEXT, heads: [0], want: ["200 200"] },
  { name: "head-of-a-stream", rfc: "9110 9.3.2", send: line("HEAD /stream") + NEXT, heads: [0], want: ["200 200"] },
  { name: "status-204", rfc: "9110 8.6", send: line("GET /204") + NEXT, want: ["204 200"], fields: { "content-length": null, "transfer-encoding": null } },
  { name: "status-304", rfc: "9110 15.4.5", send: line("GET /304") + NEXT, want: ["304 200"], fields: { "transfer-encoding": null } },
  {
    name: "app-has-no-say-in-framing",
    rfc: "9112 6",
    send: line("GET /framed") + NEXT,
    want: ["200 200"],
    body: "hello",
    fields: { "transfer-encoding": null, "keep-alive": null, upgrade: null, trailer: null },
    of: "host",
  },
  { name: "date", rfc: "9110 6.6.1", send: get(), want: ["200"], fields: { date: /GMT$/ } },
  { name: "error-has-an-id", rfc: "9110 15.5", send: head("GET / HTTP/1.1", "Host: a b"), want: ["400"], fields: { "x-request-id": /./ }, of: "host" },
  {
    name: "malformed-has-an-id-and-a-text",
    rfc: "9110 15.5",
    send: "NO REQUEST\r\n\r\n",
    want: ["400 close"],
    fields: { "x-request-id": /./, "content-type": /html/ },
    of: "host",
  },
];

export default [...ORDER, ...EXPECTATIONS, ...UPGRADES, ...ANSWERS];
