import { cbc, gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305, xchacha20poly1305 } from "@noble/ciphers/chacha.js";

export default function () {
  const key = new Uint8Array(32).fill(1);
  const text = new Uint8Array([1, 2, 3]);
  const ciphers = [
    () => gcm(key, key.slice(0, 12)),
    () => chacha20poly1305(key, key.slice(0, 12)),
    () => xchacha20poly1305(key, key.slice(0, 24)),
    () => cbc(key, key.slice(0, 16)),
  ];
  return ciphers.map((cipher) => {
    const sealed = cipher().encrypt(text);
    return [[...sealed], [...cipher().decrypt(sealed)]];
  });
}
