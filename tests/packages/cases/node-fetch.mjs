import fetch, { FormData, Headers, Response } from "node-fetch";

export default async function ({ upstream }) {
  const echoed = await fetch(`${upstream}/echo`, { method: "POST", body: new URLSearchParams({ a: "1" }), headers: { "x-test": "yes" } });
  const redirected = await fetch(`${upstream}/redirect`);
  const coded = await (await fetch(`${upstream}/gzip`)).json();
  const form = new FormData();
  form.set("a", "1");
  const posted = await (await fetch(`${upstream}/echo`, { method: "POST", body: form })).json();
  let streamed = "";
  for await (const piece of (await fetch(`${upstream}/echo`)).body) streamed += piece;
  return [
    echoed.status,
    await echoed.json(),
    redirected.redirected,
    redirected.url.endsWith("/echo?from=redirect"),
    coded,
    posted.method,
    JSON.parse(streamed).method,
    new Headers({ A: "b" }).get("a"),
    await new Response("x").text(),
  ];
}
