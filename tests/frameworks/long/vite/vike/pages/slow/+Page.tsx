import { Suspense } from "react";
import { useAsync } from "react-streaming";

function Late() {
  const text = useAsync("late", () => new Promise<string>((resolve) => setTimeout(resolve, 300, "Late, but here")));
  return <p id="late">{text}</p>;
}

export default function Page() {
  return (
    <main>
      <h1>First</h1>
      <Suspense fallback={<p>Waiting…</p>}>
        <Late />
      </Suspense>
    </main>
  );
}
