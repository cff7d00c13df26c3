import nacl from "tweetnacl";

export default function () {
  const pair = nacl.box.keyPair.fromSecretKey(new Uint8Array(32).fill(3));
  const nonce = new Uint8Array(24);
  const text = new Uint8Array([1, 2, 3]);
  const box = nacl.secretbox(text, nonce, pair.publicKey);
  const sign = nacl.sign.keyPair.fromSeed(new Uint8Array(32).fill(4));
  return [
    [...box],
    [...nacl.secretbox.open(box, nonce, pair.publicKey)],
    nacl.secretbox.open(box, nonce, pair.secretKey),
    nacl.sign.detached.verify(text, nacl.sign.detached(text, sign.secretKey), sign.publicKey),
    [...nacl.hash(text)].slice(0, 8),
    nacl.randomBytes(5).length,
  ];
}
