import * as oauth from "oauth4webapi";

export default async function ({ upstream }) {
  const issuer = new URL(upstream);
  const options = { [oauth.allowInsecureRequests]: true };
  const server = await oauth
    .processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options))
    .catch((error) => ({ code: error.code, ...error.cause }));
  const as = { issuer: upstream, token_endpoint: `${upstream}/token` };
  const client = { client_id: "c" };
  const response = await oauth.clientCredentialsGrantRequest(as, client, oauth.ClientSecretPost("s"), new URLSearchParams(), options);
  const { access_token } = await oauth.processClientCredentialsResponse(as, client, response);
  return [
    Object.keys(server).sort(),
    access_token,
    await oauth.calculatePKCECodeChallenge("verifier"),
    oauth.generateRandomCodeVerifier().length,
  ];
}
