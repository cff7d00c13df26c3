import axios from "axios";

export default async function ({ upstream }) {
  const client = axios.create({ baseURL: upstream, timeout: 20_000, headers: { "x-test": "yes" } });
  client.interceptors.request.use((config) => ({ ...config, params: { ...config.params, added: 1 } }));
  const { data, status, headers } = await client.post("/echo", { a: 1 }, { params: { q: ["x", "y"] } });
  const missing = await client.get("/missing").catch((error) => [error.code, error.message, error.response?.status, error.response?.data]);
  const redirected = await client.get("/redirect");
  const coded = await client.get("/gzip", { responseType: "text", transformResponse: (text) => text });
  const aborted = await client.get("/echo", { signal: AbortSignal.abort() }).catch((error) => [axios.isCancel(error), error.code]);
  const form = await client.postForm("/echo", { a: "1" });
  return [data, status, headers["x-answer"], missing, redirected.data.path, coded.data, aborted, form.data.body];
}
