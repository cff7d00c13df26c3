import { useState } from "react";
import { useData } from "vike-react/useData";

import type { Data } from "./+data";

export default function Page() {
  const { notes, greeting, said } = useData<Data>();
  const [count, setCount] = useState(0);
  return (
    <main>
      <h1>Notes</h1>
      <p id="greeting">{greeting}</p>
      <ul>
        {notes.map(({ slug, title }) => (
          <li key={slug}>
            <a href={`/notes/${slug}`}>{title}</a>
          </li>
        ))}
      </ul>
      <form method="post" action="/say">
        <input name="text" aria-label="Text" />
        <button type="submit">Say it</button>
      </form>
      {said && <output>{said}</output>}
      <button id="count" type="button" onClick={() => setCount(count + 1)}>
        {count}
      </button>
    </main>
  );
}
