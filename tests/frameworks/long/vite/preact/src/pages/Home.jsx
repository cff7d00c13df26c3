import { useState } from "preact/hooks";

import { notes } from "../notes";

export function Home({ data }) {
  const [count, setCount] = useState(0);
  return (
    <main>
      <h1>Notes</h1>
      <p id="greeting">{data.greeting}</p>
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
      {data.said && <output>{data.said}</output>}
      <button id="count" type="button" onClick={() => setCount(count + 1)}>
        {count}
      </button>
    </main>
  );
}
