import { FetchError, ofetch } from "ofetch";

export default async function ({ upstream }) {
  const client = ofetch.create({ baseURL: upstream, retry: 0, headers: { "x-test": "yes" } });
  const missing = await client("/missing").catch((error) => [error instanceof FetchError, error.status, error.data]);
  const raw = await client.raw("/redirect");
  return [
    await client("/echo", { method: "POST", body: { a: 1 }, query: { q: [1, 2] } }),
    missing,
    raw._data.path,
    raw.headers.get("x-answer"),
    await client("/gzip"),
    await client("/echo", { responseType: "text" }),
  ];
}
