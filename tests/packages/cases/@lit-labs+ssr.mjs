import { html, render } from "@lit-labs/ssr";
import { html as page } from "@lit-labs/ssr/lib/server-template.js";
import { RenderResultReadable } from "@lit-labs/ssr/lib/render-result-readable.js";

export default async function () {
  const readable = new RenderResultReadable(render(page`<!DOCTYPE html><html><body>${html`<i>inner</i>`}<p>${"a < b"}</p></body></html>`));
  let text = "";
  for await (const piece of readable) text += piece;
  return text;
}
