import { Suspense } from "react";
import { Await, useLoaderData } from "react-router";

export function loader() {
  return { late: new Promise<string>((resolve) => setTimeout(resolve, 300, "Late, but here")) };
}

export default function Slow() {
  const { late } = useLoaderData<typeof loader>();
  return (
    <main>
      <h1>First</h1>
      <Suspense fallback={<p>Waiting…</p>}>
        <Await resolve={late}>{(text) => <p id="late">{text}</p>}</Await>
      </Suspense>
    </main>
  );
}
