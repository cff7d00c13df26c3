import xml2js from "xml2js";

export default async () => [
  await xml2js.parseStringPromise("<a x='1'><b>t</b><b/>m</a>"),
  new xml2js.Builder({ headless: true }).buildObject({ a: { $: { x: 1 }, b: ["t", "<"] } }),
  await xml2js.parseStringPromise("<a>").catch((error) => error.message),
];
