import { dehydrate, HydrationBoundary, QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { createElement as h } from "react";
import { renderToString } from "react-dom/server";

function Note() {
  const { data, status } = useQuery({ queryKey: ["note"], queryFn: () => "never" });
  return h("p", null, data, status);
}

export default async function ({ upstream }) {
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
  await client.prefetchQuery({ queryKey: ["note"], queryFn: async () => (await (await fetch(`${upstream}/echo`)).json()).path });
  const state = dehydrate(client);
  const html = renderToString(h(QueryClientProvider, { client: new QueryClient() }, h(HydrationBoundary, { state }, h(Note))));
  return [html, state.queries.map(({ queryHash, state: { data, status } }) => [queryHash, data, status])];
}
