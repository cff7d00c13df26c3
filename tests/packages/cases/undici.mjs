import { Agent, fetch, FormData, request, setGlobalDispatcher } from "undici";

export default async function ({ upstream }) {
  const fetched = await fetch(`${upstream}/echo`, { headers: { "x-test": "yes" } });
  const asked = await request(`${upstream}/echo`, { method: "POST", body: "a" });
  return [await fetched.json(), asked.statusCode, await asked.body.json(), typeof setGlobalDispatcher, typeof FormData, typeof Agent];
}
