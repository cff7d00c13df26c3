import { Suspense } from "react";

async function Late() {
  const text = await new Promise<string>((resolve) => setTimeout(resolve, 300, "Late, but here"));
  return <p id="late">{text}</p>;
}

export default async function Slow() {
  return (
    <>
      <h1>First</h1>
      <Suspense fallback={<p>Waiting…</p>}>
        <Late />
      </Suspense>
    </>
  );
}

export const getConfig = async () => ({ render: "dynamic" }) as const;
