import { compile } from "svelte/compiler";
import { render } from "svelte/server";
import * as $ from "svelte/internal/server";
import { get, writable, derived } from "svelte/store";

// What the compiler makes of <h1>{title}</h1>, by hand.
function Note(renderer, { title }) {
  $.head?.("k", renderer, (renderer) => renderer.push('<meta name="d"/>'));
  renderer.push(`<h1>${$.escape(title)}</h1>`);
}

export default function () {
  const { js } = compile("<script>let { a } = $props();</script>{#each a as x}<p>{x}</p>{/each}", {
    generate: "server",
    filename: "A.svelte",
  });
  const n = writable(2);
  const { body } = render(Note, { props: { title: "a < b" } });
  return [js.code, body, get(derived(n, (n) => n * 2))];
}
