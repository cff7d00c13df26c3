// What the ops of cryptography do in steps: the watchdog ends an isolate between two of them.
(function () {
const { core } = __bootstrap;
const {
  op_cipher, op_cipher_authenticate, op_cipher_finish, op_cipher_tag, op_cipher_update, op_digest, op_hasher, op_hasher_update,
  op_hasher_value, op_hmac, op_pbkdf2, op_pbkdf2_step, op_rsa_search, op_rsa_search_step, op_same_bytes,
} = core.ops;
const { notice, randomFill } = core.loadExtScript("ext:vitrine/runtime/snapshot_guard.js");

const NOTHING = new Uint8Array(0);

// A key of HMAC that is longer than a block of its hash stands for its digest.
const HASHED_KEY_BYTES = 1 << 20;

// A hash that takes its data in pieces; an HMAC, if there is a key.
function hasher(hash, key = null) {
  // What it stands for lies in the worker, and would not be part of a snapshot.
  notice("feature", "a hash of much data");
  return op_hasher(hash, key !== null && key.length > HASHED_KEY_BYTES ? digestOf(hash, key) : key);
}

function absorb(state, data) {
  for (let at = 0; at < data.length;) at = op_hasher_update(state, data, at);
}

function digestOf(hash, data) {
  const digest = op_digest(hash, data);
  if (digest !== null) return digest;
  const state = hasher(hash);
  absorb(state, data);
  return op_hasher_value(state);
}

function hmacOf(hash, key, data) {
  const mac = op_hmac(hash, key, data);
  if (mac !== null) return mac;
  const state = hasher(hash, key);
  absorb(state, data);
  return op_hasher_value(state);
}

function cipher(mode, encrypts, key, iv, pads = true) {
  notice("feature", "a cipher");
  return op_cipher(mode, encrypts, key, iv, pads);
}

// Gives what it writes to `output`, from `start` on: where that ends.
function crypt(state, data, output, start) {
  const progress = new Uint32Array([0, start]);
  while (progress[0] < data.length) op_cipher_update(state, data, output, progress);
  return progress[1];
}

// All of it at once; null if it can't be decrypted.
function cryptWhole(mode, encrypts, key, iv, data) {
  const state = cipher(mode, encrypts, key, iv);
  const output = new Uint8Array(data.length + 16);
  const at = crypt(state, data, output, 0);
  const end = op_cipher_finish(state);
  if (end === null) return null;
  output.set(end, at);
  return output.slice(0, at + end.length);
}

function authenticate(state, data) {
  for (let at = 0; at < data.length;) at = op_cipher_authenticate(state, data, at);
}

// The encrypted data, then the tag.
function sealGcm(key, iv, additional, data, tagBytes) {
  const state = cipher("GCM", true, key, iv);
  authenticate(state, additional);
  const output = new Uint8Array(data.length + tagBytes);
  crypt(state, data, output, 0);
  output.set(op_cipher_tag(state).subarray(0, tagBytes), data.length);
  return output;
}

// What `sealGcm` was given; null if the tag does not fit.
function openGcm(key, iv, additional, sealed, tagBytes) {
  if (sealed.length < tagBytes) return null;
  const state = cipher("GCM", false, key, iv);
  authenticate(state, additional);
  const data = sealed.subarray(0, sealed.length - tagBytes);
  const output = new Uint8Array(data.length);
  crypt(state, data, output, 0);
  return op_same_bytes(op_cipher_tag(state).subarray(0, tagBytes), sealed.subarray(data.length)) ? output : null;
}

function pbkdf2(hash, secret, salt, iterations, length) {
  const output = new Uint8Array(length);
  notice("feature", "PBKDF2");
  const state = op_pbkdf2(hash, secret, salt, iterations);
  while (!op_pbkdf2_step(state, output));
  return output;
}

// A private key of RSA; null if there can't be one of that size with that exponent.
function generateRsa(bits, exponent) {
  notice("randomness");
  const search = op_rsa_search(bits, exponent);
  if (search === null) return null;
  let key;
  do key = op_rsa_search_step(search); while (key === null);
  return key;
}

function randomBytes(length) {
  const bytes = new Uint8Array(length);
  randomFill(bytes);
  return bytes;
}

return {
  NOTHING, absorb, authenticate, cipher, crypt, cryptWhole, digestOf, generateRsa, hasher, hmacOf, openGcm, pbkdf2, randomBytes, sealGcm,
};
})();
