import { cert, initializeApp } from "firebase-admin/app";
import { getAuth } from "firebase-admin/auth";

export default async function () {
  const pair = await crypto.subtle.generateKey(
    { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
    true,
    ["sign", "verify"],
  );
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", pair.privateKey))
    .toString("base64")
    .replace(/.{64}/g, "$&\n");
  const app = initializeApp({
    credential: cert({
      projectId: "p",
      clientEmail: "a@p.iam.gserviceaccount.com",
      privateKey: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`,
    }),
  });
  const token = await getAuth(app).createCustomToken("ann", { role: "a" });
  const { uid, claims, aud } = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
  return [
    uid,
    claims,
    aud,
    await getAuth(app)
      .verifyIdToken("x")
      .catch((error) => error.code),
  ];
}
