import { useState } from "react";
import { Form, Link, createCookie, data, useActionData, useLoaderData } from "react-router";

import { notes } from "../notes.server";

export const meta = () => [{ title: "Notes" }];

const cookie = createCookie("said", { httpOnly: true, sameSite: "lax" });

export async function loader({ request }: { request: Request }) {
  const said: string | null = await cookie.parse(request.headers.get("cookie"));
  return { notes, greeting: process.env.GREETING, said };
}

export async function action({ request }: { request: Request }) {
  const form = await request.formData();
  const said = String(form.get("text"));
  return data({ said }, { headers: { "set-cookie": await cookie.serialize(said) } });
}

export default function Home() {
  const { notes, greeting, said } = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  const [count, setCount] = useState(0);
  return (
    <main>
      <h1>Notes</h1>
      <p id="greeting">{greeting}</p>
      <ul>
        {notes.map(({ slug, title }) => (
          <li key={slug}>
            <Link to={`/notes/${slug}`}>{title}</Link>
          </li>
        ))}
      </ul>
      <Form method="post">
        <input name="text" aria-label="Text" />
        <button type="submit">Say it</button>
      </Form>
      {(answer ?? said) && <output>{answer?.said ?? said}</output>}
      <button type="button" id="count" onClick={() => setCount(count + 1)}>
        {count}
      </button>
    </main>
  );
}
