import { createClient } from "redis";

export default async function () {
  const client = createClient({ url: "redis://127.0.0.1:1", socket: { reconnectStrategy: false } });
  client.on("error", () => {});
  await client.connect();
  return "connected";
}
