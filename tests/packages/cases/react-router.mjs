import { createElement as h } from "react";
import { renderToString } from "react-dom/server";
import { createStaticHandler, createStaticRouter, Link, Outlet, redirect, StaticRouterProvider, useLoaderData } from "react-router";

const Note = () => h("h1", null, useLoaderData().title);
const routes = [
  {
    path: "/",
    Component: () => h("main", null, h(Link, { to: "/notes/a b" }, "to"), h(Outlet)),
    children: [
      { path: "notes/:slug", loader: ({ params }) => ({ title: params.slug }), Component: Note },
      { path: "old", loader: () => redirect("/notes/tea") },
      {
        path: "broken",
        loader: () => {
          throw new Response("no", { status: 418 });
        },
        ErrorBoundary: () => h("p", null, "boundary"),
      },
    ],
  },
];

export default async function () {
  const { query, dataRoutes } = createStaticHandler(routes);
  const said = [];
  for (const path of ["/notes/tea", "/old", "/broken", "/none"]) {
    const context = await query(new Request(`http://localhost${path}`));
    said.push(
      context instanceof Response
        ? [context.status, context.headers.get("location")]
        : [
            context.statusCode,
            renderToString(h(StaticRouterProvider, { router: createStaticRouter(dataRoutes, context), context, hydrate: false })),
          ],
    );
  }
  return said;
}
