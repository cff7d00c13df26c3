import jwt from "jsonwebtoken";

export default async function () {
  const token = jwt.sign({ role: "a", iat: 1 }, "secret", { subject: "ann", noTimestamp: true });
  const bad = [];
  jwt.verify(`${token}x`, "secret", (error) => bad.push(error.name, error.message));
  const expired = jwt.sign({ exp: 2 }, "secret");
  try {
    jwt.verify(expired, "secret");
  } catch (error) {
    bad.push(error.name);
  }
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const pem = async (kind, label, key) =>
    `-----BEGIN ${label}-----\n${Buffer.from(await crypto.subtle.exportKey(kind, key))
      .toString("base64")
      .replace(/.{64}/g, "$&\n")}\n-----END ${label}-----\n`;
  const signed = jwt.sign({ a: 1, iat: 1 }, await pem("pkcs8", "PRIVATE KEY", pair.privateKey), { algorithm: "ES256" });
  return [
    token,
    jwt.verify(token, "secret"),
    jwt.decode(token, { complete: true }).header,
    bad,
    jwt.verify(signed, await pem("spki", "PUBLIC KEY", pair.publicKey)),
  ];
}
