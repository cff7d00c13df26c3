// From the formats that keys travel in to what is kept of them, and back.
(function () {
const { core } = __bootstrap;
const { op_public_key } = core.ops;
const der = core.loadExtScript("ext:vitrine/der.js");
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
const { atob, btoa } = core.loadExtScript("ext:deno_web/05_base64.js");

const OBJECT_IDS = {
  ec: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
  "P-256": [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
  "P-384": [0x2b, 0x81, 0x04, 0x00, 0x22],
  rsa: [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01],
  Ed25519: [0x2b, 0x65, 0x70],
};
// Bytes of a coordinate of each curve.
const COORDINATE_BYTES = { "P-256": 32, "P-384": 48 };

function dataError(message) {
  return new DOMException(message, "DataError");
}

function fromBase64Url(text) {
  if (typeof text !== "string") throw dataError("A part of the JWK is missing");
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}

function toBase64Url(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

// The AlgorithmIdentifier of a scheme: { kind: "ec" | "rsa" | "Ed25519", curve }.
function identifier({ kind, curve }) {
  const parts = { ec: () => [der.write(der.OBJECT_ID, OBJECT_IDS[curve])], rsa: () => [der.write(der.NULL)], Ed25519: () => [] };
  return der.write(der.SEQUENCE, der.write(der.OBJECT_ID, OBJECT_IDS[kind]), ...parts[kind]());
}

function sameBytes(left, right) {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

function checkIdentifier(scheme, found) {
  const expected = der.contentOf(identifier(scheme), der.SEQUENCE);
  // RSA's NULL may be left out, and RSA-PSS has parameters of its own.
  const same = scheme.kind === "rsa" ? sameBytes(found.subarray(0, 11), expected.subarray(0, 11)) : sameBytes(found, expected);
  if (!same) throw dataError("The key is for another algorithm");
}

// What the BIT STRING of an SPKI holds.
function fromSpki(scheme, bytes) {
  const [algorithm, key] = der.items(der.contentOf(bytes, der.SEQUENCE));
  checkIdentifier(scheme, algorithm.content);
  if (key?.tag !== der.BIT_STRING) throw dataError("The key is not an SPKI");
  return key.content.slice(1);
}

function toSpki(scheme, material) {
  return der.write(der.SEQUENCE, identifier(scheme), der.write(der.BIT_STRING, [0], material));
}

function fromPkcs8(scheme, bytes) {
  const [, algorithm] = der.items(der.contentOf(bytes, der.SEQUENCE));
  if (algorithm === undefined) throw dataError("The key is not PKCS #8");
  checkIdentifier(scheme, algorithm.content);
  return bytes.slice();
}

function pkcs8(scheme, key) {
  return der.write(der.SEQUENCE, der.write(der.INTEGER, [0]), identifier(scheme), der.write(der.OCTET_STRING, key));
}

function padded(bytes, length) {
  if (bytes.length > length) throw dataError("A part of the JWK is too long");
  return der.joined([new Uint8Array(length - bytes.length), bytes]);
}

function point(scheme, jwk) {
  const length = COORDINATE_BYTES[scheme.curve];
  return der.joined([[4], padded(fromBase64Url(jwk.x), length), padded(fromBase64Url(jwk.y), length)]);
}

// { type, material } of a JWK of an asymmetric key.
function fromJwk(scheme, jwk) {
  const kty = { ec: "EC", rsa: "RSA", Ed25519: "OKP" }[scheme.kind];
  const crv = { ec: scheme.curve, Ed25519: "Ed25519" }[scheme.kind];
  if (jwk.kty !== kty || jwk.crv !== crv) throw dataError(`The JWK must have the kty ${kty}${crv === undefined ? "" : ` and the crv ${crv}`}`);
  const isPrivate = jwk.d !== undefined;
  const of = (...names) => names.map((name) => der.unsigned(fromBase64Url(jwk[name])));
  if (scheme.kind === "rsa") {
    if (!isPrivate) return { type: "public", material: der.write(der.SEQUENCE, ...of("n", "e")) };
    const key = der.write(der.SEQUENCE, der.write(der.INTEGER, [0]), ...of("n", "e", "d", "p", "q", "dp", "dq", "qi"));
    return { type: "private", material: pkcs8(scheme, key) };
  }
  if (scheme.kind === "Ed25519") {
    if (!isPrivate) return { type: "public", material: fromBase64Url(jwk.x) };
    return { type: "private", material: pkcs8(scheme, der.write(der.OCTET_STRING, fromBase64Url(jwk.d))) };
  }
  const publicPoint = point(scheme, jwk);
  if (!isPrivate) return { type: "public", material: publicPoint };
  const secret = der.write(der.OCTET_STRING, padded(fromBase64Url(jwk.d), COORDINATE_BYTES[scheme.curve]));
  const key = der.write(der.SEQUENCE, der.write(der.INTEGER, [1]), secret, der.write(0xa1, der.write(der.BIT_STRING, [0], publicPoint)));
  return { type: "private", material: pkcs8(scheme, key) };
}

const trimmed = (bytes) => (bytes[0] === 0 && bytes.length > 1 ? bytes.subarray(1) : bytes);

// The parts of the JWK of an asymmetric key.
function toJwk(scheme, name, type, material) {
  const publicPart = type === "public" ? material : op_public_key(name, material);
  const inner = type === "public" ? null : der.items(der.contentOf(material, der.SEQUENCE))[2].content;
  if (scheme.kind === "rsa") {
    const [n, e] = der.items(der.contentOf(publicPart, der.SEQUENCE)).map(({ content }) => toBase64Url(trimmed(content)));
    if (inner === null) return { kty: "RSA", n, e };
    const numbers = der.items(der.contentOf(inner, der.SEQUENCE)).slice(3).map(({ content }) => toBase64Url(trimmed(content)));
    const [d, p, q, dp, dq, qi] = numbers;
    return { kty: "RSA", n, e, d, p, q, dp, dq, qi };
  }
  if (scheme.kind === "Ed25519") {
    const secret = inner === null ? {} : { d: toBase64Url(der.contentOf(inner, der.OCTET_STRING)) };
    return { kty: "OKP", crv: "Ed25519", x: toBase64Url(publicPart), ...secret };
  }
  const length = COORDINATE_BYTES[scheme.curve];
  const [x, y] = [publicPart.subarray(1, 1 + length), publicPart.subarray(1 + length)].map(toBase64Url);
  const secret = inner === null ? {} : { d: toBase64Url(der.items(der.contentOf(inner, der.SEQUENCE))[1].content) };
  return { kty: "EC", crv: scheme.curve, x, y, ...secret };
}

return { dataError, fromBase64Url, fromJwk, fromPkcs8, fromSpki, toBase64Url, toJwk, toSpki };
})();
