import { Link, createFileRoute } from "@tanstack/react-router";
import { createServerFn } from "@tanstack/react-start";
import { getRequestHeader } from "@tanstack/react-start/server";
import { type FormEvent, useState } from "react";

import { notes } from "../notes";

const readHome = createServerFn().handler(() => ({ notes, greeting: process.env.GREETING }));

const say = createServerFn({ method: "POST" })
  .validator((form: FormData) => String(form.get("text")))
  // The header is had from AsyncLocalStorage: the call knows its request.
  .handler(async ({ data }) => `${data} (${getRequestHeader("host") === undefined ? "nowhere" : "from a request"})`);

export const Route = createFileRoute("/")({ loader: () => readHome(), component: Home });

function Home() {
  const { notes, greeting } = Route.useLoaderData();
  const [count, setCount] = useState(0);
  const [answer, setAnswer] = useState<string>();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setAnswer(await say({ data: new FormData(event.currentTarget) }));
  };
  return (
    <main>
      <h1>Notes</h1>
      <p id="greeting">{greeting}</p>
      <ul>
        {notes.map(({ slug, title }) => (
          <li key={slug}>
            <Link to="/notes/$slug" params={{ slug }}>
              {title}
            </Link>
          </li>
        ))}
      </ul>
      <form onSubmit={submit}>
        <input name="text" aria-label="Text" />
        <button type="submit">Say it</button>
      </form>
      {answer && <output>{answer}</output>}
      <button type="button" id="count" onClick={() => setCount(count + 1)}>
        {count}
      </button>
    </main>
  );
}
