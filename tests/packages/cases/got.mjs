import got from "got";

export default async function ({ upstream }) {
  const client = got.extend({ prefixUrl: upstream, retry: { limit: 0 }, headers: { "x-test": "yes" } });
  const echoed = await client.post("echo", { json: { a: 1 }, searchParams: { q: 1 } }).json();
  const missing = await client("missing").catch((error) => [error.name, error.code, error.response?.statusCode]);
  const redirected = await client("redirect");
  const coded = await client("gzip").json();
  let streamed = "";
  for await (const piece of client.stream("echo")) streamed += piece;
  return [echoed, missing, redirected.statusCode, JSON.parse(redirected.body).path, coded, JSON.parse(streamed).method];
}
