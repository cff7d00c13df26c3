import { rehype } from "rehype";

export default async () =>
  String(
    await rehype()
      .data("settings", { fragment: true })
      .use(() => (tree) => void (tree.children[0].properties.className = ["x"]))
      .process("<p>a<br><b>c</p>&amp;<svg viewBox='0 0 1 1'/>"),
  );
