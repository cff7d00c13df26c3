// The request line: RFC 9112, section 3, and what RFC 9110 says of methods, versions and targets.
import { get, head, HOST } from "./bytes.mjs";

/** @typedef {import("../corpus.mjs").Case} Case */

const line = (text) => head(text, HOST);
const target = (text) => line(`GET ${text} HTTP/1.1`);

/** @type {Case[]} */
const VERSIONS = [
  { name: "get", rfc: "9112 3", send: get(), want: ["200"] },
  { name: "http-1.2", rfc: "9110 2.5", send: line("GET / HTTP/1.2"), want: ["200", "505"] },
  { name: "http-1.9", rfc: "9110 2.5", send: line("GET / HTTP/1.9"), want: ["200", "505"] },
  { name: "http-2.0-line", rfc: "9110 15.6.6", send: line("GET / HTTP/2.0"), want: ["error"] },
  { name: "http-9.9", rfc: "9110 15.6.6", send: line("GET / HTTP/9.9"), want: ["error"] },
  { name: "http-0.9", rfc: "9112 3", send: "GET /\r\n", want: ["error", "close"] },
  { name: "http-1.0-without-host", rfc: "9112 9.3", send: head("GET / HTTP/1.0"), want: ["any close"] },
  { name: "http-1.0-with-host", rfc: "9112 9.3", send: line("GET / HTTP/1.0"), want: ["200 close"] },
  { name: "http-1.0-keep-alive", rfc: "9112 9.3", send: head("GET / HTTP/1.0", HOST, "Connection: keep-alive"), want: ["200"] },
  { name: "http-1.0-stream-is-not-chunked", rfc: "9112 6.1", send: line("GET /stream HTTP/1.0"), want: ["200 close"], fields: { "transfer-encoding": null } },
  { name: "version-in-lower-case", rfc: "9112 2.3", send: line("GET / http/1.1"), want: ["error"] },
  { name: "version-missing", rfc: "9112 3", send: line("GET / "), want: ["error"] },
  { name: "version-with-more-behind", rfc: "9112 3", send: line("GET / HTTP/1.1x"), want: ["error"] },
  { name: "version-1.10", rfc: "9112 2.3", send: line("GET / HTTP/1.10"), want: ["error"] },
];

/** @type {Case[]} */
const SPACES = [
  { name: "line-before", rfc: "9112 2.2", send: `\r\n${get()}`, want: ["200"] },
  { name: "lines-before", rfc: "9112 2.2", send: `${"\r\n".repeat(5)}${get()}`, want: ["200", "error"] },
  { name: "double-space", rfc: "9112 3", send: line("GET  / HTTP/1.1"), want: ["200", "error"] },
  { name: "tabs-for-spaces", rfc: "9112 3", send: line("GET\t/\tHTTP/1.1"), want: ["200", "error"] },
  { name: "space-behind", rfc: "9112 3", send: line("GET / HTTP/1.1 "), want: ["200", "error"] },
  { name: "junk-before", rfc: "9112 3", send: `Extra line${get()}`, want: ["error"] },
  { name: "cr-alone", rfc: "9112 2.2", send: "GET / HTTP/1.1\rHost: {host}\r\r", want: ["error", "open", "close"] },
  { name: "lf-alone", rfc: "9112 2.2", send: "GET /lf HTTP/1.1\nHost: {host}\n\n", want: ["200", "error"] },
  { name: "space-before-first-field", rfc: "9112 2.2", send: head("GET / HTTP/1.1", " X: folded", HOST), want: ["200", "error"], without: "folded" },
];

/** @type {Case[]} */
const METHODS = [
  { name: "method-in-lower-case", rfc: "9110 9.1", send: line("get /lower HTTP/1.1"), want: ["200", "error"], sees: "get /lower" },
  { name: "method-unknown", rfc: "9110 9.1", send: line("FOO /x HTTP/1.1"), want: ["200", "error"], sees: "FOO /x" },
  { name: "method-long", rfc: "9110 9.1", send: line(`${"A".repeat(5_000)} / HTTP/1.1`), want: ["200", "error"] },
  { name: "method-no-token", rfc: "9110 5.6.2", send: line("GE(T / HTTP/1.1"), want: ["error"] },
  { name: "connect", rfc: "9110 9.3.6", send: line("CONNECT {host}:80 HTTP/1.1"), want: ["error"] },
  { name: "connect-path", rfc: "9110 9.3.6", send: line("CONNECT /x HTTP/1.1"), want: ["error"] },
  { name: "trace", rfc: "9110 9.3.8", send: head("TRACE / HTTP/1.1", HOST, "Cookie: s=secret"), want: ["error"], without: "secret" },
  { name: "options-star", rfc: "9110 9.3.7", send: line("OPTIONS * HTTP/1.1"), want: ["200", "204", "4xx", "501"] },
  { name: "get-star", rfc: "9112 3.2.4", send: target("*"), want: ["error"] },
];

/** @type {Case[]} */
const TARGETS = [
  { name: "absolute-form", rfc: "9112 3.2.2", send: target("http://{host}/abs"), want: ["200"], sees: "GET /abs" },
  {
    name: "absolute-form-and-another-host",
    rfc: "9112 3.2.2",
    send: head("GET http://{host}/abs2 HTTP/1.1", "Host: nosuch.localhost"),
    want: ["200", "400"],
    sees: "GET /abs2",
  },
  { name: "absolute-form-of-a-foreign-host", rfc: "9112 3.2.2", send: target("http://nosuch.localhost/abs3"), want: ["error"] },
  { name: "absolute-form-https", rfc: "9110 7.4", send: target("https://{host}/abs4"), want: ["200", "error"] },
  { name: "absolute-form-ftp", rfc: "9110 7.4", send: target("ftp://{host}/abs5"), want: ["200", "error"] },
  { name: "absolute-form-userinfo", rfc: "9110 4.2.4", send: target("http://evil@{host}/abs6"), want: ["error"] },
  { name: "authority-form-get", rfc: "9112 3.2.3", send: target("{host}:80"), want: ["error"] },
  { name: "fragment", rfc: "9112 3.2", send: target("/a#frag"), want: ["200", "error"], sees: "GET /a" },
  { name: "space-in-target", rfc: "9112 3.2", send: target("/a b"), want: ["error"] },
  { name: "octets-beyond-ascii", rfc: "3986 2.1", send: target("/\xc3\xa9\xff"), want: ["200", "error"] },
  { name: "control-in-target", rfc: "9112 3.2", send: target("/a\x01b"), want: ["error"] },
  { name: "nul-in-target", rfc: "9112 3.2", send: target("/a\x00b"), want: ["error"] },
  { name: "del-in-target", rfc: "9112 3.2", send: target("/a\x7fb"), want: ["200", "error"] },
  { name: "target-of-15000", rfc: "9110 4.1", send: target(`/${"a".repeat(15_000)}`), want: ["200"] },
  { name: "target-of-20000", rfc: "9110 4.1", send: target(`/${"a".repeat(20_000)}`), want: ["200", "414"] },
  { name: "target-of-200000", rfc: "9110 4.1", send: target(`/${"a".repeat(200_000)}`), want: ["error", "close"] },
  { name: "dots", rfc: "3986 5.2.4", send: target("/../../etc/passwd"), want: ["200", "error"], without: "root:" },
  { name: "dots-escaped", rfc: "3986 5.2.4", send: target("/%2e%2e/%2e%2e/etc/passwd"), want: ["200", "error"], without: "root:" },
  { name: "two-slashes-are-a-path", rfc: "3986 3.3", send: target("//evil.example/x"), want: ["200", "error"], sees: "GET //evil.example/x" },
  { name: "backslash", rfc: "3986 3.3", send: target("/\\evil.example"), want: ["200", "error"] },
];

/** Nothing is answered before the head is whole. @type {Case[]} */
const PARTS = [
  "G",
  "GET ",
  "GET /h",
  "GET /h HTTP",
  "GET /h HTTP/1.1",
  "GET /h HTTP/1.1\r\n",
  "GET /h HTTP/1.1\r\nHos",
  "GET /h HTTP/1.1\r\nHost: {host}\r\n",
  "GET /h HTTP/1.1\r\nHost: {host}\r\n\r",
].map((send, at) => ({ name: `part-${at + 1}`, rfc: "9112 2.1", send, want: ["open"] }));

export default [...VERSIONS, ...SPACES, ...METHODS, ...TARGETS, ...PARTS];
