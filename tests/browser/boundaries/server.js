// A page of three boundaries. Each waits until `/go` lets it.
import { createElement, Suspense, use } from "react";
import { renderToReadableStream } from "react-dom/server.browser";

const PARTS = ["one", "two", "three"];

/** What each visit waits for. @type {Map<string, Record<string, PromiseWithResolvers<string>>>} */
const visits = new Map();

function Part({ waited }) {
  return createElement("p", { className: "part" }, use(waited));
}

function Page({ waits }) {
  const boundary = (part) =>
    createElement(
      Suspense,
      { key: part, fallback: createElement("p", null, `waits for ${part}`) },
      createElement(Part, { waited: waits[part].promise }),
    );
  return createElement("html", null, createElement("body", null, createElement("h1", null, "Shell"), PARTS.map(boundary)));
}

export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const visit = searchParams.get("visit");
    if (pathname === "/go") {
      const part = searchParams.get("part");
      visits.get(visit)[part].resolve(`part ${part}`);
      return new Response(null, { status: 204 });
    }
    const waits = Object.fromEntries(PARTS.map((part) => [part, Promise.withResolvers()]));
    if (visit === null) {
      PARTS.forEach((part) => waits[part].resolve(`part ${part}`));
    } else {
      visits.set(visit, waits);
    }
    const stream = await renderToReadableStream(createElement(Page, { waits }));
    return new Response(stream, { headers: { "content-type": "text/html; charset=utf-8" } });
  },
};
