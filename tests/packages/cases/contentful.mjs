import * as contentful from "contentful";

export default async function ({ upstream }) {
  const { createClient } = contentful.createClient ? contentful : contentful.default;
  const { hostname, port } = new URL(upstream);
  const client = createClient({ space: "space", accessToken: "t", host: `${hostname}:${port}`, insecure: true, retryOnError: false });
  const entries = await client.getEntries({ content_type: "note" });
  return [entries.total, entries.items.map(({ fields }) => fields)];
}
