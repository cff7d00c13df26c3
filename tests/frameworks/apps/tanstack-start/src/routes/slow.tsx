import { Await, createFileRoute } from "@tanstack/react-router";
import { Suspense } from "react";

export const Route = createFileRoute("/slow")({
  loader: () => ({ late: new Promise<string>((resolve) => setTimeout(resolve, 300, "Late, but here")) }),
  component: Slow,
});

function Slow() {
  const { late } = Route.useLoaderData();
  return (
    <main>
      <h1>First</h1>
      <Suspense fallback={<p>Waiting…</p>}>
        <Await promise={late}>{(text) => <p id="late">{text}</p>}</Await>
      </Suspense>
    </main>
  );
}
