import { createSignal } from "solid-js";

export default function Counter() {
  const [count, setCount] = createSignal(0);
  return (
    <button type="button" id="count" onClick={() => setCount(count() + 1)}>
      {count()}
    </button>
  );
}
