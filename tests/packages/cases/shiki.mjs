import { codeToHtml, createHighlighter } from "shiki";

export default async function () {
  const highlighter = await createHighlighter({ themes: ["nord"], langs: ["rust"] });
  return [
    await codeToHtml("const a = `x${1}`; // c", { lang: "javascript", theme: "vitesse-dark", tokenizeTimeLimit: 0 }),
    highlighter.codeToTokens("fn main() {}", { lang: "rust", theme: "nord", tokenizeTimeLimit: 0 }).tokens,
  ];
}
