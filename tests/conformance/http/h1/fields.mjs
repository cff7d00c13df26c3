// Header fields: RFC 9110, section 5, RFC 9112, section 5, and the Host field.
import { get, head, HOST, NEXT, post, SMUGGLED } from "./bytes.mjs";

/** @typedef {import("../corpus.mjs").Case} Case */

const host = (...fields) => head("GET / HTTP/1.1", ...fields);
const many = (count) => get(...Array.from({ length: count }, (_, n) => `x${n}: y`));

/** @type {Case[]} */
const HOSTS = [
  { name: "host-missing", rfc: "9112 3.2", send: host(), want: ["400"] },
  { name: "host-twice", rfc: "9112 3.2", send: host(HOST, HOST), want: ["400"] },
  { name: "host-twice-and-different", rfc: "9112 3.2", send: host(HOST, "Host: evil.localhost"), want: ["400"] },
  { name: "host-empty", rfc: "9112 3.2", send: host("Host:"), want: ["error"] },
  { name: "host-userinfo", rfc: "9112 3.2", send: host("Host: user@{host}"), want: ["400"] },
  { name: "host-path", rfc: "9112 3.2", send: host("Host: {host}/evil"), want: ["400"] },
  { name: "host-comma", rfc: "9112 3.2", send: host("Host: {host}, evil"), want: ["400"] },
  { name: "host-port-too-large", rfc: "9112 3.2", send: host("Host: {host}:99999"), want: ["400"] },
  { name: "host-port-word", rfc: "9112 3.2", send: host("Host: {host}:abc"), want: ["400"] },
  { name: "host-port-empty", rfc: "3986 3.2.3", send: host("Host: {host}:"), want: ["200", "400"] },
  { name: "host-space-inside", rfc: "9112 3.2", send: host("Host: {host} evil"), want: ["400"] },
  { name: "host-upper-case", rfc: "9110 4.2.3", send: host("Host: {HOST}"), want: ["200"] },
  { name: "host-final-dot", rfc: "3986 3.2.2", send: host("Host: {host}."), want: ["200", "4xx"] },
  { name: "host-between-tabs", rfc: "9110 5.5", send: host("Host:\t{host}\t"), want: ["200"] },
  { name: "space-before-colon-of-host", rfc: "9112 5.1", send: host("Host : {host}"), want: ["400"] },
  { name: "host-folded", rfc: "9112 5.2", send: host("Host:", " {host}"), want: ["200", "error"] },
];

/** @type {Case[]} */
const NAMES = [
  { name: "space-before-colon", rfc: "9112 5.1", send: get("X-A : b"), want: ["400"] },
  { name: "tab-before-colon", rfc: "9112 5.1", send: get("X-A\t: b"), want: ["400"] },
  { name: "name-empty", rfc: "9112 5", send: get(": x"), want: ["error"] },
  { name: "name-with-brackets", rfc: "9110 5.1", send: get("X-Invalid[]: t"), want: ["error"] },
  { name: "name-with-space", rfc: "9112 5.1", send: get("X A: t"), want: ["error"] },
  { name: "colon-missing", rfc: "9112 5", send: get("garbage"), want: ["error"] },
  { name: "nul-in-name", rfc: "9110 5.1", send: get("X\x00Y: a"), want: ["error"] },
];

/** @type {Case[]} */
const VALUES = [
  { name: "folded", rfc: "9112 5.2", send: get("X-A: b", " folded"), want: ["400"] },
  { name: "nul-in-value", rfc: "9110 5.5", send: get("X: a\x00b"), want: ["error"] },
  { name: "cr-in-value", rfc: "9112 2.2", send: get("X: a\rb"), want: ["error"] },
  { name: "cr-cr-lf", rfc: "9112 2.2", send: get("\r\rX: y"), want: ["error"] },
  { name: "bell-in-value", rfc: "9110 5.5", send: get("X: a\x07b"), want: ["200", "error"] },
  { name: "octets-beyond-ascii-in-value", rfc: "9110 5.5", send: get("X: caf\xe9"), want: ["200"] },
  { name: "empty-value", rfc: "9110 5.5", send: host("hoSt:\t{host}", "empty:"), want: ["200"] },
  { name: "98-fields", rfc: "9110 5.4", send: many(97), want: ["200"] },
  { name: "101-fields", rfc: "6585 5", send: many(100), want: ["431"] },
  { name: "10001-fields", rfc: "6585 5", send: many(10_000), want: ["431", "error close", "close"] },
  { name: "field-of-40000", rfc: "6585 5", send: get(`X: ${"a".repeat(40_000)}`), want: ["431"] },
  { name: "field-of-100000", rfc: "6585 5", send: get(`X: ${"a".repeat(100_000)}`), want: ["431"] },
];

/** What is about one connection, and what a proxy in front says. @type {Case[]} */
const HOPS = [
  { name: "connection-close", rfc: "9112 9.6", send: get("Connection: close") + SMUGGLED, want: ["200 close"], fields: { connection: "close" } },
  { name: "connection-close-in-upper-case", rfc: "9112 9.6", send: get("Connection: CLOSE"), want: ["200 close"] },
  { name: "connection-close-in-a-list", rfc: "9112 9.6", send: get("Connection: foo, close"), want: ["200 close"] },
  { name: "connection-names-a-field", rfc: "9110 7.6.1", send: get("Connection: x-hop, close", "X-Hop: secret"), want: ["200"], without: "secret" },
  { name: "connection-names-host", rfc: "9110 7.6.1", send: get("Connection: host, x-forwarded-for, close"), want: ["200"] },
  {
    name: "forwarded-by-nobody",
    rfc: "7239 8.1",
    send: get("X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil", "Forwarded: for=6.6.6.6;host=evil", "X-Real-IP: 6.6.6.6"),
    want: ["200"],
    without: ["6.6.6.6", "evil"],
  },
  { name: "te-trailers", rfc: "9110 10.1.4", send: get("TE: trailers", "Connection: TE"), want: ["200"] },
  { name: "underscore-is-no-dash", rfc: "9110 5.1", send: post(["Content_Length: 5"], NEXT), want: ["200 200", "error"] },
  {
    name: "underscore-is-no-transfer-encoding",
    rfc: "9110 5.1",
    send: post(["Transfer_Encoding: chunked", "Content-Length: 5"], "hello"),
    want: ["200", "error"],
    reads: "hello",
  },
];

export default [...HOSTS, ...NAMES, ...VALUES, ...HOPS];
