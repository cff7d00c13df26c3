import { createAsync, query } from "@solidjs/router";
import { Suspense } from "solid-js";

const getLate = query(async () => {
  "use server";
  return new Promise<string>((resolve) => setTimeout(resolve, 300, "Late, but here"));
}, "late");

export default function Slow() {
  const late = createAsync(() => getLate());
  return (
    <main>
      <h1>First</h1>
      <Suspense fallback={<p>Waiting…</p>}>
        <p id="late">{late()}</p>
      </Suspense>
    </main>
  );
}
