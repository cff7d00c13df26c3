import ky from "ky";

export default async function ({ upstream }) {
  const seen = [];
  const client = ky.create({
    prefixUrl: upstream,
    retry: 0,
    headers: { "x-test": "yes" },
    hooks: { afterResponse: [() => void seen.push(1)] },
  });
  const echoed = await client.post("echo", { json: { a: 1 }, searchParams: { q: 1 } }).json();
  const missing = await client
    .get("missing")
    .json()
    .catch((error) => [error.name, error.response?.status]);
  const coded = await client.get("gzip").json();
  return [echoed, missing, coded, seen.length];
}
