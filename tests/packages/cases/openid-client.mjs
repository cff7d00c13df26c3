import * as client from "openid-client";

export default async function ({ upstream }) {
  const config = new client.Configuration(
    { issuer: upstream, authorization_endpoint: `${upstream}/authorize`, token_endpoint: `${upstream}/token` },
    "c",
    "s",
  );
  client.allowInsecureRequests(config);
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: "https://a/cb",
    scope: "openid",
    code_challenge: await client.calculatePKCECodeChallenge("v"),
    code_challenge_method: "S256",
  });
  const { access_token } = await client.clientCredentialsGrant(config, { scope: "x" });
  return [url.search, access_token, client.randomState().length];
}
