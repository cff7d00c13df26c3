import { component$ } from "@builder.io/qwik";
import { type DocumentHead, Form, Link, routeAction$, routeLoader$ } from "@builder.io/qwik-city";

import { Counter } from "~/components/counter";
import { notes } from "~/notes";

export const useHome = routeLoader$(({ cookie, env }) => ({
  notes: notes.map(({ slug, title }) => ({ slug, title })),
  greeting: env.get("GREETING"),
  said: cookie.get("said")?.value,
}));

export const useSay = routeAction$((form, { cookie, redirect }) => {
  cookie.set("said", String(form.text), { httpOnly: true, sameSite: "lax", path: "/" });
  throw redirect(303, "/");
});

export default component$(() => {
  const home = useHome();
  const say = useSay();
  return (
    <main>
      <h1>Notes</h1>
      <p id="greeting">{home.value.greeting}</p>
      <ul>
        {home.value.notes.map(({ slug, title }) => (
          <li key={slug}>
            <Link href={`/notes/${slug}`}>{title}</Link>
          </li>
        ))}
      </ul>
      <Form action={say}>
        <input name="text" aria-label="Text" />
        <button type="submit">Say it</button>
      </Form>
      {home.value.said && <output>{home.value.said}</output>}
      <Counter />
    </main>
  );
});

export const head: DocumentHead = { title: "Notes" };
