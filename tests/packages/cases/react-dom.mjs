import { createElement as h, Suspense, use } from "react";
import { renderToReadableStream, renderToStaticMarkup } from "react-dom/server";

const Late = ({ data }) => h("p", null, use(data));

export default async function () {
  const data = new Promise((done) => setTimeout(done, 5, "late text"));
  const page = h(
    "html",
    null,
    h("head", null, h("title", null, "t"), h("link", { rel: "stylesheet", href: "/a.css", precedence: "x" })),
    h("body", null, h(Suspense, { fallback: "wait" }, h(Late, { data }))),
  );
  const stream = await renderToReadableStream(page, { bootstrapScripts: ["/a.js"], nonce: "n" });
  const html = await new Response(stream).text();
  const { renderToPipeableStream } = await import("react-dom/server");
  return [html, renderToStaticMarkup(h("div", { dangerouslySetInnerHTML: { __html: "<i>x</i>" } })), typeof renderToPipeableStream];
}
