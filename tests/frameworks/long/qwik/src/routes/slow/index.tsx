import { Resource, component$, useResource$ } from "@builder.io/qwik";

export default component$(() => {
  const late = useResource$(() => new Promise<string>((resolve) => setTimeout(resolve, 300, "Late, but here")));
  return (
    <main>
      <h1>First</h1>
      <Resource value={late} onPending={() => <p>Waiting…</p>} onResolved={(text) => <p id="late">{text}</p>} />
    </main>
  );
});
