import { h } from "preact";
import { lazy, Suspense } from "preact/compat";
import { renderToStringAsync } from "preact-render-to-string";
import { renderToReadableStream } from "preact-render-to-string/stream";

export default async function () {
  const Late = lazy(async () => ({ default: () => h("i", null, "late") }));
  const page = () => h("div", { dangerouslySetInnerHTML: undefined, style: { fontSize: 3 } }, h(Suspense, { fallback: "wait" }, h(Late)));
  return [await renderToStringAsync(page()), (await new Response(renderToReadableStream(page())).text()).includes("late")];
}
