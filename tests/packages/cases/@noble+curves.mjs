import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";

export default function () {
  const secret = new Uint8Array(32).fill(7);
  const hash = new Uint8Array(32).fill(9);
  const hex = (bytes) => Buffer.from(bytes).toString("hex");
  return [
    ...[ed25519, p256, secp256k1].map((curve) => {
      const key = curve.getPublicKey(secret);
      const signed = curve.sign(hash, secret);
      return [hex(key), hex(signed), curve.verify(signed, hash, key)];
    }),
    hex(x25519.getSharedSecret(secret, x25519.getPublicKey(hash))),
  ];
}
