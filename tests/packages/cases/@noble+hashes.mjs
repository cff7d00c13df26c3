import { blake3 } from "@noble/hashes/blake3.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { pbkdf2Async } from "@noble/hashes/pbkdf2.js";
import { scrypt } from "@noble/hashes/scrypt.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, randomBytes, utf8ToBytes } from "@noble/hashes/utils.js";

export default async function () {
  const text = utf8ToBytes("hello");
  return [
    sha256(text),
    sha512(text),
    keccak_256(text),
    blake3(text),
    hmac(sha256, text, text),
    hkdf(sha256, text, text, text, 16),
    scrypt(text, text, { N: 256, r: 8, p: 1, dkLen: 16 }),
    await pbkdf2Async(sha256, text, text, { c: 50, dkLen: 16 }),
  ]
    .map(bytesToHex)
    .concat(randomBytes(9).length);
}
