import rehypeStringify from "rehype-stringify";
import remarkParse from "remark-parse";
import remarkRehype from "remark-rehype";
import { unified } from "unified";

export default async function () {
  const plugin = () => (tree) => void tree.children.push({ type: "paragraph", children: [{ type: "text", value: "added <&>" }] });
  return String(
    await unified()
      .use(remarkParse)
      .use(plugin)
      .use(remarkRehype, { allowDangerousHtml: true })
      .use(rehypeStringify, { allowDangerousHtml: true })
      .process('# A\n\n[b](c "d") <i>raw</i>'),
  );
}
