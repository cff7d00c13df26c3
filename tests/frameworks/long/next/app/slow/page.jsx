import { connection } from "next/server";
import { Suspense } from "react";

async function Late() {
  await connection();
  const text = await new Promise((resolve) => setTimeout(resolve, 300, "Late, but here"));
  return <p id="late">{text}</p>;
}

export default function Slow() {
  return (
    <main>
      <h1>First</h1>
      <Suspense fallback={<p>Waiting…</p>}>
        <Late />
      </Suspense>
    </main>
  );
}
