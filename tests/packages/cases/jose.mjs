import * as jose from "jose";

export default async function () {
  const secret = new Uint8Array(32).fill(7);
  const token = await new jose.SignJWT({ role: "a" }).setProtectedHeader({ alg: "HS256" }).setSubject("ann").setIssuedAt(1).sign(secret);
  const results = [token, (await jose.jwtVerify(token, secret)).payload];
  for (const alg of ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"]) {
    const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true });
    const signed = await new jose.CompactSign(new TextEncoder().encode("x")).setProtectedHeader({ alg }).sign(privateKey);
    const again = await jose.importJWK(await jose.exportJWK(publicKey), alg);
    results.push([
      alg,
      new TextDecoder().decode((await jose.compactVerify(signed, again)).payload),
      (await jose.exportPKCS8(privateKey)).slice(0, 27),
    ]);
  }
  for (const [alg, enc] of [
    ["dir", "A256CBC-HS512"],
    ["dir", "A256GCM"],
    ["A256KW", "A128GCM"],
    ["PBES2-HS256+A128KW", "A128CBC-HS256"],
  ]) {
    const key = new Uint8Array(enc === "A256CBC-HS512" ? 64 : 32).fill(1);
    const jwe = await new jose.EncryptJWT({ a: 1 }).setProtectedHeader({ alg, enc }).encrypt(key);
    results.push([alg, enc, (await jose.jwtDecrypt(jwe, key, { keyManagementAlgorithms: [alg] })).payload]);
  }
  const { publicKey, privateKey } = await jose.generateKeyPair("ECDH-ES+A256KW");
  const ecdh = await new jose.CompactEncrypt(new TextEncoder().encode("e"))
    .setProtectedHeader({ alg: "ECDH-ES+A256KW", enc: "A256GCM" })
    .encrypt(publicKey);
  const expired = await jose.jwtVerify(token, secret, { maxTokenAge: "1 s" }).catch((error) => error.code);
  return [
    results,
    new TextDecoder().decode((await jose.compactDecrypt(ecdh, privateKey)).plaintext),
    expired,
    await jose.calculateJwkThumbprint({ kty: "oct", k: "AA" }),
  ];
}
