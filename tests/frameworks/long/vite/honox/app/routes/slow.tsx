import { Suspense } from "hono/jsx/streaming";
import { createRoute } from "honox/factory";

async function Late() {
  await new Promise((resolve) => setTimeout(resolve, 300));
  return <p id="late">Late, but here</p>;
}

export default createRoute((c) =>
  c.render(
    <main>
      <h1>First</h1>
      <Suspense fallback={<p>Waiting…</p>}>
        <Late />
      </Suspense>
    </main>,
    { title: "Slow" },
  ),
);
