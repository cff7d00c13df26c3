import pg from "pg";

export default async function () {
  const client = new pg.Client({ host: "127.0.0.1", port: 1, user: "a", password: "b", database: "c" });
  client.on("error", () => {});
  await client.connect();
  return [pg.escapeLiteral("a'b"), "connected"];
}
