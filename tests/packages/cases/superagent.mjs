import superagent from "superagent";

export default async function ({ upstream }) {
  const echoed = await superagent.post(`${upstream}/echo`).query({ q: 1 }).set("x-test", "yes").send({ a: 1 });
  const missing = await superagent.get(`${upstream}/missing`).catch((error) => [error.status, error.response?.body]);
  const form = await superagent.post(`${upstream}/echo`).type("form").send({ a: "1" });
  const redirected = await superagent.get(`${upstream}/redirect`);
  const coded = await superagent.get(`${upstream}/gzip`);
  return [echoed.body, echoed.headers["x-answer"], missing, form.body.body, redirected.body.path, redirected.redirects.length, coded.body];
}
