// Frames of HTTP/2 (RFC 9113, sections 4 and 6), good ones and bad ones: how the corpus writes them.
import { encoded } from "./hpack.mjs";

export const KINDS = { DATA: 0, HEADERS: 1, PRIORITY: 2, RST_STREAM: 3, SETTINGS: 4, PUSH_PROMISE: 5, PING: 6, GOAWAY: 7, WINDOW_UPDATE: 8, CONTINUATION: 9 };
export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;
export const PADDED = 8;
export const PRIORITY = 0x20;
export const ERRORS = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED",
];

export const HEAD_BYTES = 9;
export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/**
 * @typedef {object} Frame
 * @property {number} kind
 * @property {number} flags
 * @property {number} stream
 * @property {Buffer} payload Octets, or what stands before `fields`.
 * @property {[string, string][]} [fields] A header block. `{host}` in a value is the app's host name.
 */

/** @param {number} value @param {number} octets */
export function number(value, octets) {
  const buffer = Buffer.alloc(octets);
  buffer.writeUIntBE(value, 0, octets);
  return buffer;
}

/** @param {Frame} frame @param {string} host */
export function bytesOf({ kind, flags, stream, payload, fields = [] }, host) {
  const block = encoded(fields.map(([name, value]) => [name, value.replace("{host}", host)]));
  const head = Buffer.concat([number(payload.length + block.length, 3), Buffer.from([kind, flags]), number(stream, 4)]);
  return Buffer.concat([head, payload, block]);
}

/** @param {string | Buffer} payload @returns {Frame} */
export function frame(kind, flags, stream, payload = "") {
  return { kind, flags, stream, payload: Buffer.from(payload, "latin1") };
}

export const METHOD = [":method", "GET"];
export const SCHEME = [":scheme", "http"];
export const AUTHORITY = [":authority", "{host}"];
export const PATH = [":path", "/"];

/** The fields of a GET of `/`. */
export const GET = [METHOD, SCHEME, AUTHORITY, PATH];
/** Those of another request. @param {string} method @param {string} path @param {[string, string][]} more */
export const request = (method, path, ...more) => [[":method", method], SCHEME, AUTHORITY, [":path", path], ...more];

/** A head, whole in one frame. @param {number} stream @param {[string, string][]} fields @param {number} flags @returns {Frame} */
export const headers = (stream, fields, flags = END_STREAM) => ({ ...frame(KINDS.HEADERS, END_HEADERS | flags, stream), fields });
/** The same of a request with a body. */
export const head = (stream, fields) => headers(stream, fields, 0);

export const data = (stream, payload, flags = END_STREAM) => frame(KINDS.DATA, flags, stream, payload);
export const settings = (...pairs) =>
  frame(KINDS.SETTINGS, 0, 0, Buffer.concat(pairs.map(([name, value]) => Buffer.concat([number(name, 2), number(value, 4)]))));
export const ping = () => frame(KINDS.PING, 0, 0, "12345678");
export const reset = (stream) => frame(KINDS.RST_STREAM, 0, stream, number(8, 4));
export const windowUpdate = (stream, bytes) => frame(KINDS.WINDOW_UPDATE, 0, stream, number(bytes, 4));
export const priority = (stream, on) => frame(KINDS.PRIORITY, 0, stream, Buffer.concat([number(on, 4), Buffer.from([5])]));
export const goaway = () => frame(KINDS.GOAWAY, 0, 0, Buffer.alloc(8));

/** Names of settings. */
export const ENABLE_PUSH = 2;
export const MAX_CONCURRENT_STREAMS = 3;
export const INITIAL_WINDOW_SIZE = 4;
export const MAX_FRAME_SIZE = 5;
