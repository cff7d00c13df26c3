import { Eta } from "eta";

export default async function () {
  const eta = new Eta();
  eta.loadTemplate("@part", "part <%= it.x %>");
  return [
    eta.renderString("<% it.list.forEach((x) => { %><li><%= x %></li><% }) %><%~ include('@part', { x: 1 }) %>", { list: ["<a>"] }),
    await eta.renderStringAsync("<%= await it.late() %>", { late: async () => "late" }),
  ];
}
