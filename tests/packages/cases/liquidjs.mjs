import { Liquid } from "liquidjs";

export default async function () {
  const engine = new Liquid({ templates: { part: "part {{ x }}" } });
  engine.registerFilter("twice", (text) => text + text);
  return engine.parseAndRender(
    "{% for n in list %}{{ n | times: 2 }}{% unless forloop.last %},{% endunless %}{% endfor %} {{ 'a' | twice | upcase }} {% render 'part', x: 1 %} {{ 0 | date: '%Y-%m-%d', 'UTC' }} {{ '<b>' | escape }}",
    { list: [1, 2] },
  );
}
