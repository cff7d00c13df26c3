import { useState } from "react";
import { Form, Link, useActionData, useLoaderData } from "react-router";

import { notes } from "../notes.server";

export const meta = () => [{ title: "Notes" }];

export function loader() {
  return { notes };
}

export async function action({ request }: { request: Request }) {
  const form = await request.formData();
  return { said: String(form.get("text")) };
}

export default function Home() {
  const { notes } = useLoaderData<typeof loader>();
  const answer = useActionData<typeof action>();
  const [count, setCount] = useState(0);
  return (
    <main>
      <h1>Notes</h1>
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
      {answer && <output>{answer.said}</output>}
      <button type="button" id="count" onClick={() => setCount(count + 1)}>
        {count}
      </button>
    </main>
  );
}
