import { createElement as h } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import Markdown from "react-markdown";

const text = "# Tea *now*\n\n- [a](https://a.example)\n- [b](javascript:alert(1))\n\n```js\nx < 1\n```\n<b>raw</b>";

export default () => renderToStaticMarkup(h(Markdown, { components: { h1: (props) => h("h2", { children: props.children }) } }, text));
