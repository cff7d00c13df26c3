// Keys as JSON (RFC 7517).
(function () {
const { core } = __bootstrap;
const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const { atob, btoa } = core.loadExtScript("ext:deno_web/05_base64.js");
const { PREFIX, failure } = core.loadExtScript("ext:vitrine/web/subtle/parameters.js");
const { converters } = webidl;

const texts = ["alg", "crv", "d", "dp", "dq", "e", "k", "kty", "n", "p", "q", "qi", "use", "x", "y"];
const dictionary = webidl.createDictionaryConverter("JsonWebKey", [
  ...texts.map((key) => ({ key, converter: converters.DOMString })),
  { key: "ext", converter: converters.boolean },
  { key: "key_ops", converter: converters["sequence<DOMString>"] },
  { key: "oth", converter: converters.any },
]);

function dataError(message) {
  return failure("DataError", message);
}

function jsonWebKey(value) {
  return dictionary(value, PREFIX, "The JWK");
}

// The bytes of one of its members; no more than `length`, and filled with zeros in front, if that is given.
function bytesOfMember(jwk, name, length = undefined) {
  const text = jwk[name];
  if (text === undefined) throw dataError(`The JWK has no "${name}"`);
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) throw dataError(`"${name}" of the JWK is not base64url`);
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  if (length === undefined) return bytes;
  if (bytes.length > length) throw dataError(`"${name}" of the JWK is too long`);
  const filled = new Uint8Array(length);
  filled.set(bytes, length - bytes.length);
  return filled;
}

function toBase64Url(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

// Throws unless it is of that type, and may be used and exported as asked.
function checkJwk(jwk, kty, use, usages, extractable) {
  if (jwk.kty !== kty) throw dataError(`The "kty" of the JWK must be "${kty}"`);
  if (usages.length > 0 && jwk.use !== undefined && jwk.use !== use) throw dataError(`The "use" of the JWK must be "${use}"`);
  if (jwk.key_ops !== undefined) {
    if (new Set(jwk.key_ops).size !== jwk.key_ops.length) throw dataError('The "key_ops" of the JWK name an operation twice');
    const missing = usages.find((usage) => !jwk.key_ops.includes(usage));
    if (missing !== undefined) throw dataError(`The "key_ops" of the JWK do not allow ${missing}`);
  }
  if (jwk.ext === false && extractable) throw dataError("The JWK says that it can't be extractable");
}

// Throws if it names another algorithm.
function checkAlg(jwk, ...names) {
  if (jwk.alg !== undefined && !names.includes(jwk.alg)) throw dataError(`The "alg" of the JWK must be "${names[0]}"`);
}

return { bytesOfMember, checkAlg, checkJwk, dataError, jsonWebKey, toBase64Url };
})();
