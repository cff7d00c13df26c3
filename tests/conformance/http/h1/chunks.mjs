// The chunked coding: RFC 9112, section 7.1.
import { HELLO_IN_CHUNKS, SMUGGLED, chunked } from "./bytes.mjs";

/** @typedef {import("../corpus.mjs").Case} Case */

const REFUSED = ["error close", "close"];
/** A first chunk with this line, then the last one. */
const sized = (line) => chunked(`${line}\r\nhello\r\n0\r\n\r\n`);

/** @type {Case[]} */
const GOOD = [
  { name: "chunks", rfc: "9112 7.1", send: chunked(HELLO_IN_CHUNKS), want: ["200"], reads: "hello" },
  { name: "chunk-size-in-upper-case", rfc: "9112 7.1", send: chunked("A\r\nhellohello\r\n0\r\n\r\n"), want: ["200"], reads: "hellohello" },
  { name: "chunk-size-with-zeros", rfc: "9112 7.1", send: sized("0000005"), want: ["200", "error"], reads: "hello" },
  { name: "chunk-size-and-space", rfc: "9112 7.1.1", send: sized("5 "), want: ["200", ...REFUSED], reads: "hello" },
  { name: "chunk-trailers", rfc: "9112 7.1.2", send: chunked("5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"), want: ["200"], reads: "hello" },
  {
    name: "chunk-trailers-that-are-no-trailers",
    rfc: "9110 6.5.1",
    send: chunked("5\r\nhello\r\n0\r\nHost: evil\r\nContent-Length: 99\r\nAuthorization: evil\r\n\r\n"),
    want: ["200", "error"],
    reads: "hello",
    without: "evil",
  },
  {
    name: "chunk-trailer-with-space-in-its-name",
    rfc: "9112 5.1",
    send: chunked("5\r\nhello\r\n0\r\nX T: 1\r\n\r\n"),
    want: ["200", "error", "close"],
    reads: "hello",
  },
  {
    name: "chunk-trailers-of-200-kb",
    rfc: "9112 7.1.2",
    send: chunked(`0\r\n${Array.from({ length: 2_000 }, (_, n) => `x${n}: ${"y".repeat(100)}\r\n`).join("")}\r\n`),
    want: ["any", "close"],
  },
];

/** @type {Case[]} */
const EXTENSIONS = [
  { name: "extension", rfc: "9112 7.1.1", send: chunked("5;a=b\r\nhello\r\n0;c\r\n\r\n"), want: ["200"], reads: "hello" },
  { name: "extension-with-blanks", rfc: "9112 7.1.1", send: sized("5 ; a = b"), want: ["200", "error"], reads: "hello" },
  { name: "extension-quoted", rfc: "9112 7.1.1", send: sized('5;a="b;c"'), want: ["200"], reads: "hello" },
  { name: "extension-ends-with-lf", rfc: "9112 7.1", send: chunked("5;a\nhello\r\n0\r\n\r\n"), want: REFUSED },
  { name: "extension-ends-with-lf-smuggles", rfc: "9112 7.1", send: chunked(`2;\nxx\r\n{smuggled:x}\r\n0\r\n\r\n${SMUGGLED}\r\n0\r\n\r\n`), want: REFUSED },
  { name: "extension-with-cr", rfc: "9112 2.2", send: sized("5;a\rb"), want: REFUSED },
  { name: "extension-with-nul", rfc: "9112 7.1.1", send: sized("5;a\x00"), want: REFUSED },
  { name: "extension-of-20000", rfc: "9112 7.1.1", send: sized(`5;a=${"b".repeat(20_000)}`), want: ["200", ...REFUSED], reads: "hello" },
  { name: "extensions-of-3000-chunks", rfc: "9112 7.1.1", send: chunked(`${`1;${"a".repeat(32)}\r\nx\r\n`.repeat(3_000)}0\r\n\r\n`), want: ["any", "close"] },
];

/** @type {Case[]} */
const LINES = [
  { name: "chunks-with-lf", rfc: "9112 7.1", send: chunked("5\nhello\n0\n\n"), want: REFUSED },
  { name: "chunk-size-ends-with-lf", rfc: "9112 7.1", send: chunked("5\nhello\r\n0\r\n\r\n"), want: REFUSED },
  { name: "chunk-data-ends-with-lf", rfc: "9112 7.1", send: chunked("5\r\nhello\n0\r\n\r\n"), want: REFUSED },
  { name: "chunk-data-ends-with-cr", rfc: "9112 7.1", send: chunked("5\r\nhello\r0\r\n\r\n"), want: REFUSED },
  { name: "last-chunk-ends-with-lf", rfc: "9112 7.1", send: chunked("5\r\nhello\r\n0\n\n"), want: REFUSED },
  { name: "chunks-end-with-lf", rfc: "9112 7.1", send: chunked("5\r\nhello\r\n0\r\n\n"), want: ["200", "open", ...REFUSED] },
  { name: "chunk-data-without-end", rfc: "9112 7.1", send: chunked("5\r\nhello0\r\n\r\n"), want: REFUSED },
  { name: "chunk-data-longer", rfc: "9112 7.1", send: chunked("5\r\nhello!!\r\n0\r\n\r\n"), want: REFUSED },
];

const SIZES = {
  "0x": "0x5",
  plus: "+5",
  minus: "-5",
  "space-before": " 5",
  empty: "",
  word: "hello",
  "not-hexadecimal": "5g",
  underscore: "0_5",
  decimal: "5.0",
  "vertical-tab": "5\x0b",
  comma: "5,5",
  "tab-before": "\t5",
};

/** @type {Case[]} */
const BAD_SIZES = [
  ...Object.entries(SIZES).map(([what, size]) => ({ name: `chunk-size-${what}`, rfc: "9112 7.1", send: sized(size), want: REFUSED })),
  { name: "chunk-size-2^64+5", rfc: "9112 7.1", send: sized("10000000000000005"), want: REFUSED },
  { name: "chunk-size-2^64-1", rfc: "9112 7.1", send: sized("ffffffffffffffff"), want: ["open", ...REFUSED] },
  { name: "chunk-size-2^32+5", rfc: "9112 7.1", send: chunked(`100000005\r\nhello\r\n0\r\n\r\n${SMUGGLED}`), want: ["open", ...REFUSED] },
];

/** @type {Case[]} */
const CUT = [
  { name: "chunk-cut", rfc: "9112 8", send: chunked("5\r\nhel"), halfClose: true, want: ["error", "close"] },
  { name: "last-chunk-missing", rfc: "9112 8", send: chunked("5\r\nhello\r\n"), halfClose: true, want: ["error", "close"] },
];

export default [...GOOD, ...EXTENSIONS, ...LINES, ...BAD_SIZES, ...CUT];
