import { component$ } from "@builder.io/qwik";
import { type DocumentHead, Link, routeLoader$ } from "@builder.io/qwik-city";

import { notes } from "~/notes";

export const useNote = routeLoader$(({ params, error }) => {
  const note = notes.find(({ slug }) => slug === params.slug);
  if (note === undefined) throw error(404, "no such note");
  return note;
});

export default component$(() => {
  const note = useNote();
  return (
    <main>
      <h1>{note.value.title}</h1>
      <p>{note.value.text}</p>
      <Link href="/">Back</Link>
    </main>
  );
});

export const head: DocumentHead = ({ resolveValue }) => ({ title: resolveValue(useNote).title });
