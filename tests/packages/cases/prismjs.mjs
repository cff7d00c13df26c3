import Prism from "prismjs";
import "prismjs/components/prism-rust.js";

export default () => [
  Prism.highlight("const a = 'b'; // c", Prism.languages.javascript, "javascript"),
  Prism.highlight("fn main() -> u8 { 1 }", Prism.languages.rust, "rust"),
];
