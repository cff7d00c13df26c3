// Files that the host serves by itself: ranges and conditions (RFC 9110, sections 13 and 14). `/file.txt` has 5,000 bytes.
import { HOST, NEXT, SMUGGLED, head } from "./bytes.mjs";

/** @typedef {import("../corpus.mjs").Case} Case */

const file = (...fields) => head("GET /file.txt HTTP/1.1", HOST, ...fields);
const all = { "content-length": "5000" };

/** @type {Case[]} */
const CASES = [
  { name: "file", rfc: "9110 15.3.1", send: file(), want: ["200"], fields: { ...all, etag: /^"/, "accept-ranges": "bytes" } },
  { name: "file-head", rfc: "9110 9.3.2", send: head("HEAD /file.txt HTTP/1.1", HOST) + NEXT, heads: [0], want: ["200 200"], fields: all },
  { name: "file-get-with-body", rfc: "9110 9.3.1", send: head("GET /file.txt HTTP/1.1", HOST, "Content-Length: {smuggled}") + SMUGGLED, want: ["200"] },
  {
    name: "file-late-body",
    rfc: "9112 9.3",
    send: [head("POST /file.txt HTTP/1.1", HOST, "Content-Length: {smuggled}"), 300, SMUGGLED, 100, NEXT],
    want: ["any any", "any close"],
  },
  {
    name: "file-post",
    rfc: "9110 15.5.6",
    send: head("POST /file.txt HTTP/1.1", HOST, "Content-Length: 5") + "hello",
    want: ["200", "405"],
    sees: "POST /file.txt",
  },
  { name: "range", rfc: "9110 14.2", send: file("Range: bytes=0-9"), want: ["206"], fields: { "content-range": "bytes 0-9/5000", "content-length": "10" } },
  { name: "range-of-the-end", rfc: "9110 14.1.2", send: file("Range: bytes=-10"), want: ["206"], fields: { "content-range": "bytes 4990-4999/5000" } },
  { name: "range-beyond", rfc: "9110 15.5.17", send: file("Range: bytes=6000-"), want: ["416"], fields: { "content-range": "bytes */5000" } },
  { name: "range-backwards", rfc: "9110 14.1.1", send: file("Range: bytes=9-5"), want: ["200", "416"] },
  { name: "range-of-pages", rfc: "9110 14.2", send: file("Range: pages=1-2"), want: ["200"], fields: all },
  { name: "range-twice", rfc: "9110 14.2", send: file("Range: bytes=0-1,4-5"), want: ["200", "206"] },
  { name: "range-thousand-times", rfc: "9110 14.2", send: file(`Range: bytes=${Array(1_000).fill("0-").join(",")}`), want: ["200", "416"] },
  { name: "range-if-another-version", rfc: "9110 13.1.5", send: file("Range: bytes=0-9", 'If-Range: "nope"'), want: ["200"], fields: all },
  { name: "range-if-a-date", rfc: "9110 13.1.5", send: file("Range: bytes=0-9", "If-Range: Fri, 01 Jan 2100 00:00:00 GMT"), want: ["200"], fields: all },
  { name: "range-of-a-post", rfc: "9110 14.2", send: head("POST /file.txt HTTP/1.1", HOST, "Range: bytes=0-9", "Content-Length: 0"), want: ["200", "405"] },
  { name: "if-none-match-any", rfc: "9110 13.1.2", send: file("If-None-Match: *"), want: ["304"] },
  { name: "if-none-match-other", rfc: "9110 13.1.2", send: file('If-None-Match: "nope"'), want: ["200"], fields: all },
  { name: "if-match-other", rfc: "9110 13.1.1", send: file('If-Match: "nope"'), want: ["412"] },
  { name: "if-match-list-of-others", rfc: "9110 13.1.1", send: file('If-Match: "nope", W/"neither"'), want: ["412"] },
  { name: "if-match-any", rfc: "9110 13.1.1", send: file("If-Match: *"), want: ["200"], fields: all },
  { name: "if-match-before-if-none-match", rfc: "9110 13.2.2", send: file('If-Match: "nope"', "If-None-Match: *"), want: ["412"] },
  { name: "if-match-before-range", rfc: "9110 13.2.2", send: file('If-Match: "nope"', "Range: bytes=0-9"), want: ["412"] },
  { name: "if-modified-since", rfc: "9110 13.1.3", send: file("If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"), want: ["200", "304"] },
  {
    name: "if-unmodified-since-without-a-date",
    rfc: "9110 13.1.4",
    send: file("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT"),
    want: ["200"],
    fields: { "last-modified": null },
  },
  { name: "no-coding-is-acceptable", rfc: "9110 12.5.3", send: file("Accept-Encoding: identity;q=0, *;q=0"), want: ["200", "406"] },
];

export default CASES.map((one) => ({ ...one, of: "host" }));
