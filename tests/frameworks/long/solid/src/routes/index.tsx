import { A, createAsync, useSubmission } from "@solidjs/router";
import { For, Show } from "solid-js";

import Counter from "~/components/Counter";
import { getHome, say } from "~/lib/actions";

export const route = { preload: () => getHome() };

export default function Home() {
  const home = createAsync(() => getHome(), { deferStream: true });
  const submission = useSubmission(say);
  return (
    <main>
      <h1>Notes</h1>
      <p id="greeting">{home()?.greeting}</p>
      <ul>
        <For each={home()?.notes}>
          {(note) => (
            <li>
              <A href={`/notes/${note.slug}`}>{note.title}</A>
            </li>
          )}
        </For>
      </ul>
      <form action={say} method="post">
        <input name="text" aria-label="Text" />
        <button type="submit">Say it</button>
      </form>
      <Show when={submission.result ?? home()?.said}>{(said) => <output>{said()}</output>}</Show>
      <Counter />
    </main>
  );
}
