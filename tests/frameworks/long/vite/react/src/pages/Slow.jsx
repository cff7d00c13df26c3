import { Suspense, lazy } from "react";

const Late = lazy(async () => {
  await new Promise((resolve) => setTimeout(resolve, 300));
  return import("./Late");
});

export function Slow() {
  return (
    <main>
      <h1>First</h1>
      <Suspense fallback={<p>Waiting…</p>}>
        <Late />
      </Suspense>
    </main>
  );
}
