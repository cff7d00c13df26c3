import Tokens from "csrf";

export default async function () {
  const tokens = new Tokens();
  const secret = await tokens.secret();
  const token = tokens.create(secret);
  return [
    secret.length,
    token.length,
    tokens.verify(secret, token),
    tokens.verify(secret, `${token}x`),
    tokens.verify(tokens.secretSync(), token),
  ];
}
