import postcss from "postcss";

export default async function () {
  const plugin = { postcssPlugin: "p", Declaration: { color: (node) => void (node.value = node.value === "red" ? "blue" : node.value) } };
  const { css, map } = await postcss([plugin]).process("a { color: red; & b { top: 0 } }\n@media x { c { color: green } }", {
    from: "a.css",
    to: "b.css",
    map: { inline: false },
  });
  const error = await postcss([])
    .process("a {", { from: undefined })
    .then(
      () => "none",
      ({ name, reason }) => [name, reason],
    );
  return [css, JSON.parse(map.toString()).mappings, error, postcss.parse("a{b:c}").first.nodes[0].prop];
}
