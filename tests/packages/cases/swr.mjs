import { createElement as h } from "react";
import { renderToString } from "react-dom/server";
import useSWR, { SWRConfig, unstable_serialize } from "swr";

function Note() {
  const { data, isLoading } = useSWR(["/note", 1], () => "never");
  return h("p", null, data ?? "none", String(isLoading));
}

export default () => [
  renderToString(h(SWRConfig, { value: { fallback: { [unstable_serialize(["/note", 1])]: "Tea" } } }, h(Note))),
  renderToString(h(Note)),
];
