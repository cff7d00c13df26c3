import { algoliasearch } from "algoliasearch";

export default async function ({ upstream }) {
  const { hostname, port } = new URL(upstream);
  const client = algoliasearch("app", "key", { hosts: [{ url: `${hostname}:${port}`, protocol: "http", accept: "readWrite" }] });
  return client.searchSingleIndex({ indexName: "notes", searchParams: { query: "tea" } });
}
