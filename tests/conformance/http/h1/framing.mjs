// Where a body ends: RFC 9112, sections 6 and 9.3, and what smugglers make of it.
import { HELLO_IN_CHUNKS, HOST, NEXT, SMUGGLED, SMUGGLED_IN_CHUNKS, head, post } from "./bytes.mjs";

/** @typedef {import("../corpus.mjs").Case} Case */

const REFUSED = ["error close", "close"];
const hello = (...fields) => post(fields, "hello");

/** @type {Case[]} */
const LENGTHS = [
  { name: "length-5", rfc: "9112 6.2", send: hello("Content-Length: 5"), want: ["200"], reads: "hello" },
  { name: "length-0", rfc: "9112 6.2", send: post(["Content-Length: 0"], ""), want: ["200"] },
  { name: "length-missing", rfc: "9112 6.3", send: post([], ""), want: ["200"] },
  { name: "length-list-of-the-same", rfc: "9110 8.6", send: hello("Content-Length: 5, 5"), want: ["200", "error"], reads: "hello" },
  { name: "length-twice-the-same", rfc: "9110 8.6", send: hello("Content-Length: 5", "Content-Length: 5"), want: ["200", "error"], reads: "hello" },
  { name: "length-twice", rfc: "9112 6.3", send: post(["Content-Length: 5", "Content-Length: 6"], "hello!"), want: REFUSED },
  { name: "length-list", rfc: "9112 6.3", send: post(["Content-Length: 5, 6"], "hello!"), want: REFUSED },
  { name: "length-with-zeros", rfc: "9110 8.6", send: hello("Content-Length: 0000005"), want: ["200", "error"], reads: "hello" },
  { name: "length-between-blanks", rfc: "9110 5.5", send: hello("Content-Length: \t 5 \t"), want: ["200"], reads: "hello" },
  { name: "length-with-comma", rfc: "9112 6.3", send: hello("Content-Length: 5,"), want: ["200", "error"], reads: "hello" },
  { name: "length-cut", rfc: "9112 8", send: post(["Content-Length: 10"], "hello"), halfClose: true, want: ["error", "close"] },
];

/** @type {Case[]} */
const BAD_LENGTHS = Object.entries({
  plus: "+5",
  minus: "-5",
  hexadecimal: "0x5",
  "two-numbers": "5 5",
  semicolon: "5;",
  empty: "",
  exponent: "1e1",
  "vertical-tab": "5\x0b",
  decimal: "5.0",
  "beyond-2^64": "18446744073709551621",
  "beyond-2^76": "99999999999999999999999",
  "beyond-2^63": "9223372036854775813",
  "arabic-digit": "\xd9\xa5",
  "no-break-space": "\xa05",
  quoted: '"5"',
  underscore: "5_0",
}).map(([what, value]) => ({ name: `length-${what}`, rfc: "9112 6.3", send: hello(`Content-Length: ${value}`), want: REFUSED }));

const CODINGS = {
  "chunked-twice": "chunked, chunked",
  identity: "identity",
  unknown: "xchunked",
  "vertical-tab-before": "\x0bchunked",
  "form-feed-before": "\x0cchunked",
  "chunked-not-last": "chunked, identity",
  parameter: "chunked;q=1",
  quoted: '"chunked"',
  "word-behind": "chunked x",
  cow: "cow",
  "word-cut": "chunk",
  "no-break-space-before": "\xa0chunked",
  gzip: "gzip",
  "vertical-tab-behind": "chunked\x0b",
};

/** @type {Case[]} */
const BAD_CODINGS = Object.entries(CODINGS).flatMap(([what, value]) => [
  { name: `coding-${what}`, rfc: "9112 6.3", send: post([`Transfer-Encoding: ${value}`], HELLO_IN_CHUNKS), want: REFUSED },
  {
    name: `coding-${what}-and-length`,
    rfc: "9112 6.3",
    send: post(["Content-Length: 5", `Transfer-Encoding: ${value}`], `0\r\n\r\n${SMUGGLED}`),
    want: REFUSED,
  },
]);

const ENDS_AS_CHUNKED = { "gzip-chunked": "gzip, chunked", "identity-chunked": "identity, chunked", "deflate-chunked": "deflate, chunked" };

/** @type {Case[]} */
const CODINGS_BEFORE_CHUNKED = Object.entries(ENDS_AS_CHUNKED).map(([what, value]) => ({
  name: `coding-${what}`,
  rfc: "9112 6.1",
  send: post([`Transfer-Encoding: ${value}`], HELLO_IN_CHUNKS),
  want: ["501 close", "400 close"],
}));

/** @type {Case[]} */
const ODD_CODINGS = [
  { name: "coding-in-upper-case", rfc: "9112 7", send: post(["Transfer-Encoding: CHUNKED"], HELLO_IN_CHUNKS), want: ["200"], reads: "hello" },
  {
    name: "coding-comma-behind",
    rfc: "9110 5.6.1",
    send: post(["Transfer-Encoding: chunked,"], HELLO_IN_CHUNKS),
    want: ["200", "error close", "close"],
    reads: "hello",
  },
  {
    name: "coding-comma-before",
    rfc: "9110 5.6.1",
    send: post(["Transfer-Encoding: ,chunked"], HELLO_IN_CHUNKS),
    want: ["200", "error close", "close"],
    reads: "hello",
  },
  { name: "coding-nul-behind", rfc: "9110 5.5", send: post(["Transfer-Encoding: chunked\x00"], "0\r\n\r\n"), want: ["error"] },
  {
    name: "coding-space-before-colon",
    rfc: "9112 5.1",
    send: post(["Transfer-Encoding : chunked", "Content-Length: 5"], `0\r\n\r\n${SMUGGLED}`),
    want: REFUSED,
  },
  {
    name: "coding-two-fields",
    rfc: "9112 6.1",
    send: post(["Transfer-Encoding: identity", "Transfer-Encoding: chunked"], HELLO_IN_CHUNKS),
    want: ["501 close", "400 close"],
  },
  {
    name: "coding-two-fields-chunked",
    rfc: "9112 6.1",
    send: post(["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], HELLO_IN_CHUNKS),
    want: ["501 close", "400 close"],
  },
  {
    name: "coding-two-fields-chunked-first",
    rfc: "9112 6.3",
    send: post(["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], HELLO_IN_CHUNKS),
    want: REFUSED,
  },
  { name: "coding-folded", rfc: "9112 5.2", send: post(["Transfer-Encoding:", " chunked", "Content-Length: 5"], `0\r\n\r\n${SMUGGLED}`), want: REFUSED },
  {
    name: "coding-folded-behind-lf",
    rfc: "9112 5.2",
    send: post(["X: y\n Transfer-Encoding: chunked", "Content-Length: 5"], `0\r\n\r\n${SMUGGLED}`),
    want: REFUSED,
  },
  {
    name: "coding-http-1.0",
    rfc: "9112 6.1",
    send: head("POST /p HTTP/1.0", HOST, "Transfer-Encoding: chunked", "Connection: keep-alive") + HELLO_IN_CHUNKS + SMUGGLED,
    want: ["any close", "close"],
  },
  { name: "coding-empty-and-length", rfc: "9112 6.3", send: hello("Transfer-Encoding:", "Content-Length: 5"), want: ["200", "error", "close"], reads: "hello" },
];

/** Both are there: RFC 9112, 6.3, lets Transfer-Encoding win, and the connection end. @type {Case[]} */
const BOTH = [
  {
    name: "length-then-coding",
    rfc: "9112 6.3",
    send: post(["Content-Length: 6", "Transfer-Encoding: chunked"], `0\r\n\r\nG${SMUGGLED}`),
    want: ["200 close", ...REFUSED],
  },
  {
    name: "coding-then-length",
    rfc: "9112 6.3",
    send: post(["Transfer-Encoding: chunked", "Content-Length: 4"], HELLO_IN_CHUNKS),
    want: ["200 close", ...REFUSED],
    reads: "hello",
  },
  {
    name: "length-0-then-coding",
    rfc: "9112 6.3",
    send: post(["Content-Length: 0", "Transfer-Encoding: chunked"], SMUGGLED_IN_CHUNKS),
    want: ["200 close", ...REFUSED],
  },
];

/** A body that nobody reads is no request. @type {Case[]} */
const UNREAD = [
  { name: "get-with-body", rfc: "9110 9.3.1", send: head("GET /g HTTP/1.1", HOST, "Content-Length: {smuggled}") + SMUGGLED, want: ["200"] },
  { name: "head-with-body", rfc: "9110 9.3.2", send: head("HEAD /g HTTP/1.1", HOST, "Content-Length: {smuggled}") + SMUGGLED, heads: [0], want: ["200"] },
  {
    name: "unknown-host-with-body",
    rfc: "9112 9.3",
    send: head("POST /x HTTP/1.1", "Host: nosuch.localhost", "Content-Length: {smuggled}") + SMUGGLED,
    want: ["any"],
  },
  { name: "options-with-body", rfc: "9110 9.3.7", send: head("OPTIONS /x HTTP/1.1", HOST, "Content-Length: {smuggled}") + SMUGGLED, want: ["any"] },
  {
    name: "delete-chunked",
    rfc: "9110 9.3.5",
    send: head("DELETE /d HTTP/1.1", HOST, "Transfer-Encoding: chunked") + HELLO_IN_CHUNKS,
    want: ["200"],
    reads: "hello",
  },
  {
    name: "late-body-of-an-early-answer",
    rfc: "9112 9.3",
    send: [head("POST /early HTTP/1.1", HOST, "Content-Length: {smuggled}"), 300, SMUGGLED, 100, NEXT],
    want: ["200 200", "200 close"],
  },
  {
    name: "late-chunks-of-an-early-answer",
    rfc: "9112 9.3",
    send: [head("POST /early HTTP/1.1", HOST, "Transfer-Encoding: chunked"), 300, SMUGGLED_IN_CHUNKS, 100, NEXT],
    want: ["200 200", "200 close"],
  },
  {
    name: "late-body-for-an-unknown-host",
    rfc: "9112 9.3",
    send: [head("POST /x HTTP/1.1", "Host: nosuch.localhost", "Content-Length: {smuggled}"), 300, SMUGGLED, 100, NEXT],
    want: ["any any", "any close"],
  },
];

export default [...LENGTHS, ...BAD_LENGTHS, ...BAD_CODINGS, ...CODINGS_BEFORE_CHUNKED, ...ODD_CODINGS, ...BOTH, ...UNREAD];
