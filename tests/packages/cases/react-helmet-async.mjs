import { createElement as h } from "react";
import { renderToString } from "react-dom/server";
import * as async from "react-helmet-async";

export default function () {
  const { Helmet, HelmetProvider } = async.default ?? async;
  const context = {};
  const html = renderToString(
    h(
      HelmetProvider,
      { context },
      h("div", null, h(Helmet, null, h("title", null, "Tea"), h("meta", { name: "d", content: "x" })), "body"),
    ),
  );
  return [html, context.helmet?.title.toString(), context.helmet?.meta.toString()];
}
