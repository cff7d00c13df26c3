import fetch, { Headers, Request } from "cross-fetch";

export default async function ({ upstream }) {
  const response = await fetch(new Request(`${upstream}/echo`, { method: "POST", body: "a=1", headers: new Headers({ "x-test": "yes" }) }));
  return [response.status, await response.json(), await (await fetch(`${upstream}/gzip`)).json()];
}
