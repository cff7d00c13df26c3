import { Marked, marked } from "marked";

export default async function () {
  const own = new Marked({ async: true, walkTokens: async (token) => void (token.type === "heading" && (token.depth += 1)) });
  return [
    marked.parse("# A *b*\n\n| a | b |\n|--|:-:|\n| 1 | `2` |\n\n- [x] done\n\n<b>x</b>"),
    await own.parse("# A"),
    marked.lexer("a\n\n---").map(({ type }) => type),
  ];
}
