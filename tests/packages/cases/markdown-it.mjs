import MarkdownIt from "markdown-it";

export default function () {
  const md = new MarkdownIt({
    html: false,
    linkify: true,
    typographer: true,
    highlight: (code, language) => `<pre class="${language}">${code.length}</pre>`,
  });
  md.use((it) => it.core.ruler.push("note", (state) => void (state.env.count = state.tokens.length)));
  const env = {};
  return [md.render('# A\n\nhttps://a.example -- "q" <b>\n\n```js\nx\n```\n\n1. one\n2. two', env), env.count, md.renderInline("*a*")];
}
