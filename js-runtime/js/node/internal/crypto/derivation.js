// Keys from passwords and secrets: pbkdf2, scrypt, hkdf of node:crypto.
(function () {
const { core } = __bootstrap;
const { op_hkdf, op_scrypt } = core.ops;
const steps = core.loadExtScript("ext:vitrine/web/crypto_steps.js");
const { DIGEST_BYTES, answer, bufferOf, bytesOf, checkFunction, checkInteger, checkString, errors, hashNamed } =
  core.loadExtScript("ext:vitrine/node/internal/crypto/shared.js");

const LENGTH_MAX = 2 ** 31 - 1;

// Memory that scrypt takes unless more is allowed, in bytes: that of Node.js.
const SCRYPT_MEMORY = 32 << 20;

function digestNamed(name) {
  checkString(name, "digest");
  const hash = hashNamed(name);
  if (hash === undefined) throw new errors.ERR_CRYPTO_INVALID_DIGEST(name);
  return hash;
}

// Checks at once, and gives what does the work.
function preparePbkdf2(password, salt, iterations, keylen, digest) {
  const hash = digestNamed(digest);
  const [secret, grain] = [bytesOf(password, "password"), bytesOf(salt, "salt")];
  checkInteger(iterations, "iterations", 1, LENGTH_MAX);
  checkInteger(keylen, "keylen", 0, LENGTH_MAX);
  return () => bufferOf(steps.pbkdf2(hash, secret, grain, iterations, keylen));
}

function pbkdf2Sync(password, salt, iterations, keylen, digest) {
  return preparePbkdf2(password, salt, iterations, keylen, digest)();
}

function pbkdf2(password, salt, iterations, keylen, digest, callback) {
  if (typeof digest === "function") throw new errors.ERR_INVALID_ARG_TYPE("digest", "string", undefined);
  const derive = preparePbkdf2(password, salt, iterations, keylen, digest);
  checkFunction(callback, "callback");
  answer(callback, derive);
}

function prepareScrypt(password, salt, keylen, options = {}) {
  const [secret, grain] = [bytesOf(password, "password"), bytesOf(salt, "salt")];
  checkInteger(keylen, "keylen", 0, LENGTH_MAX);
  const one = (short, long, otherwise) => {
    if (options[short] !== undefined && options[long] !== undefined) throw new errors.ERR_INCOMPATIBLE_OPTION_PAIR(short, long);
    const value = options[short] ?? options[long] ?? otherwise;
    checkInteger(value, options[short] === undefined ? long : short, 0, 2 ** 32 - 1);
    return value;
  };
  const [cost, size, parallel] = [one("N", "cost", 16384), one("r", "blockSize", 8), one("p", "parallelization", 1)];
  const { maxmem = SCRYPT_MEMORY } = options;
  checkInteger(maxmem, "maxmem", 0, Number.MAX_SAFE_INTEGER);
  if (128 * cost * size > maxmem || 128 * parallel * size > maxmem) throw new errors.ERR_CRYPTO_INVALID_SCRYPT_PARAMS();
  return () => {
    const output = new Uint8Array(keylen);
    if (keylen > 0) op_scrypt(secret, grain, cost, size, parallel, output);
    return bufferOf(output);
  };
}

function scryptSync(password, salt, keylen, options) {
  return prepareScrypt(password, salt, keylen, options)();
}

function scrypt(password, salt, keylen, options, callback) {
  if (typeof options === "function") [options, callback] = [undefined, options];
  const derive = prepareScrypt(password, salt, keylen, options);
  checkFunction(callback, "callback");
  answer(callback, derive);
}

function prepareHkdf(digest, ikm, salt, info, keylen) {
  const hash = digestNamed(digest);
  const [secret, grain, about] = [bytesOf(ikm, "ikm"), bytesOf(salt, "salt"), bytesOf(info, "info")];
  if (about.length > 1024) throw new errors.ERR_OUT_OF_RANGE("info", "must not contain more than 1024 bytes", about.length);
  checkInteger(keylen, "length", 0, LENGTH_MAX);
  if (keylen > 255 * DIGEST_BYTES[hash]) throw new errors.ERR_CRYPTO_INVALID_KEYLEN();
  return () => op_hkdf(hash, secret, grain, about, keylen).buffer;
}

function hkdfSync(digest, ikm, salt, info, keylen) {
  return prepareHkdf(digest, ikm, salt, info, keylen)();
}

function hkdf(digest, ikm, salt, info, keylen, callback) {
  const derive = prepareHkdf(digest, ikm, salt, info, keylen);
  checkFunction(callback, "callback");
  answer(callback, derive);
}

return { hkdf, hkdfSync, pbkdf2, pbkdf2Sync, scrypt, scryptSync };
})();
