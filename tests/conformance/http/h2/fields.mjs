// Heads of requests: RFC 9113, section 8. What is malformed is a stream's error of type PROTOCOL_ERROR, or answered with 4xx.
import { AUTHORITY, GET, METHOD, PATH, SCHEME, head, headers, data, request, frame, KINDS, END_HEADERS, END_STREAM } from "../frames.mjs";

/** @typedef {import("../h2.mjs").Case} Case */

const MALFORMED = ["malformed"];
/** @param {string} name @param {string} rfc @param {[string, string][]} fields @returns {Case} */
const bad = (name, rfc, fields, more = {}) => ({ name, rfc, send: [headers(1, fields)], want: MALFORMED, ...more });
const get = (...more) => [...GET, ...more];

/** @type {Case[]} */
const NAMES = [
  bad("name-in-upper-case", "9113 8.2.1", get(["X-Up", "1"])),
  bad("name-with-colon", "9113 8.2.1", get(["x:y", "a"])),
  bad("name-with-space", "9113 8.2.1", get(["x y", "a"])),
  bad("name-with-lines", "9113 8.2.1", get(["x\r\ny", "a"])),
  bad("name-with-nul", "9113 8.2.1", get(["x\0y", "a"])),
  bad("name-empty", "9113 8.2.1", get(["", "a"])),
  bad("value-with-lines", "9113 8.2.1", get(["x", "a\r\nhost: evil"])),
  bad("value-with-nul", "9113 8.2.1", get(["x", "a\0b"])),
  bad("value-with-space-before", "9113 8.2.1", get(["x", " a"]), { want: ["malformed", "200"] }),
];

/** @type {Case[]} */
const CONNECTION = [
  bad("connection", "9113 8.2.2", get(["connection", "close"])),
  bad("keep-alive", "9113 8.2.2", get(["keep-alive", "1"])),
  bad("proxy-connection", "9113 8.2.2", get(["proxy-connection", "1"])),
  bad("transfer-encoding", "9113 8.2.2", get(["transfer-encoding", "chunked"])),
  bad("upgrade", "9113 8.2.2", get(["upgrade", "h2c"])),
  bad("te-gzip", "9113 8.2.2", get(["te", "gzip"])),
  { name: "te-trailers", rfc: "9113 8.2.2", send: [headers(1, get(["te", "trailers"]))], want: ["200"] },
];

/** @type {Case[]} */
const PSEUDO = [
  bad("pseudo-behind-others", "9113 8.3", [METHOD, ["x", "y"], SCHEME, AUTHORITY, PATH]),
  bad("method-twice", "9113 8.3", get(METHOD)),
  bad("path-twice", "9113 8.3", get([":path", "/b"])),
  bad("scheme-twice", "9113 8.3", get(SCHEME)),
  bad("authority-twice", "9113 8.3", [METHOD, SCHEME, AUTHORITY, [":authority", "evil.localhost"], PATH]),
  bad("pseudo-unknown", "9113 8.3", [[":foo", "x"], ...GET]),
  bad("pseudo-of-answers", "9113 8.3", [[":status", "200"], ...GET]),
  bad("method-missing", "9113 8.3.1", [SCHEME, AUTHORITY, PATH]),
  bad("scheme-missing", "9113 8.3.1", [METHOD, AUTHORITY, PATH]),
  bad("path-missing", "9113 8.3.1", [METHOD, SCHEME, AUTHORITY]),
  bad("method-empty", "9113 8.3.1", request("", "/")),
  bad("method-smuggles", "9113 8.3.1", request("GET /x HTTP/1.1", "/")),
  bad("path-empty", "9113 8.3.1", request("GET", "")),
  bad("path-without-slash", "9113 8.3.1", request("GET", "x")),
  bad("path-of-another-host", "9113 8.3.1", request("GET", "http://evil.localhost/x")),
  bad("path-smuggles", "9113 8.3.1", request("GET", "/ HTTP/1.1\r\nX: y")),
  bad("path-star", "9113 8.3.1", request("GET", "*")),
  bad("path-with-fragment", "9113 8.3.1", request("GET", "/a#b"), { want: ["malformed", "200"], without: "#" }),
  bad("scheme-ftp", "9113 8.3.1", [METHOD, [":scheme", "ftp"], AUTHORITY, PATH], { want: ["malformed", "200"] }),
];

/** @type {Case[]} */
const AUTHORITIES = [
  bad("authority-and-another-host", "9113 8.3.1", get(["host", "evil.localhost"]), { want: ["malformed", "200"], without: "evil" }),
  bad("authority-and-two-hosts", "9113 8.3.1", get(["host", "{host}"], ["host", "evil.localhost"]), { want: ["malformed", "200"], without: "evil" }),
  bad("authority-with-userinfo", "9113 8.3.1", [METHOD, SCHEME, [":authority", "u@{host}"], PATH]),
  bad("authority-list", "9113 8.3.1", [METHOD, SCHEME, [":authority", "{host},evil"], PATH]),
  bad("authority-missing", "9110 7.2", [METHOD, SCHEME, PATH]),
  { name: "host-for-authority", rfc: "9113 8.3.1", send: [headers(1, [METHOD, SCHEME, PATH, ["host", "{host}"]])], want: ["200"] },
];

/** @type {Case[]} */
const METHODS = [
  bad(
    "connect",
    "9113 8.5",
    [
      [":method", "CONNECT"],
      [":authority", "{host}:80"],
    ],
    { want: ["malformed", "501"] },
  ),
  bad("connect-with-protocol", "8441 4", [[":method", "CONNECT"], [":protocol", "websocket"], SCHEME, PATH, AUTHORITY], { want: ["malformed", "501"] }),
  bad("trace", "9110 9.3.8", request("TRACE", "/"), { want: ["malformed", "501"] }),
];

/** @type {Case[]} */
const LENGTHS = [
  bad("length-without-body", "9113 8.1.1", get(["content-length", "5"])),
  bad("length-word", "9110 8.6", get(["content-length", "abc"])),
  bad("length-twice", "9110 8.6", get(["content-length", "5"], ["content-length", "6"])),
  { name: "body-longer-than-length", rfc: "9113 8.1.1", send: [head(1, request("POST", "/", ["content-length", "3"])), data(1, "hello")], want: MALFORMED },
  { name: "body-shorter-than-length", rfc: "9113 8.1.1", send: [head(1, request("POST", "/", ["content-length", "9"])), data(1, "hello")], want: MALFORMED },
];

/** @type {Case[]} */
const TRAILERS = [
  { name: "trailers", rfc: "9113 8.1", send: [head(1, request("POST", "/")), data(1, "hello", 0), headers(1, [["x-t", "1"]])], want: ["200"], reads: "hello" },
  {
    name: "trailers-with-pseudo",
    rfc: "9113 8.1",
    send: [head(1, request("POST", "/")), data(1, "hello", 0), headers(1, [[":path", "/evil"]])],
    want: MALFORMED,
  },
  {
    name: "trailers-in-upper-case",
    rfc: "9113 8.2.1",
    send: [head(1, request("POST", "/")), data(1, "hello", 0), headers(1, [["X-T", "1"]])],
    want: MALFORMED,
  },
  { name: "trailers-without-end", rfc: "9113 8.1", send: [head(1, request("POST", "/")), data(1, "hello", 0), headers(1, [["x", "1"]], 0)], want: MALFORMED },
  {
    name: "head-in-two-frames",
    rfc: "9113 6.10",
    send: [
      { ...frame(KINDS.HEADERS, END_STREAM, 1), fields: GET.slice(0, 2) },
      { ...frame(KINDS.CONTINUATION, END_HEADERS, 1), fields: GET.slice(2) },
    ],
    want: ["200"],
  },
];

export default [...NAMES, ...CONNECTION, ...PSEUDO, ...AUTHORITIES, ...METHODS, ...LENGTHS, ...TRAILERS];
