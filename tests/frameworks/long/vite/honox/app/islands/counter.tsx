import { useState } from "hono/jsx";

export default function Counter() {
  const [count, setCount] = useState(0);
  return (
    <button type="button" id="count" onClick={() => setCount(count + 1)}>
      {count}
    </button>
  );
}
