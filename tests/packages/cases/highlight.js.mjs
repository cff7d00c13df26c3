import hljs from "highlight.js";

export default () => [
  hljs.highlight("const a = `b${1}`;", { language: "typescript" }).value,
  hljs.highlightAuto("#include <a>\nint main() { return 0; }").language,
  hljs.listLanguages().length > 100,
];
