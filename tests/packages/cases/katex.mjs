import katex from "katex";

export default () => [
  katex.renderToString("c = \\pm\\sqrt{a^2 + \\frac{b}{2}}", { displayMode: true }),
  katex.renderToString("\\bad", { throwOnError: false }),
  katex.renderToString("x", { output: "mathml" }),
];
