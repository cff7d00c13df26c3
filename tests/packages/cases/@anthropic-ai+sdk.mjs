import Anthropic from "@anthropic-ai/sdk";

export default async function ({ upstream }) {
  const client = new Anthropic({ apiKey: "k", baseURL: upstream, maxRetries: 0 });
  const { content, usage } = await client.messages.create({ model: "m", max_tokens: 10, messages: [{ role: "user", content: "Hi" }] });
  const failed = await client.get("/missing").catch((error) => [error.name, error.status]);
  return [content, usage, failed];
}
