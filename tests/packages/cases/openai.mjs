import OpenAI, { toFile } from "openai";

export default async function ({ upstream }) {
  const client = new OpenAI({ apiKey: "k", baseURL: upstream, maxRetries: 0 });
  const { choices } = await client.chat.completions.create({ model: "m", messages: [{ role: "user", content: "Hi" }] });
  const failed = await client.post("/missing").catch((error) => [error.name, error.status]);
  const file = await toFile(Buffer.from("x"), "a.txt", { type: "text/plain" });
  return [choices[0].message.content, failed, file.name, file.size];
}
